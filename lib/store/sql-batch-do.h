/*
 * sql-batch-do.h -- a batch of rows, put or deleted.
 *
 * Floor 13.  The caller begins and ends the transaction.
 */
#ifndef MIG_SQL_BATCH_DO_H
#define MIG_SQL_BATCH_DO_H

#include "sql-batch.h"

/*
 * Do the batch that is step i of the plan: keep what is there of its rows, put or
 * delete them, and look again.  0, or -1 after a finding: those of row-group.h,
 * row-work.h and the database, MIG_INVALID "not_as_planned" at a row that does not
 * hold then what the plan says.
 */
int sql_batch_do(struct sql_batches *all, size_t i, struct diag *d);

#endif
