/*
 * sqlite-live.h -- what a SQLite database holds, as the LIVE object.
 *
 * Floor 8.
 */
#ifndef MIG_SQLITE_LIVE_H
#define MIG_SQLITE_LIVE_H

#include "db.h"

/* See live of struct db_ops. */
int sqlite_live(struct db *db, struct buf *out, struct diag *d);

#endif
