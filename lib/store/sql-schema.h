/*
 * sql-schema.h -- a database as a schema record: what is there, and what was recorded of it.
 *
 * Floor 11.
 */
#ifndef MIG_SQL_SCHEMA_H
#define MIG_SQL_SCHEMA_H

#include "sql-ledger.h"

/* What our system tables say of the newest version that was not rolled back. */
struct recorded {
	int64_t version;      /* 0: none */
	int64_t last;         /* the highest ever used */
	char *checksum;
	char *schema, *live;  /* canonical JSON; NULL: not known */
};

/* 0, or -1 after a finding; needs recorded_release either way. */
int recorded_read(struct recorded *r, struct db *db, struct diag *d);
void recorded_release(struct recorded *r);

/* SHA-256 of the canonical LIVE object, which is appended to out if that is not NULL: 0, or -1. */
int sql_live_hash(struct db *db, struct buf *out, char hash[HEX_SIZE], struct diag *d);

/* Append the schema record, read in one transaction; hash is that of its live: 0, or -1 after a finding. */
int sql_schema(struct db *db, struct buf *out, char hash[HEX_SIZE], struct diag *d);

#endif
