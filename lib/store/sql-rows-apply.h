/*
 * sql-rows-apply.h -- do what a plan of rows says in a database, a transaction a batch.
 *
 * Floor 14.
 */
#ifndef MIG_SQL_ROWS_APPLY_H
#define MIG_SQL_ROWS_APPLY_H

#include "sql-store.h"
#include "store.h"

/*
 * See apply of struct store_ops.  With each batch goes an entry "step" in the
 * ledger, in the same transaction; with the first one "begin" and the plan, with
 * the last one the plan's own.  So a run that was cut off goes on where it was.
 * What may pass is tried again.  Dry runs, of all plans of a stream, are one
 * transaction that is never committed.
 */
int sql_rows_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                   struct diag *d);

/* Would it be done?  Of a rollback plan: are all rows as the plan left them? */
int sql_rows_foresee(struct sql_store *s, const struct plan *p, struct diag *d);

/* See restored of struct store_ops, and look. */
int sql_rows_restored(struct sql_store *s, const struct plan *p, struct diag *d);
int sql_rows_show(struct sql_store *s, const struct plan *p, const struct step *st,
                  int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d);

#endif
