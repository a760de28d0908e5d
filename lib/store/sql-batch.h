/*
 * sql-batch.h -- a batch of rows in a database: in groups, and of each row what is there.
 *
 * Floor 11.  Inside a transaction of the caller's.
 */
#ifndef MIG_SQL_BATCH_H
#define MIG_SQL_BATCH_H

#include "outcome.h"
#include "row-work.h"
#include "sql-kept.h"

/* What the batches of a plan share, and what came of the last one. */
struct sql_batches {
	struct db *db;
	struct sql_state *state;
	struct row_tables *tables;
	const struct plan *plan; /* the one that puts and deletes, also where it is undone */
	bool dry;                /* keep no backup */
	struct rows_tally tally;
	struct sql_kepts kept;   /* the backups that it made */
};

void sql_batches_release(struct sql_batches *all);

/* A batch at hand. */
struct sql_batch {
	struct sql_batches *all;
	struct diag *d;
	const struct step *step;
	const struct row_ops *ops;
	struct row_work work;
	struct row_groups groups;
	enum row_need *need;       /* of the rows of a group that is to be written; room for all of the batch */
	/* of each row, by its place in the batch, what the last look saw: */
	bool *there, *same;
	/* private */
	const struct row_group *g; /* the group that is looked at */
	size_t differs_at;         /* the first row that is there and not the same, */
	struct buf differs;        /* and in what: "title, price" */
};

/*
 * Take the rows of step i of the plan, and forget in all what the batch before came to.
 * 0, or -1 after a finding of row_groups_make; needs sql_batch_close either way.
 */
int sql_batch_open(struct sql_batch *b, struct sql_batches *all, size_t i, struct diag *d);
void sql_batch_close(struct sql_batch *b);

/* Look which rows are there and hold what the plan says; hold: keep others from changing them.  0, or -1. */
int sql_batch_look(struct sql_batch *b, bool hold);

/*
 * Was every row as the batch leaves it: there with the values of the plan, or gone
 * where it deletes?  0, or -1 after MIG_INVALID with this rule at the first that was
 * not: "the row is not there, not as the plan <said>".
 */
int sql_batch_expect(const struct sql_batch *b, const char *rule, const char *said);

#endif
