/*
 * breaking.h -- does a step break what readers of its version may rely on?
 *
 * Floor 9.  Judged from the plan alone: its versions, its patch, and the old
 * values that its rollback entry keeps.  A field is a member of an object; what
 * happens to the elements of an array is no change of the contract.
 */
#ifndef MIG_BREAKING_H
#define MIG_BREAKING_H

#include "plan.h"

/* May a step do anything: to a greater major version, or back to an earlier version, whose readers know no better? */
bool breaking_allowed(const struct step *s);

/*
 * What forward step i of p does that only a step that is allowed to break may, as
 * a new text, or NULL:
 *
 *	removes /legacy
 *	renames /old to /new
 *	retypes /count from string to number
 */
char *breaking_change(const struct plan *p, size_t i);

/* Do both versions of a step have the same precedence, so that nobody can tell them apart? */
bool breaking_same_version(const struct step *s);

/* Does it lead to a greater major version? */
bool breaking_major(const struct step *s);

#endif
