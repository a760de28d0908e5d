/*
 * pending.h -- which hops of an SQL set are still to be applied.
 *
 * Floor 13.
 */
#ifndef MIG_PENDING_H
#define MIG_PENDING_H

#include "sqlset.h"

/* A hop that was applied, as the database remembers it. */
struct past_hop {
	char *from, *to, *checksum, *normalised;
};

/* All of them, oldest first. */
struct past {
	struct past_hop *list;
	size_t n;
};

void past_release(struct past *p);

/*
 * The hops to apply to get to target, in order: a new array of indexes into
 * s->set->hop, *n of them (0: nothing to do), or NULL after findings of MIG_INVALID:
 *
 *	changed_after_apply	the content of an applied up.sql is another now
 *	out_of_order		a hop below the version reached is not applied
 *	missing_hop		an applied hop is not in the set
 *	no_path			the target is not ahead, or no hops lead there
 *
 * A hop is known by the version it leads to.  With late, out_of_order and
 * missing_hop are warnings, and the hops below are among those to apply.  A
 * change of line ends only is a warning.
 */
size_t *pending_find(const struct sqlset *s, const struct past *past, const char *target, bool late, size_t *n,
                     struct diag *d);

#endif
