/* db-pg.c -- PostgreSQL behind db.h: connecting, statements, transactions */
#include "db-pg.h"

#include "pg-words.h"
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>

static struct pg *of(struct db *db)
{
	return (struct pg *)db;
}

static int query(struct db *db, const char *sql, const struct db_value *v, size_t n, db_row *each, void *arg,
                 struct diag *d)
{
	return pg_query(of(db), sql, v, n, each, arg, d);
}

static int later(struct db *db, const char *sql, const struct db_value *v, size_t n, struct diag *d)
{
	return pg_later(of(db), sql, v, n, d);
}

/* No procedure and no DO block can: the server refuses it inside a transaction of the client's. */
static bool ends_transaction(const char *sql)
{
	const char *s = pg_word(sql);

	if (pg_take(&s, "ROLLBACK")) {
		if (!pg_take(&s, "WORK"))
			pg_take(&s, "TRANSACTION");
		return !pg_take(&s, "TO");
	}
	if (pg_take(&s, "PREPARE"))
		return pg_take(&s, "TRANSACTION");
	return pg_take(&s, "COMMIT") || pg_take(&s, "END") || pg_take(&s, "ABORT");
}

int pg_exec(struct db *db, struct text sql, struct diag *d)
{
	struct pg *p = of(db);
	int rc;

	if (memchr(sql.s, '\0', sql.n)) {
		p->trouble = DB_OTHER;
		return diag_add(d, MIG_INVALID, "sql_failed", db->name, "a statement holds a NUL character");
	}
	char *text = xmemdup(sql.s, sql.n);

	if (p->inside && ends_transaction(text)) {
		p->trouble = DB_OTHER;
		rc = diag_add(d, MIG_INVALID, "ends_transaction", db->name, "a statement may not end the transaction");
	} else if (p->inside) {
		rc = pg_query(p, text, NULL, 0, NULL, NULL, d);
		pg_ran(p, rc < 0 ? "" : p->tag);
	} else {
		rc = pg_index(p, text, d);
		pg_ran(p, "");
	}
	free(text);
	return rc;
}

/* After a lost connection: a new one, and the lock again, which the old one's end has freed. */
static int again(struct pg *p, struct diag *d)
{
	char *holder = p->holder;
	int rc;

	if (pq.PQstatus(p->conn) == CONNECTION_OK)
		return 0;
	p->holder = NULL;
	p->inside = p->preparing = false;
	buf_reset(&p->queued);
	pg_forget(p);
	pq.PQreset(p->conn);
	if (pq.PQstatus(p->conn) != CONNECTION_OK)
		rc = pg_failed(p, NULL, NULL, d);
	else
		rc = pg_plain(p, PG_SETTINGS("SET "), NULL, NULL, d);
	if (rc == 0 && holder)
		rc = pg_lock(&p->base, p->patience, holder, d);
	if (rc < 0)
		p->holder = holder;
	else
		free(holder);
	return rc;
}

