/* db-sqlite.c -- see db.h */
#include "db-sqlite.h"

#include "io.h"
#include "moment.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_WAIT_MS = 10000, STEPS_BETWEEN_ASKING = 20000, HEADER = 20 };

struct sqlite {
	struct db base;
	sqlite3 *db;
	char *file;              /* its real path */
	enum db_mode mode;
	enum db_trouble trouble;
	bool inside;             /* a transaction of begin's */
	bool guarded;            /* statements that are not ours may not end it */
	bool held;               /* lock began the transaction that the next begin takes over */
	bool immutable;          /* read without its log, which was not there */
	struct stat st;          /* as it was then */
	bool made;               /* the file was not there */
	int fd;                  /* of the file: to be closed after SQLite has, or its locks are gone */
};

static struct sqlite *of(struct db *db)
{
	return (struct sqlite *)db;
}

static int fail(struct sqlite *s, enum db_trouble trouble, enum mig_exit code, const char *rule, const char *message,
                struct diag *d)
{
	s->trouble = trouble;
	return diag_add(d, code, rule, s->base.name, "%s", message);
}

/* The process that holds a lock on the bytes of a file; 0 where there is none. */
static pid_t lock_owner(int fd, off_t at, off_t n)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = n };

	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0 ? l.l_pid : 0;
}

/* https://sqlite.org/src: os.h has PENDING_BYTE and the 511 behind it, wal.c the writer's lock in the -shm file. */
static pid_t holder(const struct sqlite *s)
{
	char *shm = xasprintf("%s-shm", s->file);
	int fd = open(shm, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pid = lock_owner(s->fd, 0x40000000, 512);

	free(shm);
	/* left open: to close it would drop the locks that SQLite has in it */
	return pid || fd < 0 ? pid : lock_owner(fd, 120, 1);
}

static int locked(struct sqlite *s, struct diag *d)
{
	char message[96], path[32];
	struct stat st;
	pid_t pid = holder(s);

	snprintf(path, sizeof path, "/proc/%ld", (long)pid);
	if (pid && stat(path, &st) == 0)
		snprintf(message, sizeof message, "another run holds the lock: process %ld of user %lu", (long)pid,
		         (unsigned long)st.st_uid);
	else
		snprintf(message, sizeof message, "another connection holds the lock");
	return fail(s, DB_UNREADY, MIG_PRECONDITION, "locked", message, d);
}

/* A killed writer left a journal that only a writer may play back. */
static int unfinished(struct sqlite *s, struct diag *d)
{
	diag_hint(d, "mig-apply --store URI --recover redo < /dev/null puts it back as it was before that write");
	return fail(s, DB_UNREADY, MIG_PRECONDITION, "unfinished", "a write was cut off and must be undone first", d);
}

static int trouble_of(struct sqlite *s, int rc, struct diag *d)
{
	const char *said = sqlite3_errmsg(s->db);
	int extended = sqlite3_extended_errcode(s->db);

	if (extended == SQLITE_READONLY_ROLLBACK || extended == SQLITE_READONLY_RECOVERY ||
	    extended == SQLITE_READONLY_CANTINIT)
		return unfinished(s, d);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return locked(s, d);
	case SQLITE_FULL: return fail(s, DB_UNREADY, MIG_PRECONDITION, "store_full", said, d);
	case SQLITE_READONLY: return fail(s, DB_UNREADY, MIG_PRECONDITION, "store_readonly", said, d);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM: return fail(s, DB_UNREADY, MIG_PRECONDITION, "not_permitted", said, d);
	case SQLITE_NOTADB: return fail(s, DB_UNREADY, MIG_PRECONDITION, "not_a_database", said, d);
	case SQLITE_CORRUPT: return fail(s, DB_OTHER, MIG_INVALID, "damaged", said, d);
	case SQLITE_AUTH:
		return fail(s, DB_OTHER, MIG_INVALID, "ends_transaction",
		            "a statement may not end the transaction, nor reach another database", d);
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG: return fail(s, DB_CONSTRAINT, MIG_INVALID, "constraint", said, d);
	case SQLITE_IOERR: return fail(s, DB_OTHER, MIG_ERROR, "io_failed", said, d);
	case SQLITE_INTERRUPT: return fail(s, DB_OTHER, MIG_ERROR, "interrupted", "stopped by a signal", d);
	default: return fail(s, DB_OTHER, MIG_ERROR, "sql_failed", said, d);
	}
}

