/*
 * sql-rows-apply.h -- do what a plan of rows says in a database, a transaction a batch.
 *
 * Floor 16.
 */
#ifndef MIG_SQL_ROWS_APPLY_H
#define MIG_SQL_ROWS_APPLY_H

#include "sql-store.h"
#include "store.h"

/*
 * See apply of struct store_ops.  With each batch goes an entry "step" in the
 * ledger, in the same transaction; with the first one "begin" and the plan, with
 * the last one the plan's own.  So a run that was cut off goes on where it was.
 * What may pass is tried again.  A dry run is a preview: see sql-rows-preview.h.
 */
int sql_rows_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                   struct diag *d);

#endif
