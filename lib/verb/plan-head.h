/*
 * plan-head.h -- the header of a plan that is made, whatever it is a plan of.
 *
 * Floor 9.  mig-stream(5) describes its members.
 */
#ifndef MIG_PLAN_HEAD_H
#define MIG_PLAN_HEAD_H

#include "buf.h"
#include "plan-ask.h"

/* What all plans of a stream say alike; borrowed. */
struct plan_head {
	const struct plan_ask *ask;
	const char *dialect;        /* NULL: of documents */
	const char *target_version; /* of the hop, where each plan is one; else the ask's */
	struct text set;            /* {"hash":H,"id":..} */
	struct text rows;           /* of rows: header.rows; s NULL: of something else */
	const char *digest;         /* of what was planned from */
	int64_t changes, current, rejects, records;
};

/* Append the header of plan number part, from 1, of so many. */
void plan_head_put(const struct plan_head *h, size_t part, size_t of, struct buf *out);

#endif
