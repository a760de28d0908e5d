/*
 * sql-rows-check.h -- a plan of rows and a database, which is only asked.
 *
 * Floor 15.
 */
#ifndef MIG_SQL_ROWS_CHECK_H
#define MIG_SQL_ROWS_CHECK_H

#include "sql-store.h"
#include "store.h"

/* Would the plan be done?  Of a rollback plan: are all rows as the plan left them?  0, or -1 after a finding. */
int sql_rows_foresee(struct sql_store *s, const struct plan *p, struct diag *d);

/* See restored of struct store_ops, and look. */
int sql_rows_restored(struct sql_store *s, const struct plan *p, struct diag *d);
int sql_rows_look(struct sql_store *s, const struct plan *p, const struct step *st,
                  int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d);

#endif
