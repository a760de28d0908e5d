/*
 * sql-record.h -- what our system tables remember of a schema.
 *
 * Floor 10.  All of it inside a transaction of the caller's.  What a hand-written
 * hop records is its plan in the ledger, and nothing here.
 */
#ifndef MIG_SQL_RECORD_H
#define MIG_SQL_RECORD_H

#include "db.h"
#include "record.h"

/*
 * {"checksum":C,"history_version":N,"op":"record","schema":{"tables":[..]}}: version N
 * is now.  *from and *to get the version before and N.  MIG_INVALID "drift" where
 * N has been taken since the plan.
 */
int sql_record(struct db *db, const struct doc *doc, uint32_t action, const char *time, int64_t *from, int64_t *to,
               struct diag *d);

/* {"history_version":N,"op":"unrecord"}: version N is rolled back, and the one before it is now. */
int sql_unrecord(struct db *db, const struct doc *doc, uint32_t action, const char *time, int64_t *from, int64_t *to,
                 struct diag *d);

/* What was put back may be spelled in another way than before: remember that for the version (0: there is none). */
int sql_refresh(struct db *db, int64_t version, struct diag *d);

/* A row in the log: from one version back to another. */
int sql_log(struct db *db, int64_t from, int64_t to, const char *reason, const char *time, struct diag *d);

/* The newest version that was not rolled back; 0: none. */
int sql_version(struct db *db, int64_t *version, struct diag *d);

#endif
