/* db-sqlite.c -- see db.h */
#include "sqlite-handle.h"
#include "sqlite-live.h"
#include "sqlite-size.h"

#include "io.h"
#include "moment.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sqlite *of(struct db *db)
{
	return (struct sqlite *)db;
}

/* The index of $n, which SQLite gives in the order of first use: most statements use them in their own order. */
static int parameter(sqlite3_stmt *st, size_t n)
{
	const char *is = sqlite3_bind_parameter_name(st, (int)n);
	char name[24];

	if (is && *is == '$' && strtoul(is + 1, NULL, 10) == n)
		return (int)n;
	snprintf(name, sizeof name, "$%zu", n);
	return sqlite3_bind_parameter_index(st, name);
}

static void bind(sqlite3_stmt *st, const struct db_value *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int at = parameter(st, i + 1);

		if (at == 0 || p[i].type == DB_NULL)
			continue;
		switch (p[i].type) {
		case DB_INT:
			sqlite3_bind_int64(st, at, strtoll(p[i].s, NULL, 10));
			break;
		case DB_REAL:
			sqlite3_bind_double(st, at, strtod(p[i].s, NULL));
			break;
		case DB_BOOL:
			sqlite3_bind_int(st, at, *p[i].s == 't');
			break;
		case DB_BLOB:
			sqlite3_bind_blob64(st, at, p[i].s, p[i].n, SQLITE_STATIC);
			break;
		default:
			sqlite3_bind_text64(st, at, p[i].s, p[i].n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		}
	}
}

void sqlite_row_init(struct sqlite_row *r, sqlite3_stmt *st)
{
	size_t n = (size_t)sqlite3_column_count(st);

	*r = (struct sqlite_row){ xcalloc(n + 1, sizeof *r->v), xcalloc(n + 1, sizeof *r->real), (int)n };
}

void sqlite_row_release(struct sqlite_row *r)
{
	free(r->v);
	free(r->real);
}

void sqlite_row_take(struct sqlite_row *r, sqlite3_stmt *st)
{
	for (int i = 0; i < r->n; i++) {
		struct db_value *v = &r->v[i];
		int type = sqlite3_column_type(st, i);

		*v = (struct db_value){ .type = DB_NULL };
		if (type == SQLITE_NULL)
			continue;
		if (type == SQLITE_FLOAT) {
			/* SQLite's own text has 15 digits, which is not all of it */
			snprintf(r->real[i], sizeof r->real[i], "%.17g", sqlite3_column_double(st, i));
			if (!strpbrk(r->real[i], ".eni"))
				strncat(r->real[i], ".0", 3);
			*v = (struct db_value){ DB_REAL, r->real[i], strlen(r->real[i]) };
			continue;
		}
		v->type = type == SQLITE_INTEGER ? DB_INT : type == SQLITE_BLOB ? DB_BLOB : DB_TEXT;
		const void *s = type == SQLITE_BLOB ? sqlite3_column_blob(st, i) : sqlite3_column_text(st, i);

		v->s = s ? s : "";
		v->n = (size_t)sqlite3_column_bytes(st, i);
	}
}

static int step_all(struct sqlite *s, sqlite3_stmt *st, db_row *each, void *arg, struct diag *d)
{
	struct sqlite_row r;
	int rc, stopped = 0;

	sqlite_row_init(&r, st);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && !stopped) {
		if (!each)
			continue;
		sqlite_row_take(&r, st);
		stopped = each(arg, r.v, (size_t)r.n) < 0;
	}
	sqlite_row_release(&r);
	if (stopped)
		return -1;
	return rc == SQLITE_DONE ? 0 : sqlite_trouble(s, rc, d);
}

/* Nothing but white space and comments may follow a statement. */
static int check_tail(struct sqlite *s, const char *tail, const char *end, struct diag *d)
{
	sqlite3_stmt *more = NULL;
	int rc = SQLITE_OK;

	while (tail < end && rc == SQLITE_OK && !more) {
		const char *from = tail;

		rc = sqlite3_prepare_v2(s->db, tail, (int)(end - tail), &more, &tail);
		if (tail == from)
			break;
	}
	bool clean = rc == SQLITE_OK && !more && tail >= end;

	sqlite3_finalize(more);
	return clean ? 0 : sqlite_fail(s, DB_OTHER, MIG_INVALID, "sql_failed", "more than one statement", d);
}

