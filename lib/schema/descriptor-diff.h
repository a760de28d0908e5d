/*
 * descriptor-diff.h -- what it takes to make one descriptor another.
 *
 * Floor 8.
 */
#ifndef MIG_DESCRIPTOR_DIFF_H
#define MIG_DESCRIPTOR_DIFF_H

#include "descriptor.h"
#include "instruction.h"

/*
 * Append an instruction for each difference, by entity and label, those of one
 * attribute in a fixed order.  An entity comes and goes with its id.  Returns how many
 * entities, attributes, links and rooms are the same in both.
 */
size_t descriptor_diff(const struct descriptor *from, const struct descriptor *to, struct instructions *out);

#endif