static void bind(sqlite3_stmt *st, const struct db_value *p, size_t n)
{
	char name[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "$%zu", i + 1);
		int at = sqlite3_bind_parameter_index(st, name);

		if (at == 0 || p[i].type == DB_NULL)
			continue;
		switch (p[i].type) {
		case DB_INT: sqlite3_bind_int64(st, at, strtoll(p[i].s, NULL, 10)); break;
		case DB_REAL: sqlite3_bind_double(st, at, strtod(p[i].s, NULL)); break;
		case DB_BOOL: sqlite3_bind_int(st, at, *p[i].s == 't'); break;
		case DB_BLOB: sqlite3_bind_blob64(st, at, p[i].s, p[i].n, SQLITE_STATIC); break;
		default: sqlite3_bind_text64(st, at, p[i].s, p[i].n, SQLITE_STATIC, SQLITE_UTF8); break;
		}
	}
}

/* Room for the row at hand. */
struct row {
	struct db_value *v;
	char (*real)[40];
	int n;
};

static void take_row(struct row *r, sqlite3_stmt *st)
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
	int n = sqlite3_column_count(st), rc;
	struct row r = { xcalloc((size_t)n, sizeof *r.v), xcalloc((size_t)n, sizeof *r.real), n };
	int stopped = 0;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW && !stopped) {
		if (!each)
			continue;
		take_row(&r, st);
		stopped = each(arg, r.v, (size_t)n) < 0;
	}
	free(r.v);
	free(r.real);
	if (stopped)
		return -1;
	return rc == SQLITE_DONE ? 0 : trouble_of(s, rc, d);
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
	return clean ? 0 : fail(s, DB_OTHER, MIG_INVALID, "sql_failed", "more than one statement", d);
}

static int run(struct sqlite *s, struct text sql, const struct db_value *p, size_t n, db_row *each, void *arg,
               struct diag *d)
{
	sqlite3_stmt *st = NULL;
	const char *tail;

	s->trouble = DB_FINE;
	if (sql.n > INT32_MAX - 1)
		return fail(s, DB_OTHER, MIG_INVALID, "sql_failed", "the statement is too long", d);
	int rc = sqlite3_prepare_v2(s->db, sql.s, (int)sql.n, &st, &tail);

	if (rc != SQLITE_OK)
		return trouble_of(s, rc, d);
	rc = check_tail(s, tail, sql.s + sql.n, d);
	if (rc == 0 && st) {
		bind(st, p, n);
		rc = step_all(s, st, each, arg, d);
	}
	sqlite3_finalize(st);
	return rc;
}

static int query(struct db *db, const char *sql, const struct db_value *p, size_t n, db_row *each, void *arg,
                 struct diag *d)
{
	return run(of(db), (struct text){ sql, strlen(sql) }, p, n, each, arg, d);
}

static int exec(struct db *db, struct text sql, struct diag *d)
{
	struct sqlite *s = of(db);

	s->guarded = s->inside;
	int rc = run(s, sql, NULL, 0, NULL, NULL, d);

	s->guarded = false;
	if (rc < 0 || !s->inside || !sqlite3_get_autocommit(s->db))
		return rc;
	/* RAISE(ROLLBACK) of a trigger */
	return fail(s, DB_CONSTRAINT, MIG_INVALID, "ends_transaction", "the statement ended the transaction", d);
}

static int plain(struct sqlite *s, const char *sql, struct diag *d)
{
	return run(s, (struct text){ sql, strlen(sql) }, NULL, 0, NULL, NULL, d);
}

/* Called while a statement is prepared. */
static int authorize(void *arg, int action, const char *a, const char *b, const char *schema, const char *trigger)
{
	const struct sqlite *s = arg;

	(void)b, (void)schema, (void)trigger;
	/* VACUUM attaches a database without a name */
	if (action == SQLITE_ATTACH)
		return a && !*a ? SQLITE_OK : SQLITE_DENY;
	return action == SQLITE_TRANSACTION && s->guarded ? SQLITE_DENY : SQLITE_OK;
}

