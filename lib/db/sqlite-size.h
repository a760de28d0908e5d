/*
 * sqlite-size.h -- roughly how many rows the tables of a SQLite database have.
 *
 * Floor 8.
 */
#ifndef MIG_SQLITE_SIZE_H
#define MIG_SQLITE_SIZE_H

#include "db.h"

/* See estimates of struct db_ops: exact up to 10,000 rows, then the largest rowid. */
int sqlite_estimates(struct db *db, struct buf *out, struct diag *d);

#endif
