/*
 * sql-batch-undo.h -- a batch of rows, taken back by the backups that it made.
 *
 * Floor 13.  The caller begins and ends the transaction.
 */
#ifndef MIG_SQL_BATCH_UNDO_H
#define MIG_SQL_BATCH_UNDO_H

#include "sql-batch.h"

/* May it be undone: are the rows of step i as it leaves them?  0, or MIG_INVALID "drift" at the first that is not. */
int sql_batch_undoable(struct sql_batches *all, size_t i, struct diag *d);

/*
 * Undo the batch that is step i: delete the rows that it made, put the others back as
 * far as it wrote them, and look again.  0, or -1 after a finding: MIG_INVALID "drift" as
 * above, what sql_backup_open adds, MIG_PRECONDITION "backup_missing" where kept has no
 * backup of a table, MIG_INVALID "not_restored".
 */
int sql_batch_undo(struct sql_batches *all, size_t i, const struct sql_kepts *kept, struct diag *d);

/* Was it undone: are its rows as the backups say that they were?  0, or -1 after those findings, but for "drift". */
int sql_batch_undone(struct sql_batches *all, size_t i, const struct sql_kepts *kept, struct diag *d);

#endif
