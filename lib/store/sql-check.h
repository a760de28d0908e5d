/*
 * sql-check.h -- the questions that a step asks of the data.
 *
 * Floor 10.
 *
 *	{"check":"query","equals":0,"examples":"SELECT id FROM ..","message":"..","sql":"SELECT count(*) .."}
 *	{"check":"verify","message":"..","sql":"SELECT .."}
 *	{"check":"schema","hash":H}
 */
#ifndef MIG_SQL_CHECK_H
#define MIG_SQL_CHECK_H

#include "db.h"
#include "record.h"

/*
 * Do the checks of the array at token list hold?  where names the object in
 * findings.  live is the hash of what the database holds, or NULL where that is
 * not asked any more.  0, or -1 after MIG_INVALID: "data" with what was found and
 * up to ten examples, "drift" for a schema.
 */
int sql_check(struct db *db, const struct doc *doc, uint32_t list, const char *where, const char *live, struct diag *d);

/* One "query" of them, whatever other members it has. */
int sql_check_query(struct db *db, const struct doc *doc, uint32_t check, const char *where, struct diag *d);

#endif
