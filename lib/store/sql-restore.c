/* sql-restore.c -- see sql-restore.h */
#include "sql-restore.h"

#include "io.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROW_MAX = 1 << 30 };

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
	if (!insert && r->where)
		buf_addf(sql, "%s(%s)", r->nkey ? " AND " : " WHERE ", r->where);
}

struct restoring {
	struct db *db;
	const struct sql_rows *rows;
	char *sql;
	size_t n; /* parameters */
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
		const char *name = i < r->rows->ncolumn ? r->rows->column[i] : r->rows->key[i - r->rows->ncolumn];
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

int sql_backup_restore(struct sql_state *s, struct db *db, const struct sql_rows *rows, const struct sql_backup *b,
                       bool insert, struct diag *d)
{
	struct restoring r = { .db = db, .rows = rows, .doc = DOC_INIT, .arena = BUF_INIT };
	struct buf sql = BUF_INIT;
	int fd;

	if (b->rows == 0) /* such a backup has no file */
		return 0;
	if ((fd = sql_backup_open(s, b, d)) < 0)
		return -1;
	write_statement(&sql, rows, insert);
	r.sql = sql.s;
	r.n = rows->ncolumn + (insert ? 0 : rows->nkey);
	r.v = xcalloc(r.n, sizeof *r.v);
	int rc = restore_rows(&r, fd, b->name, d);

	close(fd);
	free(r.v);
	doc_release(&r.doc);
	buf_release(&r.arena);
	buf_release(&sql);
	return rc;
}
