/*
 * plan-rows.h -- from the rows of a stream to the steps of its plans.
 *
 * Floor 12.  Rows are sorted by entity and id in temporary files, so that memory
 * is that of one batch.  What is made of them does not depend on the order in
 * which their source rows came, but for which of two duplicates is the last.
 */
#ifndef MIG_PLAN_ROWS_H
#define MIG_PLAN_ROWS_H

#include "plan-batch.h"
#include "sorted.h"

struct rowplan {
	struct sorted sorted;     /* rows, and who wants which */
	struct spool rows;        /* each row once, by entity and id */
	struct entities entities; /* what is put, deleted and linked to */
	struct segment *segment;  /* where each entity's rows lie */
	struct balance balance;   /* over all that is put */
	int64_t batch, duplicates, links, outside, puts, deletes, dangling;
	/* what the rollback entries say */
	struct buf hops, levers, note;
	int64_t invariants; /* how many the set has */
	bool any, last, reversible;
	/* reused */
	struct buf key, payload, action, arena, scratch;
};

/* Open the temporary files: before a sandbox.  0, or -1 after a finding. */
int rowplan_init(struct rowplan *x, struct diag *d);
void rowplan_release(struct rowplan *x);

/* Take in a change that puts or deletes.  MIG_INVALID "bad_row" where it is none, "hash_mismatch". */
int rowplan_add(struct rowplan *x, const struct record *r, const char *where, struct diag *d);

/*
 * After the last: find duplicates and links that lead nowhere (MIG_INVALID
 * "duplicate_row", "dangling_link"), then give each step, an LF and its rollback
 * entry to step; both have a NUL for their index.  0 or -1.
 */
int rowplan_finish(struct rowplan *x, const struct rowplan_ask *ask, int (*step)(void *arg, const struct buf *blob),
                   void *arg, struct diag *d);

/* The object that header.rows is, with the invariants that are not s NULL; after rowplan_finish. */
void rowplan_totals(const struct rowplan *x, struct text invariants, struct buf *out);

#endif
