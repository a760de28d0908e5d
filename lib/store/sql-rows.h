/*
 * sql-rows.h -- one batch of rows in a database, done or undone.
 *
 * Floor 11.  The caller begins and ends the transaction.
 */
#ifndef MIG_SQL_ROWS_H
#define MIG_SQL_ROWS_H

#include "outcome.h"
#include "row-work.h"
#include "sql-kept.h"
#include "sql-restore.h"

struct sql_rows_work {
	struct db *db;
	struct sql_state *state;
	struct row_tables *tables;
	const struct plan *plan;   /* the one that puts and deletes, also where it is undone */
	bool dry;                  /* keep no backup */
	struct rows_tally tally;   /* of the last batch */
	struct sql_kepts kept;     /* the backups that the last batch made */
};

void sql_rows_work_release(struct sql_rows_work *w);

/*
 * Do the batch that is step i of the plan: keep what is there of its rows, put or
 * delete them, and look again.  0, or -1 after a finding: those of row-group.h,
 * row-work.h and the database, MIG_INVALID "not_as_planned" at a row that does not
 * hold then what the plan says.
 */
int sql_rows_do(struct sql_rows_work *w, size_t i, struct diag *d);

/*
 * Undo it with the backups that it made, and look again.  0, or -1 after a
 * finding: MIG_INVALID "drift" at a row that is not as the batch left it, what
 * sql_backup_open adds, MIG_INVALID "not_restored".
 */
int sql_rows_undo(struct sql_rows_work *w, size_t i, const struct sql_kepts *kept, struct diag *d);

/* Are the rows of step i as they were before it, says the backup that it made?  0, or MIG_INVALID "not_restored". */
int sql_rows_restored_at(struct sql_rows_work *w, size_t i, const struct sql_kepts *kept, struct diag *d);

/*
 * What is there of the rows of step i: see look of struct store_ops.
 */
int sql_rows_look(struct sql_rows_work *w, size_t i, int (*each)(void *arg, size_t i, struct text there), void *arg,
                  struct diag *d);

/* Are the rows of step i as it leaves them?  0, or MIG_INVALID "drift" at the first that is not. */
int sql_rows_check(struct sql_rows_work *w, size_t i, struct diag *d);

#endif