static int begin(struct db *db, bool writes, struct diag *d)
{
	struct pg *p = of(db);

	if (again(p, d) < 0)
		return -1;
	if (writes && p->ours) /* they speak of our tables */
		pg_keep(p);
	buf_addstr(&p->queued, writes ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" PG_SETTINGS("SET LOCAL ")
	                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;" PG_SETTINGS("SET LOCAL "));
	p->inside = true;
	p->writing = writes;
	return 0;
}

static int resettle(struct db *db, struct diag *d)
{
	(void)d;
	buf_addstr(&of(db)->queued, PG_SETTINGS("SET LOCAL "));
	return 0;
}

static int begin_rows(struct db *db, struct diag *d)
{
	struct pg *p = of(db);
	char wait[80];

	/* 0 would be for ever */
	snprintf(wait, sizeof wait, "SET LOCAL lock_timeout='%us';SET CONSTRAINTS ALL DEFERRED",
	         p->patience ? p->patience : 1);
	if (begin(db, true, d) < 0)
		return -1;
	return pg_plain(p, wait, NULL, NULL, d);
}

/* The server says ROLLBACK where it could not do it, and does not call that an error. */
static int commit(struct db *db, struct diag *d)
{
	struct pg *p = of(db);
	bool doomed = pq.PQtransactionStatus(p->conn) == PQTRANS_INERROR;

	if (pg_plain(p, "COMMIT", NULL, NULL, d) < 0) {
		if (p->trouble != DB_LOST)
			p->inside = false;
		return -1;
	}
	p->inside = false;
	if (!doomed) {
		p->ours = p->ours || p->preparing;
		return 0;
	}
	p->trouble = DB_OTHER;
	return diag_add(d, MIG_ERROR, "sql_failed", db->name, "the transaction had failed, and was undone");
}

static void rollback(struct db *db)
{
	struct pg *p = of(db);
	struct diag quiet = DIAG_INIT;
	PGTransactionStatusType now = pq.PQtransactionStatus(p->conn);

	buf_reset(&p->queued);
	if (now == PQTRANS_INTRANS || now == PQTRANS_INERROR) {
		enum db_trouble trouble = p->trouble;

		pg_plain(p, "ROLLBACK", NULL, NULL, &quiet);
		p->trouble = trouble;
	}
	p->inside = p->preparing = false;
	diag_release(&quiet);
}

static bool untouched(struct db *db)
{
	(void)db;
	return false;
}

static int known(struct db *db, struct diag *d)
{
	struct pg *p = of(db);
	struct buf b = BUF_INIT;

	if (p->ours || p->preparing)
		return 1;
	int rc = db_one(db, "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('mig.mig_ledger')", NULL, 0, &b,
	                d);

	/* seen in a transaction that writes they may be that transaction's */
	p->ours = rc == 1 && !(p->inside && p->writing);
	buf_release(&b);
	return rc;
}

static int prepare(struct db *db, struct diag *d)
{
	static const char ddl[] =
		"CREATE SCHEMA IF NOT EXISTS mig; CREATE SCHEMA IF NOT EXISTS system;"
		"CREATE TABLE IF NOT EXISTS mig.mig_ledger (seq BIGINT PRIMARY KEY, entry TEXT NOT NULL, "
		"plan_hash TEXT, undoes TEXT);"
		"CREATE INDEX IF NOT EXISTS mig_ledger_plan ON mig.mig_ledger (plan_hash);"
		"CREATE INDEX IF NOT EXISTS mig_ledger_undoes ON mig.mig_ledger (undoes) WHERE undoes IS NOT NULL;"
		"CREATE TABLE IF NOT EXISTS mig.mig_plan (plan_hash TEXT PRIMARY KEY, plan TEXT NOT NULL);"
		"CREATE TABLE IF NOT EXISTS system.schema_checksum (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, "
		"schema JSONB NOT NULL, updated_at TIMESTAMPTZ NOT NULL);"
		"CREATE TABLE IF NOT EXISTS system.migration_history (id SERIAL PRIMARY KEY, version INTEGER NOT NULL, "
		"checksum TEXT NOT NULL, schema JSONB, live JSONB, applied_at TIMESTAMPTZ NOT NULL, "
		"rolled_back_at TIMESTAMPTZ);"
		"CREATE TABLE IF NOT EXISTS system.migration_log (id SERIAL PRIMARY KEY, operation TEXT NOT NULL, "
		"from_version INTEGER, to_version INTEGER, reason TEXT, status TEXT NOT NULL, "
		"created_at TIMESTAMPTZ NOT NULL)";

	struct pg *p = of(db);

	if (!p->ours && !p->preparing && pg_plain(p, ddl, NULL, NULL, d) < 0)
		return -1;
	p->preparing = true;
	return 0;
}

/* The server keeps foreign keys at every statement. */
static int orphans(struct db *db, struct diag *d)
{
	(void)db;
	(void)d;
	return 0;
}

static void stamp(const char *time, char out[32])
{
	snprintf(out, 32, "%s", time);
}

static enum db_trouble trouble(const struct db *db)
{
	return ((const struct pg *)db)->trouble;
}

/* Who writes may have to connect again, for which files are read that only libpq knows. */
static int confine(struct db *db, int state, struct diag *d)
{
	return of(db)->mode == DB_WRITE || of(db)->mode == DB_CREATE ? sandbox_client(state, d) : sandbox_reading(d);
}

static void close_db(struct db *db)
{
	struct pg *p = of(db);

	if (p->conn) {
		rollback(db);
		pq.PQfinish(p->conn);
	}
	buf_release(&p->queued);
	pg_kept_release(p);
	free(p->holder);
	free((char *)(uintptr_t)db->name);
	free(p);
}

static const struct db_ops ops = {
	.dialect = "postgresql",
	.names = { "mig.mig_ledger", "mig.mig_plan", "system.schema_checksum", "system.migration_history",
	           "system.migration_log" },
	.exec = pg_exec,
	.query = query,
	.cursor = pg_cursor,
	.next = pg_next,
	.done = pg_done,
	.later = later,
	.begin = begin,
	.resettle = resettle,
	.begin_rows = begin_rows,
	.commit = commit,
	.rollback = rollback,
	.untouched = untouched,
	.lock = pg_lock,
	.known = known,
	.prepare = prepare,
	.live = pg_live,
	.estimates = pg_estimates,
	.orphans = orphans,
	.stamp = stamp,
	.trouble = trouble,
	.scratch = pg_scratch,
	.confine = confine,
	.close = close_db,
};

/* NOTICE and WARNING are for people at a terminal. */
static void no_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

/* postgresql://ada:pass/word@host: libpq takes what stands behind the slash for a database, and would name it. */
static bool hides_password(const char *uri)
{
	const char *path = strstr(uri, "://");

	path = path ? path + 3 : uri;
	path += strcspn(path, "/?");
	return memchr(path, '@', strcspn(path, "?")) != NULL;
}

/* libpq's own message would show what it did not understand, which may be a password. */
static int check_uri(const char *uri, struct diag *d)
{
	char *why = NULL;
	PQconninfoOption *o = pq.PQconninfoParse(uri, &why);
	bool reads = o != NULL;

	pq.PQfreemem(why);
	pq.PQconninfoFree(o);
	if (reads && !hides_password(uri))
		return 0;
	return diag_add(
		d, MIG_USAGE, "bad_store", NULL,
		"not a URI that PostgreSQL's client library reads: expected postgresql://[user@]host[:port]/database");
}

/* "connection to server at .. failed: FATAL:  ..", and no more of the URI than host, port, user and database. */
static int unreachable(struct pg *p, struct diag *d)
{
	const char *said = pq.PQerrorMessage(p->conn);

	p->trouble = DB_UNREADY;
	return diag_add(d, MIG_PRECONDITION, "connection_failed", p->base.name, "%.*s", (int)strcspn(said, "\n"), said);
}

static int connect_to(struct pg *p, const char *uri, struct diag *d)
{
	/* what stands in the URI comes later and wins */
	const char *wait = getenv("PGCONNECT_TIMEOUT");
	const char *const keys[] = { "fallback_application_name", "connect_timeout", "dbname", "client_encoding",
		                     NULL };
	const char *const values[] = { progname, wait && *wait ? wait : "10", uri, "UTF8", NULL };

	p->conn = pq.PQconnectdbParams(keys, values, 1);
	if (!p->conn)
		die(MIG_ERROR, "out of memory");
	const char *name = pq.PQdb(p->conn);

	p->base.name = xstrdup(name && *name ? name : "postgresql");
	if (pq.PQstatus(p->conn) != CONNECTION_OK)
		return unreachable(p, d);
	pq.PQsetNoticeReceiver(p->conn, no_notice, NULL);
	return pg_plain(p,
	                p->mode == DB_WRITE || p->mode == DB_CREATE
	                        ? PG_SETTINGS("SET ")
	                        : PG_SETTINGS("SET ") "SET default_transaction_read_only=on",
	                NULL, NULL, d);
}

struct db *db_pg_open(const char *uri, enum db_mode mode, struct diag *d)
{
	if (pq_load(d) < 0 || check_uri(uri, d) < 0)
		return NULL;
	struct pg *p = xcalloc(1, sizeof *p);

	p->base.ops = &ops;
	p->mode = mode;
	if (connect_to(p, uri, d) == 0)
		return &p->base;
	close_db(&p->base);
	return NULL;
}
