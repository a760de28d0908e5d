/*
 * sql-batch-show.h -- the rows of a batch as they are there, in the plan's words.
 *
 * Floor 12.
 */
#ifndef MIG_SQL_BATCH_SHOW_H
#define MIG_SQL_BATCH_SHOW_H

#include "sql-batch.h"

/*
 * Show the rows of step i to each, as look of struct store_ops does.  0, or -1 after a
 * finding ("unreadable_row" among them) or because each returned -1.
 */
int sql_batch_show(struct sql_batches *all, size_t i, int (*each)(void *arg, size_t i, struct text there), void *arg,
                   struct diag *d);

#endif