int sqlite_compile(struct sqlite *s, struct text sql, unsigned flags, sqlite3_stmt **st, struct diag *d)
{
	const char *tail;

	if (sql.n > INT32_MAX - 1)
		return sqlite_fail(s, DB_OTHER, MIG_INVALID, "sql_failed", "the statement is too long", d);
	int rc = sqlite3_prepare_v3(s->db, sql.s, (int)sql.n, flags, st, &tail);

	if (rc != SQLITE_OK)
		return sqlite_trouble(s, rc, d);
	if (check_tail(s, tail, sql.s + sql.n, d) == 0)
		return 0;
	sqlite3_finalize(*st);
	*st = NULL;
	return -1;
}

int sqlite_run(struct sqlite *s, struct text sql, const struct db_value *p, size_t n, db_row *each, void *arg,
               struct diag *d)
{
	sqlite3_stmt *st = NULL;

	s->trouble = DB_FINE;
	if (sqlite_compile(s, sql, 0, &st, d) < 0)
		return -1;
	int rc = 0;

	if (st) {
		bind(st, p, n);
		rc = step_all(s, st, each, arg, d);
	}
	sqlite3_finalize(st);
	return rc;
}

/* The statement as it was compiled before, unless it is at work; NULL where it was not. */
static sqlite3_stmt *find_kept(const struct sqlite *s, const char *sql)
{
	for (size_t i = 0; i < KEPT; i++)
		if (s->kept[i].sql && strcmp(s->kept[i].sql, sql) == 0 && !sqlite3_stmt_busy(s->kept[i].st))
			return s->kept[i].st;
	return NULL;
}

static void keep(struct sqlite *s, const char *sql, sqlite3_stmt *st)
{
	struct kept_statement *k = &s->kept[s->next++ % KEPT];

	if (k->sql && sqlite3_stmt_busy(k->st)) {
		sqlite3_finalize(st);
		return;
	}
	free(k->sql);
	sqlite3_finalize(k->st);
	*k = (struct kept_statement){ xstrdup(sql), st };
}

static void forget_kept(struct sqlite *s)
{
	for (size_t i = 0; i < KEPT; i++) {
		free(s->kept[i].sql);
		sqlite3_finalize(s->kept[i].st);
		s->kept[i] = (struct kept_statement){ NULL, NULL };
	}
}

/* A statement that comes again: compiled once, and again only where the schema has changed. */
static int again(struct sqlite *s, const char *sql, const struct db_value *p, size_t n, db_row *each, void *arg,
                 struct diag *d)
{
	sqlite3_stmt *st = find_kept(s, sql);
	bool new = !st;

	s->trouble = DB_FINE;
	int rc = new ? sqlite_compile(s, (struct text){ sql, strlen(sql) }, SQLITE_PREPARE_PERSISTENT, &st, d) : 0;

	if (rc == 0 && st) {
		bind(st, p, n);
		rc = step_all(s, st, each, arg, d);
		sqlite3_reset(st);
		sqlite3_clear_bindings(st);
	}
	if (new && st)
		keep(s, sql, st);
	return rc;
}

static int query(struct db *db, const char *sql, const struct db_value *p, size_t n, db_row *each, void *arg,
                 struct diag *d)
{
	struct sqlite *s = of(db);

	s->guarded = s->inside;
	int rc = again(s, sql, p, n, each, arg, d);

	s->guarded = false;
	return rc;
}

static int later(struct db *db, const char *sql, const struct db_value *p, size_t n, struct diag *d)
{
	return query(db, sql, p, n, NULL, NULL, d);
}

static int exec(struct db *db, struct text sql, struct diag *d)
{
	struct sqlite *s = of(db);

	s->guarded = s->inside;
	int rc = sqlite_run(s, sql, NULL, 0, NULL, NULL, d);

	s->guarded = false;
	if (rc < 0 || !s->inside || !sqlite3_get_autocommit(s->db))
		return rc;
	/* RAISE(ROLLBACK) of a trigger */
	return sqlite_fail(s, DB_CONSTRAINT, MIG_INVALID, "ends_transaction", "the statement ended the transaction", d);
}

static int plain(struct sqlite *s, const char *sql, struct diag *d)
{
	return sqlite_run(s, (struct text){ sql, strlen(sql) }, NULL, 0, NULL, NULL, d);
}

