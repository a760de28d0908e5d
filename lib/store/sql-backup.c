/* sql-backup.c -- see sql-backup.h */
#include "sql-backup.h"

#include "fs-state.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600, ROW_MAX = 1 << 30 };

/* What the operator can mend is MIG_PRECONDITION: nothing is committed yet. */
static int fail(struct diag *d, const char *where, const char *verb, int err)
{
	bool full = err == ENOSPC || err == EDQUOT, denied = err == EROFS || err == EACCES || err == EPERM;

	return diag_add(d, full || denied ? MIG_PRECONDITION : MIG_ERROR,
	                full ? "store_full" : denied ? "not_permitted" : "io_failed", where, "cannot %s: %s", verb,
	                strerror(err));
}

int sql_state_open(struct sql_state *s, const char *path, bool must, struct diag *d)
{
	*s = (struct sql_state)SQL_STATE_INIT;
	if (!path)
		return 0;
	s->path = xstrdup(path);
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir >= 0 || (!must && errno == ENOENT))
		return 0;
	return diag_add(d, MIG_PRECONDITION, "state_missing", path, "cannot open the state folder: %s",
	                strerror(errno));
}

void sql_state_release(struct sql_state *s)
{
	for (size_t i = 0; i < s->n; i++) {
		close(s->file[i].fd);
		free(s->file[i].name);
	}
	free(s->file);
	if (s->dir >= 0)
		close(s->dir);
	free(s->path);
	*s = (struct sql_state)SQL_STATE_INIT;
}

static char **strings(const struct doc *doc, uint32_t list, size_t *n)
{
	char **v;

	*n = list ? doc->tok[list].n : 0;
	v = xcalloc(*n, sizeof *v);
	for (uint32_t i = 0, t = list + 1; i < *n; i++, t = doc->tok[t].next)
		v[i] = record_dup(doc, t);
	return v;
}

void sql_rows_read(struct sql_rows *r, const struct doc *doc, uint32_t action)
{
	r->table = record_dup(doc, doc_member(doc, action, "table", 5));
	r->column = strings(doc, doc_member(doc, action, "columns", 7), &r->ncolumn);
	r->key = strings(doc, doc_member(doc, action, "key", 3), &r->nkey);
}

void sql_rows_release(struct sql_rows *r)
{
	for (size_t i = 0; i < r->ncolumn; i++)
		free(r->column[i]);
	for (size_t i = 0; i < r->nkey; i++)
		free(r->key[i]);
	free(r->column);
	free(r->key);
	free(r->table);
	*r = (struct sql_rows){ .table = NULL };
}

static int by_text(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return doc_compare_keys(x, strlen(x), y, strlen(y));
}

/* All columns of the backup, those of the key among them, each once, in canonical order. */
static char **all_columns(const struct sql_rows *r, size_t *n)
{
	char **v = xcalloc(r->ncolumn + r->nkey, sizeof *v);
	size_t kept = 0;

	*n = 0;
	for (size_t i = 0; i < r->ncolumn; i++)
		v[(*n)++] = r->column[i];
	for (size_t i = 0; i < r->nkey; i++)
		v[(*n)++] = r->key[i];
	if (*n)
		qsort(v, *n, sizeof *v, by_text);
	for (size_t i = 0; i < *n; i++)
		if (i == 0 || strcmp(v[i], v[kept - 1]) != 0)
			v[kept++] = v[i];
	*n = kept;
	return v;
}

