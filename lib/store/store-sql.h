/*
 * store-sql.h -- any database as a store.
 *
 * Floor 17.
 */
#ifndef MIG_STORE_SQL_H
#define MIG_STORE_SQL_H

#include "db.h"
#include "store.h"

/* A store in db, which it keeps; state: the folder beside it unless --state names one.  NULL after a finding. */
struct store *store_sql_new(struct db *db, const struct store_how *how, const char *state, struct diag *d);

#endif