static int begin(struct db *db, bool writes, struct diag *d)
{
	struct sqlite *s = of(db);

	if (!s->held) {
		/* the rebuild of a table needs it off from before its beginning */
		if (writes)
			sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
		if (again(s, writes ? "BEGIN IMMEDIATE" : "BEGIN", NULL, 0, NULL, NULL, d) < 0)
			return -1;
	}
	s->held = false;
	s->inside = true;
	s->writing = writes;
	return 0;
}

/* What a pragma sets stays set for the connection, in a run that applies, too. */
static int resettle(struct db *db, struct diag *d)
{
	(void)db, (void)d;
	return 0;
}

static int begin_rows(struct db *db, struct diag *d)
{
	struct sqlite *s = of(db);

	/* what lock began does not look at foreign keys */
	if (s->held)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->held = false;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	/* between two batches others have their turn */
	if (plain(s, "PRAGMA locking_mode=NORMAL", d) < 0 || again(s, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, d) < 0)
		return -1;
	s->inside = s->writing = true;
	return plain(s, "PRAGMA defer_foreign_keys=ON", d);
}

/* What was read without its log is worth nothing if somebody wrote meanwhile. */
static int check_still(struct sqlite *s, struct diag *d)
{
	struct stat now;

	if (!s->immutable || (fstat(s->fd, &now) == 0 && now.st_mtim.tv_sec == s->st.st_mtim.tv_sec &&
	                      now.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec && now.st_size == s->st.st_size))
		return 0;
	return sqlite_fail(s, DB_TRANSIENT, MIG_PRECONDITION, "locked", "it was changed while it was read", d);
}

/* https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html: it changes when another connection has written */
static unsigned data_version(const struct sqlite *s)
{
	unsigned version = 0;

	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
	return version;
}

static bool untouched(struct db *db)
{
	const struct sqlite *s = of(db);

	return s->committed && data_version(s) == s->version;
}

static int commit(struct db *db, struct diag *d)
{
	struct sqlite *s = of(db);

	if (again(s, "COMMIT", NULL, 0, NULL, NULL, d) < 0 || check_still(s, d) < 0)
		return -1;
	s->ours = s->ours || s->preparing;
	s->inside = false;
	s->committed = true;
	s->version = data_version(s);
	return 0;
}

static void rollback(struct db *db)
{
	struct sqlite *s = of(db);

	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->inside = s->held = s->preparing = false;
}

static int lock(struct db *db, unsigned seconds, const char *who, struct diag *d)
{
	struct sqlite *s = of(db);
	struct buf mode = BUF_INIT;

	(void)who; /* the kernel tells those who wait */
	sqlite3_busy_timeout(s->db, (int)(seconds > 86400 ? 86400 : seconds) * 1000);
	/*
	 * From the first commit on nobody else reads or writes until this run is over,
	 * and SQLite need not look after each whether somebody did: a third of the time
	 * of small plans.  A log has readers of its own.
	 */
	int rc = db_one(db, "PRAGMA journal_mode", NULL, 0, &mode, d);
	bool wal = mode.s && strcmp(mode.s, "wal") == 0;

	buf_release(&mode);
	/* not before: who waits for the lock in that mode keeps the one who has it from committing */
	if (rc < 0 || begin(db, true, d) < 0 || (!wal && plain(s, "PRAGMA locking_mode=EXCLUSIVE", d) < 0))
		return -1;
	s->inside = false;
	s->held = true;
	return 0;
}

static void stamp(const char *time, char out[32])
{
	struct moment m = { 0, 0 };

	moment_read((struct text){ time, strlen(time) }, &m);
	snprintf(out, 32, "%" PRId64, m.seconds * 1000 + m.nanos / 1000000);
}

static enum db_trouble trouble(const struct db *db)
{
	return ((const struct sqlite *)db)->trouble;
}

struct broken {
	struct sqlite *s;
	struct diag *d;
	int n;
};

/* table, rowid, the table it should find something in, and the number of its key */
static int broken_key(void *arg, const struct db_value *v, size_t n)
{
	struct broken *b = arg;

	if (n >= 3 && b->n++ < 10)
		diag_add(b->d, MIG_INVALID, "foreign_key", b->s->base.name, "%s: row %s refers to nothing in %s",
		         v[0].s, v[1].s ? v[1].s : "?", v[2].s);
	return 0;
}

static int orphans(struct db *db, struct diag *d)
{
	struct broken b = { .s = of(db), .d = d };

	if (query(db, "PRAGMA foreign_key_check", NULL, 0, broken_key, &b, d) < 0)
		return -1;
	if (b.n > 10)
		diag_add(d, MIG_INVALID, "foreign_key", db->name, "and %d more", b.n - 10);
	return b.n ? -1 : 0;
}