static int begin(struct db *db, bool writes, struct diag *d)
{
	struct sqlite *s = of(db);

	if (!s->held) {
		/* no effect inside a transaction: the rebuild of a table needs it off from before its beginning */
		if (writes && plain(s, "PRAGMA foreign_keys=OFF", d) < 0)
			return -1;
		if (plain(s, writes ? "BEGIN IMMEDIATE" : "BEGIN", d) < 0)
			return -1;
	}
	s->held = false;
	s->inside = true;
	return 0;
}

static int commit(struct db *db, struct diag *d)
{
	struct sqlite *s = of(db);

	if (plain(s, "COMMIT", d) < 0)
		return -1;
	s->inside = false;
	return 0;
}

static void rollback(struct db *db)
{
	struct sqlite *s = of(db);

	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->inside = s->held = false;
}

static int lock(struct db *db, unsigned seconds, const char *who, struct diag *d)
{
	struct sqlite *s = of(db);

	(void)who; /* the kernel tells those who wait */
	sqlite3_busy_timeout(s->db, (int)(seconds > 86400 ? 86400 : seconds) * 1000);
	if (begin(db, true, d) < 0)
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
		diag_add(b->d, MIG_INVALID, "foreign_key", b->s->base.name, "%s: row %s refers to nothing in %s", v[0].s,
		         v[1].s ? v[1].s : "?", v[2].s);
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
	struct buf b = BUF_INIT;
	int rc = db_one(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mig_ledger'", NULL, 0, &b, d);

	buf_release(&b);
	return rc;
}

static int prepare(struct db *db, struct diag *d)
{
	static const char *const ddl[] = {
		"CREATE TABLE IF NOT EXISTS mig_ledger (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL)",
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

	for (size_t i = 0; i < sizeof ddl / sizeof *ddl; i++)
		if (plain(of(db), ddl[i], d) < 0)
			return -1;
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

/* What was read without its log is worth nothing if somebody wrote meanwhile. */
static bool is_still(const struct sqlite *s)
{
	struct stat now;

	return fstat(s->fd, &now) == 0 && now.st_mtim.tv_sec == s->st.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec && now.st_size == s->st.st_size;
}

static void close_db(struct db *db)
{
	struct sqlite *s = of(db);
	struct stat now;

	if (s->db) {
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
	if (sqlite_live(db, out, d) < 0)
		return -1;
	if (of(db)->immutable && !is_still(of(db)))
		return fail(of(db), DB_TRANSIENT, MIG_PRECONDITION, "locked", "it was changed while it was read", d);
	return 0;
}

static struct db *scratch(struct db *db, struct diag *d);

static const struct db_ops ops = {
	.dialect = "sqlite",
	.names = { "mig_ledger", "mig_plan", "system_schema_checksum", "system_migration_history",
	           "system_migration_log" },
	.exec = exec,
	.query = query,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.lock = lock,
	.known = known,
	.prepare = prepare,
	.live = live,
	.estimates = sqlite_estimates,
	.orphans = orphans,
	.stamp = stamp,
	.trouble = trouble,
	.scratch = scratch,
	.confine = confine,
	.close = close_db,
};

static int stop(void *arg)
{
	const struct sqlite *s = arg;

	return s->base.stop && s->base.stop();
}

static void settle(struct sqlite *s)
{
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, READ_WAIT_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_set_authorizer(s->db, authorize, s);
	sqlite3_progress_handler(s->db, STEPS_BETWEEN_ASKING, stop, s);
	/* no files elsewhere */
	sqlite3_exec(s->db, "PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
}

static struct sqlite *new_sqlite(const char *name, enum db_mode mode)
{
	struct sqlite *s = xcalloc(1, sizeof *s);

	s->base.ops = &ops;
	s->base.name = xstrdup(name);
	s->mode = mode;
	s->fd = -1;
	return s;
}

static struct db *scratch(struct db *db, struct diag *d)
{
	struct sqlite *from = of(db), *to = new_sqlite("scratch copy", DB_WRITE);
	int rc = sqlite3_open_v2(":memory:", &to->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(to->db, "main", from->db, "main") : NULL;

	to->file = xstrdup("/");
	if (b) {
		rc = sqlite3_backup_step(b, -1);
		sqlite3_backup_finish(b);
	}
	if (!b || rc != SQLITE_DONE) {
		if (b)
			trouble_of(from, rc, d);
		else
			trouble_of(to, rc, d);
		close_db(&to->base);
		return NULL;
	}
	settle(to);
	to->base.stop = db->stop;
	return &to->base;
}

static int missing(const char *file, int err, struct diag *d)
{
	if (err == ENOENT || err == ENOTDIR) {
		diag_hint(d, "--create makes a new database");
		return diag_add(d, MIG_PRECONDITION, "store_missing", file, "no such database");
	}
	return diag_add(d, MIG_PRECONDITION, err == EROFS ? "store_readonly" : "not_permitted", file, "cannot open: %s",
	                strerror(err));
}

/* A file that lacks is only made where that was asked for: a typo must not become a database. */
static int open_file(struct sqlite *s, const char *file, struct diag *d)
{
	const int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	s->fd = open(file, flags | O_RDONLY);
	if (s->fd < 0 && errno == ENOENT && s->mode == DB_CREATE) {
		s->fd = open(file, flags | O_RDWR | O_CREAT, 0666);
		s->made = s->fd >= 0;
	}
	if (s->fd < 0 || fstat(s->fd, &s->st) < 0)
		return missing(file, errno, d);
	if (!S_ISREG(s->st.st_mode))
		return diag_add(d, MIG_PRECONDITION, "not_a_database", file, "not a regular file");
	if (!(s->file = realpath(file, NULL)))
		return missing(file, errno, d);
	return 0;
}

/* Bytes 18 and 19 of the header are 2 where changes go into a log beside the file. */
static bool has_log_mode(const struct sqlite *s)
{
	unsigned char header[HEADER];

	return pread(s->fd, header, sizeof header, 0) == HEADER && header[18] == 2;
}

/*
 * How SQLite is to open it.  A reader makes no files: one of a log that is not
 * there, because nobody has the database open, reads the file alone.
 */
static char *uri_of(struct sqlite *s)
{
	struct buf b = BUF_INIT;
	char *log = xasprintf("%s-wal", s->file);

	buf_addstr(&b, "file:");
	for (const char *c = s->file; *c; c++)
		buf_addf(&b, strchr("/._-", *c) || (*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z')
		                     ? "%c"
		                     : "%%%02X",
		         (unsigned char)*c);
	s->immutable = s->mode == DB_READ && has_log_mode(s) && access(log, F_OK) != 0;
	if (s->mode != DB_READ)
		buf_addstr(&b, "?mode=rw");
	else
		buf_addstr(&b, s->immutable ? "?mode=ro&immutable=1" : "?mode=ro&readonly_shm=1");
	free(log);
	return buf_steal(&b);
}

static int open_db(struct sqlite *s, struct diag *d)
{
	char seed, *uri = uri_of(s);
	int rc = sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_URI | (s->mode == DB_READ ? SQLITE_OPEN_READONLY
	                                                                            : SQLITE_OPEN_READWRITE),
	                         NULL);

	free(uri);
	if (rc != SQLITE_OK)
		return trouble_of(s, rc, d);
	sqlite3_randomness(1, &seed); /* reads a device: now, before the file system is out of reach */
	settle(s);
	return plain(s, "PRAGMA schema_version", d);
}

/* What a database that is still to be made holds. */
static struct db *open_empty(struct sqlite *s, struct diag *d)
{
	int rc = sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	s->file = xstrdup("/");
	s->mode = DB_READ;
	if (rc == SQLITE_OK) {
		settle(s);
		return &s->base;
	}
	trouble_of(s, rc, d);
	close_db(&s->base);
	return NULL;
}

struct db *db_sqlite_open(const char *file, enum db_mode mode, struct diag *d)
{
	struct sqlite *s = new_sqlite(file, mode);

	if (mode == DB_READ_OR_EMPTY && access(file, F_OK) != 0 && errno == ENOENT)
		return open_empty(s, d);
	if (mode == DB_READ_OR_EMPTY)
		s->mode = DB_READ;
	if (open_file(s, file, d) == 0 && open_db(s, d) == 0)
		return &s->base;
	close_db(&s->base);
	return NULL;
}
