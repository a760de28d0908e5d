/* sql-restore.c -- see sql-restore.h */
#include "sql-restore.h"

#include "io.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROW_MAX = 1 << 30 };

/*
 * INSERT INTO t (a, b) VALUES ($1, $2), or UPDATE t SET a = $1 WHERE b = $2, or
 * SELECT 1 FROM t WHERE a IS $1 AND b = $2, which PostgreSQL is asked of the text that a column gives.
 */
static void write_statement(struct buf *sql, const struct sql_rows *r, enum sql_restore how, bool pg)
{
	static const char *const begin[] = { "INSERT INTO ", "UPDATE ", "SELECT 1 FROM " },
				 *const lead[] = { " (", " SET ", " WHERE " }, *const next[] = { ", ", ", ", " AND " };
	size_t p = 0;

	buf_addstr(sql, begin[how]);
	db_name(sql, r->table);
	for (size_t i = 0; i < r->ncolumn; i++) {
		buf_addstr(sql, i ? next[how] : lead[how]);
		db_name(sql, r->column[i]);
		if (how == RESTORE_UPDATE)
			buf_addf(sql, " = $%zu", ++p);
		else if (how == RESTORE_COMPARE)
			buf_addf(sql, pg ? "::text IS NOT DISTINCT FROM $%zu::text" : " IS $%zu", ++p);
	}
	if (how == RESTORE_INSERT)
		buf_addstr(sql, pg ? ") OVERRIDING SYSTEM VALUE" : ")");
	for (size_t i = 0; how == RESTORE_INSERT && i < r->ncolumn; i++)
		buf_addf(sql, "%s$%zu", i ? ", " : " VALUES (", i + 1);
	if (how == RESTORE_INSERT) {
		buf_addch(sql, ')');
		return;
	}
	bool where = how == RESTORE_COMPARE && r->ncolumn;

	for (size_t i = 0; i < r->nkey; i++, where = true) {
		buf_addstr(sql, where ? " AND " : " WHERE ");
		db_name(sql, r->key[i]);
		buf_addf(sql, " = $%zu", ++p);
	}
	if (r->where)
		buf_addf(sql, "%s(%s)", where ? " AND " : " WHERE ", r->where);
}

struct restoring {
	struct db *db; /* NULL: only the key is wanted, by key_each */
	void (*key_each)(void *arg, struct text key);
	void *arg;
	const struct sql_rows *rows;
	char *sql;
	size_t n; /* parameters */
	struct db_value *v;
	struct doc doc;
	struct buf arena;
	int64_t found; /* rows that the statement gave */
};

static int count_found(void *arg, const struct db_value *v, size_t n)
{
	(void)v, (void)n;
	++((struct restoring *)arg)->found;
	return 0;
}

static int restore_row(struct restoring *r, const char *line, size_t len, const char *where, struct diag *d)
{
	if (doc_parse(&r->doc, line, len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "backup_damaged", where, "a row is not JSON: %s", r->doc.err.reason);
	buf_reset(&r->arena);
	buf_reserve(&r->arena, len + r->n); /* no text of the row is longer than the row */
	for (size_t i = 0; i < r->n; i++) {
		const char *name = i < r->rows->ncolumn ? r->rows->column[i] : r->rows->key[i - r->rows->ncolumn];
		uint32_t t = doc_member(&r->doc, 0, name, strlen(name));

		if (!t)
			return diag_add(d, MIG_INVALID, "backup_damaged", where, "a row lacks %s", name);
		r->v[i] = db_value_of(&r->doc, t, &r->arena);
	}
	if (!r->db) {
		r->key_each(r->arg, (struct text){ r->v->s, r->v->n });
		return 0;
	}
	return r->db->ops->query(r->db, r->sql, r->v, r->n, count_found, r, d);
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

static int restore(struct sql_state *s, struct restoring *r, const struct sql_backup *b, struct diag *d)
{
	int fd = b->rows ? sql_backup_open(s, b, d) : -1;

	if (b->rows == 0) /* such a backup has no file */
		return 0;
	if (fd < 0)
		return -1;
	r->v = xcalloc(r->n, sizeof *r->v);
	int rc = restore_rows(r, fd, b->name, d);

	close(fd);
	free(r->v);
	doc_release(&r->doc);
	buf_release(&r->arena);
	return rc;
}

int sql_backup_restore(struct sql_state *s, struct db *db, const struct sql_rows *rows, const struct sql_backup *b,
                       enum sql_restore how, int64_t *found, struct diag *d)
{
	struct restoring r = { .db = db, .rows = rows, .doc = DOC_INIT, .arena = BUF_INIT };
	struct buf sql = BUF_INIT;

	write_statement(&sql, rows, how, strcmp(db->ops->dialect, "postgresql") == 0);
	r.sql = sql.s;
	r.n = rows->ncolumn + (how == RESTORE_INSERT ? 0 : rows->nkey);
	int rc = restore(s, &r, b, d);

	if (found)
		*found += r.found;
	buf_release(&sql);
	return rc;
}

int sql_backup_keys(struct sql_state *s, const char *key, const struct sql_backup *b,
                    void (*each)(void *arg, struct text key), void *arg, struct diag *d)
{
	char *name = xstrdup(key);
	const struct sql_rows rows = { .key = &name, .nkey = 1 };
	struct restoring r = {
		.rows = &rows, .n = 1, .key_each = each, .arg = arg, .doc = DOC_INIT, .arena = BUF_INIT
	};
	int rc = restore(s, &r, b, d);

	free(name);
	return rc;
}
