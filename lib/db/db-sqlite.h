/*
 * db-sqlite.h -- what is between the parts of SQLite's table of functions.
 *
 * Floor 7.
 */
#ifndef MIG_DB_SQLITE_H
#define MIG_DB_SQLITE_H

#include "db.h"

/* See db.h: live and estimates. */
int sqlite_live(struct db *db, struct buf *out, struct diag *d);
int sqlite_estimates(struct db *db, struct buf *out, struct diag *d);

#endif