/* The file, for writing or reading: a descriptor, or -1 and errno. */
static int open_at(struct sql_state *s, const char *name, bool write)
{
	if (!s->memory) {
		int backups = openat(s->dir, "backups", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (backups < 0)
			return -1;
		int fd = openat(backups, name, (write ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC,
		                FILE_MODE), err = errno;

		close(backups);
		errno = err;
		return fd;
	}
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->file[i].name, name) == 0)
			return lseek(s->file[i].fd, 0, SEEK_SET) < 0 ? -1 : dup(s->file[i].fd);
	if (!write) {
		errno = ENOENT;
		return -1;
	}
	int fd = memfd_create("backup", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	s->file = xrealloc(s->file, s->n + 1, sizeof *s->file);
	s->file[s->n++] = (struct memory_file){ xstrdup(name), fd };
	return dup(fd);
}

/* Make STATE and STATE/backups where they lack. */
static int make_folders(struct sql_state *s, struct diag *d)
{
	if (s->memory)
		return 0;
	if (!s->path) {
		diag_hint(d, "mig-apply --state DIR keeps the rows that the plan is about to destroy");
		return diag_add(d, MIG_PRECONDITION, "no_state", NULL, "the plan destroys rows, and there is no --state DIR");
	}
	if (s->dir < 0) {
		if (mkdir(s->path, FOLDER_MODE) < 0 && errno != EEXIST)
			return fail(d, s->path, "make the state folder", errno);
		s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (s->dir < 0)
			return fail(d, s->path, "open the state folder", errno);
	}
	if (mkdirat(s->dir, "backups", FOLDER_MODE) < 0 && errno != EEXIST)
		return fail(d, s->path, "make its folder of backups", errno);
	return 0;
}

struct writing {
	struct out *out; /* NULL: only counting */
	struct digest *sum;
	char *const *column;
	struct buf line;
	int64_t rows;
};

static int put_row(void *arg, const struct db_value *v, size_t n)
{
	struct writing *w = arg;

	w->rows++;
	if (!w->out)
		return 0;
	buf_reset(&w->line);
	for (size_t i = 0; i < n; i++) {
		buf_addch(&w->line, i ? ',' : '{');
		canon_string(&w->line, w->column[i], strlen(w->column[i]));
		buf_addch(&w->line, ':');
		db_json(&w->line, &v[i]);
	}
	buf_addstr(&w->line, "}\n");
	digest_add(w->sum, w->line.s, w->line.len);
	return out_write(w->out, w->line.s, w->line.len);
}

static int select_rows(struct db *db, const struct sql_rows *r, struct writing *w, size_t n, struct diag *d)
{
	struct buf sql = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		buf_addstr(&sql, i ? ", " : "SELECT ");
		db_name(&sql, w->column[i]);
	}
	buf_addstr(&sql, " FROM ");
	db_name(&sql, r->table);
	for (size_t i = 0; i < r->nkey; i++) {
		buf_addstr(&sql, i ? ", " : " ORDER BY ");
		db_name(&sql, r->key[i]);
	}
	int rc = db->ops->query(db, sql.s, NULL, 0, put_row, w, d);

	buf_release(&sql);
	return rc;
}

/* The hash and the number of lines of an open file: 0, or -1 and errno. */
static int sum_of(int fd, char hash[65], int64_t *rows)
{
	struct digest *sum = digest_new();
	char chunk[1 << 14];
	ssize_t n;
	off_t at = 0;

	digest_begin(sum);
	*rows = 0;
	while ((n = pread(fd, chunk, sizeof chunk, at)) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		digest_add(sum, chunk, (size_t)n);
		for (const char *p = chunk; (p = memchr(p, '\n', (size_t)(chunk + n - p))); p++)
			++*rows;
		at += n;
	}
	int err = errno;

	digest_final(sum, hash);
	digest_free(sum);
	errno = err;
	return n < 0 ? -1 : 0;
}

static int check_written(int fd, const struct sql_backup *b, struct diag *d)
{
	char hash[65];
	int64_t rows;

	if (fsync(fd) < 0 && errno != EINVAL)
		return fail(d, b->name, "write", errno);
	if (sum_of(fd, hash, &rows) < 0)
		return fail(d, b->name, "read back", errno);
	if (strcmp(hash, b->hash) != 0 || rows != b->rows)
		return diag_add(d, MIG_INVALID, "backup_damaged", b->name, "what was read back is not what was written");
	return 0;
}

