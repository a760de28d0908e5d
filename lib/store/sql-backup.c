/* sql-backup.c -- see sql-backup.h */
#include "sql-backup.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

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
	r->where = record_dup(doc, doc_member(doc, action, "where", 5));
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
	free(r->where);
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
		                FILE_MODE),
		    err = errno;

		close(backups);
		errno = err;
		return fd;
	}
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->file[i].name, name) == 0)
			return lseek(s->file[i].fd, 0, SEEK_SET) < 0 || (write && ftruncate(s->file[i].fd, 0) < 0)
			               ? -1
			               : dup(s->file[i].fd);
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

/* FROM "t" WHERE (..) */
static void write_from(struct buf *sql, const struct sql_rows *r)
{
	buf_addstr(sql, " FROM ");
	db_name(sql, r->table);
	if (r->where)
		buf_addf(sql, " WHERE (%s)", r->where);
}

static int seen(void *arg, const struct db_value *v, size_t n)
{
	(void)v, (void)n;
	*(bool *)arg = true;
	return 0;
}

static int any_row(struct db *db, const struct sql_rows *r, bool *any, struct diag *d)
{
	struct buf sql = BUF_INIT;

	*any = false;
	buf_addstr(&sql, "SELECT 1");
	write_from(&sql, r);
	buf_addstr(&sql, " LIMIT 1");
	int rc = db->ops->query(db, sql.s, NULL, 0, seen, any, d);

	buf_release(&sql);
	return rc;
}

static int select_rows(struct db *db, const struct sql_rows *r, struct writing *w, size_t n, struct diag *d)
{
	struct buf sql = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		buf_addstr(&sql, i ? ", " : "SELECT ");
		db_name(&sql, w->column[i]);
	}
	write_from(&sql, r);
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
		return sql_state_fault(d, b->name, "write", errno);
	if (sum_of(fd, hash, &rows) < 0)
		return sql_state_fault(d, b->name, "read back", errno);
	if (strcmp(hash, b->hash) != 0 || rows != b->rows)
		return diag_add(d, MIG_INVALID, "backup_damaged", b->name,
		                "what was read back is not what was written");
	return 0;
}

/* Its name, too, must outlive a power cut. */
static int sync_folder(struct sql_state *s, const char *name, struct diag *d)
{
	if (s->memory)
		return 0;
	int fd = openat(s->dir, "backups", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 || fsync(s->dir) < 0 ? sql_state_fault(d, name, "sync", errno) : 0;

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
		return sql_state_fault(d, b->name, "write", errno);
	out_init(&out, fd);
	w->out = &out;
	w->sum = digest_new();
	digest_begin(w->sum);
	int rc = select_rows(db, rows, w, n, d);

	out_flush(&out);
	if (out.err)
		rc = sql_state_fault(d, b->name, "write", out.err);
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
	bool any;
	int rc = any_row(db, rows, &any, d);

	w.column = column;
	digest_hex("", 0, b->hash);
	if (rc == 0 && any && only_count)
		rc = select_rows(db, rows, &w, n, d);
	else if (rc == 0 && any)
		rc = sql_state_make(s, d) < 0 ? -1 : write_file(s, db, rows, &w, n, b, d);
	b->rows = w.rows;
	buf_release(&w.line);
	free(column);
	return rc;
}

void sql_backup_drop(struct sql_state *s, const struct sql_backup *b)
{
	char *path = xasprintf("backups/%s", b->name);

	if (!s->memory && s->dir >= 0)
		unlinkat(s->dir, path, 0);
	free(path);
}

static int check_file(int fd, const struct sql_backup *b, struct diag *d)
{
	char hash[65];
	int64_t rows;

	if (sum_of(fd, hash, &rows) < 0)
		return sql_state_fault(d, b->name, "read", errno);
	if (strcmp(hash, b->hash) == 0 && rows == b->rows)
		return 0;
	return diag_add(d, MIG_INVALID, "backup_damaged", b->name, "expected %lld rows of hash %s, found %lld of %s",
	                (long long)b->rows, b->hash, (long long)rows, hash);
}

int sql_backup_open(struct sql_state *s, const struct sql_backup *b, struct diag *d)
{
	int fd = !s->memory && s->dir < 0 ? -1 : open_at(s, b->name, false);

	if (fd < 0) {
		diag_hint(d, "--state DIR names the folder that the plan was applied with");
		return diag_add(d, MIG_PRECONDITION, "backup_missing", b->name,
		                "the rows that the plan destroyed are not there");
	}
	if (check_file(fd, b, d) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}
