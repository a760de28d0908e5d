/*
 * planner-steps.h -- the steps that InstantDB's schema planner gives, as instructions.
 *
 * Floor 8.  {"steps":[{"type":"add-attr","forwardIdentity":[ID,"notes","title"],"friendlyDescription":"..",..},..]},
 * the array by itself, or each step as a pair ["add-attr",{..}].
 */
#ifndef MIG_PLANNER_STEPS_H
#define MIG_PLANNER_STEPS_H

#include "instruction.h"

/*
 * Append an instruction a step, in their order; hash is that of the canonical
 * array.  0, or -1 after MIG_INVALID "bad_steps" at where: no array, a step without
 * a type, or one of a known type that does not say what it is about.
 */
int planner_steps_read(struct instructions *out, const struct doc *doc, const char *where, char hash[HEX_SIZE],
                       struct diag *d);

#endif
