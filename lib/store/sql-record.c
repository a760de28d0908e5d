/* sql-record.c -- see sql-record.h */
#include "sql-record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER = 24 };

static void number(char out[NUMBER], int64_t v)
{
	snprintf(out, NUMBER, "%" PRId64, v);
}

static int run(struct db *db, char *sql, const struct db_value *p, size_t n, struct diag *d)
{
	int rc = db->ops->query(db, sql, p, n, NULL, NULL, d);

	free(sql);
	return rc;
}

int sql_version(struct db *db, int64_t *version, struct diag *d)
{
	struct buf b = BUF_INIT;
	char *sql = xasprintf("SELECT MAX(version) FROM %s WHERE rolled_back_at IS NULL", db->ops->names.history);
	int rc = db_one(db, sql, NULL, 0, &b, d);

	*version = rc == 1 ? strtoll(b.s, NULL, 10) : 0;
	free(sql);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

/* What is now: schema_checksum has one row. */
static int set_current(struct db *db, const char *checksum, const char *schema, const char *stamp, struct diag *d)
{
	const struct db_value p[] = { db_text(checksum), db_text(schema), db_text(stamp) };

	return run(db,
	           xasprintf("INSERT INTO %s (id, checksum, schema, updated_at) VALUES ('singleton', $1, $2, $3) "
	                     "ON CONFLICT (id) DO UPDATE SET checksum = excluded.checksum, schema = excluded.schema, "
	                     "updated_at = excluded.updated_at",
	                     db->ops->names.checksum),
	           p, 3, d);
}

static int add_history(struct db *db, int64_t version, const char *checksum, const char *schema, const char *stamp,
                       struct diag *d)
{
	struct buf live = BUF_INIT;
	char v[NUMBER];

	number(v, version);
	int rc = db->ops->live(db, &live, d);
	const struct db_value p[] = {
		db_text(v), db_text(checksum), db_text(schema), { DB_TEXT, live.s, live.len }, db_text(stamp)
	};

	if (rc == 0)
		rc = run(db,
		         xasprintf("INSERT INTO %s (version, checksum, schema, live, applied_at) "
		                   "VALUES ($1, $2, $3, $4, $5)",
		                   db->ops->names.history),
		         p, 5, d);
	buf_release(&live);
	return rc;
}

int sql_record(struct db *db, const struct doc *doc, uint32_t action, const char *time, int64_t *from, int64_t *to,
               struct diag *d)
{
	uint32_t version = doc_member(doc, action, "history_version", 15);
	struct buf schema = BUF_INIT;
	char stamp[32], *checksum;

	if (!version || !doc_int(doc, version, to))
		return 0; /* a hop: see sql-record.h */
	if (sql_version(db, from, d) < 0)
		return -1;
	if (*from >= *to)
		return diag_add(d, MIG_INVALID, "drift", "schema", "version %" PRId64 " is there, planned was %" PRId64,
		                *from, *to);
	db->ops->stamp(time, stamp);
	checksum = record_dup(doc, doc_member(doc, action, "checksum", 8));
	canon_value(&schema, doc, doc_member(doc, action, "schema", 6), DOC_NONE);
	int rc = add_history(db, *to, checksum, schema.s, stamp, d);

	if (rc == 0)
		rc = set_current(db, checksum, schema.s, stamp, d);
	free(checksum);
	buf_release(&schema);
	return rc;
}

static int mark_rolled_back(struct db *db, int64_t version, const char *stamp, struct diag *d)
{
	char v[NUMBER];

	number(v, version);
	const struct db_value p[] = { db_text(stamp), db_text(v) };

	return run(db,
	           xasprintf("UPDATE %s SET rolled_back_at = $1 WHERE version = $2 AND rolled_back_at IS NULL",
	                     db->ops->names.history),
	           p, 2, d);
}

/* The newest version that is left is now, or none is. */
static int step_back(struct db *db, int64_t version, const char *stamp, struct diag *d)
{
	const struct db_names *t = &db->ops->names;
	char v[NUMBER];

	number(v, version);
	const struct db_value p[] = { db_text(stamp), db_text(v) };

	if (!version)
		return run(db, xasprintf("DELETE FROM %s", t->checksum), NULL, 0, d);
	return run(
		db,
		xasprintf("UPDATE %s SET updated_at = $1, "
	                  "checksum = (SELECT h.checksum FROM %s h WHERE h.version = $2 AND h.rolled_back_at IS NULL), "
	                  "schema = (SELECT h.schema FROM %s h WHERE h.version = $2 AND h.rolled_back_at IS NULL)",
	                  t->checksum, t->history, t->history),
		p, 2, d);
}

int sql_unrecord(struct db *db, const struct doc *doc, uint32_t action, const char *time, int64_t *from, int64_t *to,
                 struct diag *d)
{
	uint32_t version = doc_member(doc, action, "history_version", 15);
	int64_t now;
	char stamp[32];

	if (!version || !doc_int(doc, version, from))
		return 0;
	if (sql_version(db, &now, d) < 0)
		return -1;
	if (now != *from)
		return diag_add(d, MIG_INVALID, "drift", "schema",
		                "the newest version is %" PRId64 ", to be rolled back was %" PRId64, now, *from);
	db->ops->stamp(time, stamp);
	if (mark_rolled_back(db, *from, stamp, d) < 0 || sql_version(db, to, d) < 0)
		return -1;
	return step_back(db, *to, stamp, d);
}

int sql_refresh(struct db *db, int64_t version, struct diag *d)
{
	struct buf live = BUF_INIT;
	char v[NUMBER];

	if (!version)
		return 0;
	number(v, version);
	int rc = db->ops->live(db, &live, d);
	const struct db_value p[] = { { DB_TEXT, live.s, live.len }, db_text(v) };

	if (rc == 0)
		rc = run(db,
		         xasprintf("UPDATE %s SET live = $1 WHERE version = $2 AND rolled_back_at IS NULL",
		                   db->ops->names.history),
		         p, 2, d);
	buf_release(&live);
	return rc;
}

int sql_log(struct db *db, int64_t from, int64_t to, const char *reason, const char *time, struct diag *d)
{
	char a[NUMBER], b[NUMBER], stamp[32];

	number(a, from);
	number(b, to);
	db->ops->stamp(time, stamp);
	const struct db_value p[] = { db_text(from ? a : NULL), db_text(from ? b : NULL), db_text(reason),
		                      db_text(stamp) };

	return run(db,
	           xasprintf("INSERT INTO %s (operation, from_version, to_version, reason, status, created_at) "
	                     "VALUES ('ROLLBACK', $1, $2, $3, 'COMPLETED', $4)",
	                     db->ops->names.log),
	           p, 4, d);
}