static int known(struct db *db, struct diag *d)
{
	struct sqlite *s = of(db);
	struct buf b = BUF_INIT;

	if (s->ours || s->preparing)
		return 1;
	int rc = db_one(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mig_ledger'", NULL, 0, &b, d);

	/* seen in a transaction that writes they may be that transaction's */
	s->ours = rc == 1 && !(s->inside && s->writing);
	buf_release(&b);
	return rc;
}

static int prepare(struct db *db, struct diag *d)
{
	static const char *const ddl[] = {
		"CREATE TABLE IF NOT EXISTS mig_ledger (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL, "
		"plan_hash TEXT, undoes TEXT)",
		"CREATE INDEX IF NOT EXISTS mig_ledger_plan ON mig_ledger (plan_hash)",
		"CREATE INDEX IF NOT EXISTS mig_ledger_undoes ON mig_ledger (undoes) WHERE undoes IS NOT NULL",
		"CREATE TABLE IF NOT EXISTS mig_plan (plan_hash TEXT PRIMARY KEY, plan TEXT NOT NULL)",
		"CREATE TABLE IF NOT EXISTS system_schema_checksum (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, "
		"schema TEXT NOT NULL, updated_at INTEGER NOT NULL)",
		"CREATE TABLE IF NOT EXISTS system_migration_history (id INTEGER PRIMARY KEY, "
		"version INTEGER NOT NULL, checksum TEXT NOT NULL, schema TEXT, live TEXT, "
		"applied_at INTEGER NOT NULL, rolled_back_at INTEGER)",
		"CREATE TABLE IF NOT EXISTS system_migration_log (id INTEGER PRIMARY KEY, "
		"operation TEXT NOT NULL, from_version INTEGER, to_version INTEGER, reason TEXT, "
		"status TEXT NOT NULL, created_at INTEGER NOT NULL)",
	};

	struct sqlite *s = of(db);

	for (size_t i = 0; !s->ours && !s->preparing && i < sizeof ddl / sizeof *ddl; i++)
		if (plain(s, ddl[i], d) < 0)
			return -1;
	s->preparing = true;
	return 0;
}

static int confine(struct db *db, int state, struct diag *d)
{
	struct sqlite *s = of(db);
	bool writes = s->mode != DB_READ;
	char *slash = strrchr(s->file, '/'), *dir = xmemdup(s->file, slash > s->file ? (size_t)(slash - s->file) : 1);
	const int dirs[] = { open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), state };
	int rc = -1;

	if (dirs[0] < 0)
		diag_add(d, MIG_PRECONDITION, "not_permitted", db->name, "cannot open its folder: %s", strerror(errno));
	else
		rc = sandbox_trees(dirs, state < 0 ? 1 : 2, writes, d);
	if (dirs[0] >= 0)
		close(dirs[0]);
	free(dir);
	return rc;
}

static void close_db(struct db *db)
{
	struct sqlite *s = of(db);
	struct stat now;

	if (s->db) {
		forget_kept(s);
		rollback(db);
		sqlite3_close(s->db);
	}
	/* a database that was to be made, and into which nothing went */
	if (s->made && s->file && fstat(s->fd, &now) == 0 && now.st_size == 0)
		unlink(s->file);
	if (s->fd >= 0)
		close(s->fd);
	free(s->file);
	free((char *)(uintptr_t)db->name);
	free(s);
}

static int live(struct db *db, struct buf *out, struct diag *d)
{
	return sqlite_live(db, out, d) < 0 ? -1 : check_still(of(db), d);
}

const struct db_ops sqlite_ops = {
	.dialect = "sqlite",
	.names = { "mig_ledger", "mig_plan", "system_schema_checksum", "system_migration_history",
	           "system_migration_log" },
	.exec = exec,
	.query = query,
	.cursor = sqlite_cursor,
	.next = sqlite_next,
	.done = sqlite_done,
	.later = later,
	.begin = begin,
	.resettle = resettle,
	.begin_rows = begin_rows,
	.commit = commit,
	.rollback = rollback,
	.untouched = untouched,
	.lock = lock,
	.known = known,
	.prepare = prepare,
	.live = live,
	.estimates = sqlite_estimates,
	.orphans = orphans,
	.stamp = stamp,
	.trouble = trouble,
	.scratch = sqlite_scratch,
	.confine = confine,
	.close = close_db,
};
