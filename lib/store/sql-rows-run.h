/*
 * sql-rows-run.h -- a plan of rows on its way into a database, or back out of it.
 *
 * Floor 14.
 */
#ifndef MIG_SQL_ROWS_RUN_H
#define MIG_SQL_ROWS_RUN_H

#include "sql-batch.h"
#include "sql-standing.h"
#include "sql-store.h"
#include "store.h"

struct sql_rows_run {
	struct sql_store *s;
	const struct plan *p;
	const struct apply_ctx *c; /* NULL where nothing is applied, */
	struct outcome *o;         /* and here */
	struct diag *d;
	struct sql_standing standing;
	struct sql_batches batches;
};

/* Borrows all of it; needs sql_rows_run_release. */
void sql_rows_run_init(struct sql_rows_run *r, struct sql_store *s, const struct plan *p, const struct apply_ctx *c,
                       struct outcome *o, struct diag *d);
void sql_rows_run_release(struct sql_rows_run *r);

/*
 * Inside a transaction: do the batch of step i, or undo it, and ask what the plan says must
 * hold behind it.  0, or -1 after a finding of sql-batch-do.h, sql-batch-undo.h or sql_check_query.
 */
int sql_rows_run_step(struct sql_rows_run *r, size_t i);

/* The outcome of step i: what its batch came to, or would; why it failed: the finding at index first. */
void sql_rows_run_tell(struct sql_rows_run *r, size_t i);
void sql_rows_run_failed(struct sql_rows_run *r, size_t i, size_t first);

/* 0, or -1 after MIG_ERROR "interrupted". */
int sql_rows_run_may_go_on(struct sql_rows_run *r);

/*
 * In a transaction of its own: a rollback is done as a whole, so that no row of it may
 * have changed since.  0, also of any other plan, or -1 after MIG_INVALID "drift" or a
 * finding of sql_standing_learn.
 */
int sql_rows_run_foresee(struct sql_rows_run *r);

#endif
