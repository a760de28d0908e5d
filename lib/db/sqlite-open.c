/* sqlite-open.c -- how a SQLite file is opened; see sqlite-handle.h and db.h */
#include "sqlite-handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_WAIT_MS = 10000, STEPS_BETWEEN_ASKING = 20000, HEADER = 20 };

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
	sqlite3_set_authorizer(s->db, authorize, s);
	sqlite3_progress_handler(s->db, STEPS_BETWEEN_ASKING, stop, s);
	/* no files elsewhere */
	sqlite3_exec(s->db, "PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
}

static struct sqlite *new_sqlite(const char *name, enum db_mode mode)
{
	struct sqlite *s = xcalloc(1, sizeof *s);

	s->base.ops = &sqlite_ops;
	s->base.name = xstrdup(name);
	s->mode = mode;
	s->fd = -1;
	return s;
}

struct db *sqlite_scratch(struct db *db, struct diag *d)
{
	struct sqlite *from = (struct sqlite *)db, *to = new_sqlite("scratch copy", DB_WRITE);
	int rc = sqlite3_open_v2(":memory:", &to->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                         NULL);
	sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(to->db, "main", from->db, "main") : NULL;

	to->file = xstrdup("/");
	if (b) {
		rc = sqlite3_backup_step(b, -1);
		sqlite3_backup_finish(b);
	}
	if (!b || rc != SQLITE_DONE) {
		if (b)
			sqlite_trouble(from, rc, d);
		else
			sqlite_trouble(to, rc, d);
		sqlite_ops.close(&to->base);
		return NULL;
	}
	settle(to);
	to->base.stop = db->stop;
	return &to->base;
}

static int missing(const char *file, int err, struct diag *d)
{
	if (err == ENOENT || err == ENOTDIR) {
		diag_hint(d, "if it is to be a new one: --create of mig plan, mig apply, mig-extract --schema and "
		          "mig-apply");
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
		buf_addf(&b,
		         strchr("/._-", *c) || (*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z')
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
	int rc = sqlite3_open_v2(uri, &s->db,
	                         SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
	                                 (s->mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE),
	                         NULL);

	free(uri);
	if (rc != SQLITE_OK)
		return sqlite_trouble(s, rc, d);
	sqlite3_randomness(1, &seed); /* reads a device: now, before the file system is out of reach */
	settle(s);
	return sqlite_run(s, TEXT("PRAGMA schema_version"), NULL, 0, NULL, NULL, d);
}

/* What a database that is still to be made holds. */
static struct db *open_empty(struct sqlite *s, struct diag *d)
{
	int rc = sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                         NULL);

	s->file = xstrdup("/");
	s->mode = DB_READ;
	if (rc == SQLITE_OK) {
		settle(s);
		return &s->base;
	}
	sqlite_trouble(s, rc, d);
	sqlite_ops.close(&s->base);
	return NULL;
}

/* sqlite://user:password@host is no file, and its name would be in every message. */
static bool is_url(const char *file)
{
	return strncmp(file, "//", 2) == 0 && strchr(file, '@');
}

struct db *db_sqlite_open(const char *file, enum db_mode mode, struct diag *d)
{
	if (is_url(file)) {
		diag_add(d, MIG_USAGE, "bad_store", NULL, "sqlite: takes the path of a file, not a URL");
		return NULL;
	}
	struct sqlite *s = new_sqlite(file, mode);

	if (mode == DB_READ_OR_EMPTY && access(file, F_OK) != 0 && errno == ENOENT)
		return open_empty(s, d);
	if (mode == DB_READ_OR_EMPTY)
		s->mode = DB_READ;
	if (open_file(s, file, d) == 0 && open_db(s, d) == 0)
		return &s->base;
	sqlite_ops.close(&s->base);
	return NULL;
}
