/*
 * plan-parts.h -- the steps of a migration, parted into plans.
 *
 * Floor 10.  Each plan says how many there are, so that the steps wait in a spool
 * until the last one is there.
 */
#ifndef MIG_PLAN_PARTS_H
#define MIG_PLAN_PARTS_H

#include "plan-head.h"
#include "spool.h"
#include "stream.h"

struct plan_parts {
	uint64_t max; /* steps a plan; to be set before the first */
	/* private */
	struct spool *steps; /* borrowed, as is d */
	struct diag *d;
	uint64_t nhere;      /* steps of the plan being filled, and their bytes */
	size_t bytes_here;
	uint64_t *size;      /* steps of each plan before it */
	size_t n, cap;
	struct buf text, steps_text, entries; /* of the plan being written; entry i begins at entry[i] */
	size_t *entry;
};

/* steps is open and empty. */
void plan_parts_init(struct plan_parts *x, struct spool *steps, uint64_t max, struct diag *d);
void plan_parts_release(struct plan_parts *x);

/*
 * Put a step behind the others, into the plan that is being filled or a new one:
 * its text, an LF and its rollback entry's, both with a NUL for their index.  arg
 * is the plan_parts.  0, or -1 after a finding.
 */
int plan_parts_add(void *arg, const struct buf *blob);

/* Write all plans and their end: 0, or -1 after a finding. */
int plan_parts_put(struct plan_parts *x, const struct plan_head *h, struct out *out);

#endif