/* Its name, too, must outlive a power cut. */
static int sync_folder(struct sql_state *s, const char *name, struct diag *d)
{
	if (s->memory)
		return 0;
	int fd = openat(s->dir, "backups", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 || fsync(s->dir) < 0 ? fail(d, name, "sync", errno) : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_file(struct sql_state *s, struct db *db, const struct sql_rows *rows, struct writing *w, size_t n,
                      struct sql_backup *b, struct diag *d)
{
	struct out out;
	int fd = open_at(s, b->name, true);

	if (fd < 0)
		return fail(d, b->name, "write", errno);
	out_init(&out, fd);
	w->out = &out;
	w->sum = digest_new();
	digest_begin(w->sum);
	int rc = select_rows(db, rows, w, n, d);

	out_flush(&out);
	if (out.err)
		rc = fail(d, b->name, "write", out.err);
	b->rows = w->rows;
	digest_final(w->sum, b->hash);
	if (rc == 0 && (rc = check_written(fd, b, d)) == 0)
		rc = sync_folder(s, b->name, d);
	digest_free(w->sum);
	out_release(&out);
	close(fd);
	if (rc < 0)
		sql_backup_drop(s, b);
	return rc;
}

int sql_backup_write(struct sql_state *s, struct db *db, const struct sql_rows *rows, struct sql_backup *b,
                     bool only_count, struct diag *d)
{
	struct writing w = { .line = BUF_INIT };
	size_t n;
	char **column = all_columns(rows, &n);
	int rc;

	w.column = column;
	if (only_count)
		rc = select_rows(db, rows, &w, n, d);
	else
		rc = make_folders(s, d) < 0 ? -1 : write_file(s, db, rows, &w, n, b, d);
	b->rows = w.rows;
	buf_release(&w.line);
	free(column);
	return rc;
}

void sql_backup_drop(struct sql_state *s, const struct sql_backup *b)
{
	char *path = xasprintf("backups/%s", b->name);

	if (!s->memory && s->dir >= 0) {
		unlinkat(s->dir, path, 0);
		unlinkat(s->dir, "backups", AT_REMOVEDIR); /* where it is empty now */
		if (s->path)
			rmdir(s->path);
	}
	free(path);
}

/* A value as db_json wrote it; its text goes into arena, which has room for all of the row. */
static struct db_value value_of(const struct doc *doc, uint32_t t, struct buf *arena)
{
	static const struct {
		const char *name;
		enum db_type type;
	} forms[] = { { "hex", DB_BLOB }, { "text", DB_TEXT }, { "real", DB_REAL } };
	struct db_value v = { .type = DB_NULL };
	size_t at = arena->len;

	if (doc->tok[t].type == DOC_OBJECT) {
		for (size_t i = 0; i < 3; i++) {
			uint32_t m = doc_member(doc, t, forms[i].name, strlen(forms[i].name));
			struct buf hex = BUF_INIT;

			if (!m)
				continue;
			v.type = forms[i].type;
			doc_string(doc, m, v.type == DB_REAL ? arena : &hex);
			for (size_t k = 0; k + 1 < hex.len; k += 2) {
				char digits[3] = { hex.s[k], hex.s[k + 1], '\0' };

				buf_addch(arena, (char)strtoul(digits, NULL, 16));
			}
			buf_release(&hex);
		}
	} else if (doc->tok[t].type == DOC_STRING) {
		v.type = DB_TEXT;
		doc_string(doc, t, arena);
	} else if (doc->tok[t].type == DOC_NUMBER) {
		v.type = doc->tok[t].flags & DOC_INTEGER ? DB_INT : DB_REAL;
		buf_add(arena, doc->text + doc->tok[t].off, doc->tok[t].len);
	} else if (doc->tok[t].type == DOC_TRUE || doc->tok[t].type == DOC_FALSE) {
		v.type = DB_BOOL;
		buf_addstr(arena, doc->tok[t].type == DOC_TRUE ? "true" : "false");
	}
	v.n = arena->len - at;
	v.s = v.type == DB_NULL ? NULL : arena->s + at;
	buf_addch(arena, '\0');
	return v;
}

/* INSERT INTO t (a, b) VALUES ($1, $2), or UPDATE t SET a = $1 WHERE b = $2 */
static void write_statement(struct buf *sql, const struct sql_rows *r, bool insert)
{
	size_t p = 0;

	buf_addstr(sql, insert ? "INSERT INTO " : "UPDATE ");
	db_name(sql, r->table);
	for (size_t i = 0; i < r->ncolumn; i++) {
		buf_addstr(sql, i ? ", " : insert ? " (" : " SET ");
		db_name(sql, r->column[i]);
		if (!insert)
			buf_addf(sql, " = $%zu", ++p);
	}
	for (size_t i = 0; insert && i < r->ncolumn; i++)
		buf_addf(sql, "%s$%zu", i ? ", " : ") VALUES (", i + 1);
	if (insert)
		buf_addch(sql, ')');
	for (size_t i = 0; !insert && i < r->nkey; i++) {
		buf_addstr(sql, i ? " AND " : " WHERE ");
		db_name(sql, r->key[i]);
		buf_addf(sql, " = $%zu", ++p);
	}
}

struct restoring {
	struct db *db;
	const struct sql_rows *rows;
	char *sql;
	size_t n;            /* parameters */
	struct db_value *v;
	struct doc doc;
	struct buf arena;
};

static int restore_row(struct restoring *r, const char *line, size_t len, const char *where, struct diag *d)
{
	if (doc_parse(&r->doc, line, len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "backup_damaged", where, "a row is not JSON: %s", r->doc.err.reason);
	buf_reset(&r->arena);
	buf_reserve(&r->arena, len + r->n); /* no text of the row is longer than the row */
	for (size_t i = 0; i < r->n; i++) {
		const char *name =
			i < r->rows->ncolumn ? r->rows->column[i] : r->rows->key[i - r->rows->ncolumn];
		uint32_t t = doc_member(&r->doc, 0, name, strlen(name));

		if (!t)
			return diag_add(d, MIG_INVALID, "backup_damaged", where, "a row lacks %s", name);
		r->v[i] = value_of(&r->doc, t, &r->arena);
	}
	return r->db->ops->query(r->db, r->sql, r->v, r->n, NULL, NULL, d);
}

static int restore_rows(struct restoring *r, int fd, const char *where, struct diag *d)
{
	struct lines in;
	const char *s;
	size_t n;
	int rc;

	lines_init(&in, fd, ROW_MAX);
	while ((rc = lines_next(&in, &s, &n, d)) > 0)
		if ((rc = restore_row(r, s, n, where, d)) < 0)
			break;
	lines_release(&in);
	return rc;
}

static int check_file(int fd, const struct sql_backup *b, struct diag *d)
{
	char hash[65];
	int64_t rows;

	if (sum_of(fd, hash, &rows) < 0)
		return fail(d, b->name, "read", errno);
	if (strcmp(hash, b->hash) == 0 && rows == b->rows)
		return 0;
	return diag_add(d, MIG_INVALID, "backup_damaged", b->name, "expected %lld rows of hash %s, found %lld of %s",
	                (long long)b->rows, b->hash, (long long)rows, hash);
}

int sql_backup_restore(struct sql_state *s, struct db *db, const struct sql_rows *rows, const struct sql_backup *b,
                       bool insert, struct diag *d)
{
	struct restoring r = { .db = db, .rows = rows, .doc = DOC_INIT, .arena = BUF_INIT };
	struct buf sql = BUF_INIT;
	int fd = !s->memory && s->dir < 0 ? -1 : open_at(s, b->name, false);

	if (fd < 0) {
		diag_hint(d, "--state DIR names the folder that the plan was applied with");
		return diag_add(d, MIG_PRECONDITION, "backup_missing", b->name, "the rows that the plan destroyed are not there");
	}
	write_statement(&sql, rows, insert);
	r.sql = sql.s;
	r.n = rows->ncolumn + (insert ? 0 : rows->nkey);
	r.v = xcalloc(r.n, sizeof *r.v);
	int rc = check_file(fd, b, d) < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -1 : restore_rows(&r, fd, b->name, d);

	close(fd);
	free(r.v);
	doc_release(&r.doc);
	buf_release(&r.arena);
	buf_release(&sql);
	return rc;
}

static int read_key(int dir, const char *name, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                    struct diag *d)
{
	struct buf pem = BUF_INIT;
	struct stat st;
	char *shown = xasprintf("trust/%s", name);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = diag_add(d, MIG_PRECONDITION, "missing_key", shown, "cannot open: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode) || io_slurp(fd, &pem, (size_t)st.st_size, 1 << 20) < 0)
		rc = diag_add(d, MIG_PRECONDITION, "missing_key", shown, "cannot be read");
	else
		rc = each(arg, shown, &pem);
	if (fd >= 0)
		close(fd);
	buf_release(&pem);
	free(shown);
	return rc;
}

int sql_state_trust(struct sql_state *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                    struct diag *d)
{
	struct fs_names l;
	int dir = s->dir < 0 ? -1 : openat(s->dir, "trust", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (dir < 0 && (s->dir < 0 || errno == ENOENT))
		return 0;
	if (dir < 0 || fs_names(dir, &l) < 0) {
		if (dir >= 0)
			close(dir);
		return diag_add(d, MIG_PRECONDITION, "unreadable", "trust", "%s", strerror(errno));
	}
	for (size_t i = 0; i < l.n && rc == 0; i++) {
		size_t n = strlen(l.name[i]);

		if (n > 4 && l.name[i][0] != '.' && strcmp(l.name[i] + n - 4, ".pem") == 0)
			rc = read_key(dir, l.name[i], each, arg, d);
	}
	fs_names_release(&l);
	close(dir);
	return rc < 0 ? -1 : 1;
}
