/* rowindex.c -- see rowindex.h */
#include "rowindex.h"

#include "canon.h"
#include "pointer.h"
#include "record.h"
#include "sqlname.h"

#include <stdlib.h>

static const struct {
	const char *name, *sqlite, *postgresql;
	int holds; /* IS_* */
} types[] = {
	[ROW_TEXT] = { "text", "TEXT", "TEXT", IS_STR },
	[ROW_INTEGER] = { "integer", "INTEGER", "BIGINT", IS_NUM },
	[ROW_REAL] = { "real", "REAL", "DOUBLE PRECISION", IS_NUM },
	[ROW_BOOLEAN] = { "boolean", "INTEGER", "BOOLEAN", IS_BOOL },
	[ROW_JSON] = { "json", "TEXT", "TEXT", IS_ANY },
	[ROW_REF] = { "ref", "TEXT", "TEXT", IS_STR },
};

enum { NTYPES = sizeof types / sizeof *types, TABLE_MAX = SQLNAME_MAX - 6 }; /* room for "__new" */

const char *rowindex_sql_type(enum rowindex_type type, enum dialect dialect)
{
	return dialect == DIALECT_SQLITE ? types[type].sqlite : types[type].postgresql;
}

/* ---- the file ---- */

static bool is_name(const char *s)
{
	return sqlname_plain((struct text){ s, strlen(s) }) && !sqlname_reserved(s) && strlen(s) <= SQLNAME_MAX;
}

static void read_column(struct form *f, uint32_t obj, struct rowindex_column *c)
{
	static const char *const names[] = { "name", "pointer", "type", NULL };
	char *type;
	int t = 0;

	form_only(f, obj, names);
	c->name = form_text(f, obj, "name", true);
	c->pointer = form_check_pointer(f, "pointer", form_text(f, obj, "pointer", false));
	type = form_text(f, obj, "type", true);
	if (c->name && !is_name(c->name))
		form_wrong(f, "name", "not a column's name: lower case, digits and _, and no word of SQL");
	while (type && t < NTYPES && strcmp(types[t].name, type) != 0)
		t++;
	if (t == NTYPES)
		form_wrong(f, "type", "not one of text, integer, real, boolean, json, ref");
	else
		c->type = (enum rowindex_type)t;
	if ((c->type == ROW_REF) == (c->pointer != NULL))
		form_wrong(f, "pointer", "every column but one of type ref has one");
	free(type);
}

static void read_columns(struct form *f, struct rowindex *x)
{
	const struct doc *d = &f->doc;
	uint32_t list = form_member(f, 0, "columns", IS_ARR, true);

	if (!list)
		return;
	x->column = xcalloc(d->tok[list].n + 1, sizeof *x->column);
	for (uint32_t e = list + 1; e < d->tok[list].next; e = d->tok[e].next) {
		if (d->tok[e].type != DOC_OBJECT) {
			form_wrong(f, "columns", "not an array of objects");
			return;
		}
		read_column(f, e, &x->column[x->ncolumn++]);
	}
	for (size_t i = 0; i < x->ncolumn; i++)
		for (size_t k = 0; k < i; k++)
			if (x->column[i].name && x->column[k].name && strcmp(x->column[i].name, x->column[k].name) == 0)
				form_wrong(f, "columns", "two columns of one name");
}

static void read_key(struct form *f, struct rowindex *x)
{
	char **key = form_texts(f, 0, "key", true);

	for (char **k = key; k && *k; k++) {
		size_t i = 0;

		while (i < x->ncolumn && (!x->column[i].name || strcmp(x->column[i].name, *k) != 0))
			i++;
		if (i == x->ncolumn)
			form_wrong(f, "key", "names no column");
		else
			x->column[i].key = true;
	}
	if (key && !*key && doc_member(&f->doc, 0, "key", 3) != DOC_NONE)
		form_wrong(f, "key", "empty");
	form_free_texts(key);
}

struct rowindex *rowindex_read(const char *file, struct diag *d)
{
	static const char *const names[] = { "columns", "key", "legacy", "table", NULL };
	struct rowindex *x = xcalloc(1, sizeof *x);
	struct form f;
	bool bad = form_open(&f, file, 0, NULL, "missing_index", d) < 0;

	if (!bad) {
		digest_hex(f.text.s, f.text.len, x->hash);
		form_only(&f, 0, names);
		x->table = form_text(&f, 0, "table", true);
		if (x->table && (!is_name(x->table) || sqlname_protected(x->table) || strlen(x->table) > TABLE_MAX))
			form_wrong(&f, "table", "not the name of a table that may be made");
		read_columns(&f, x);
		read_key(&f, x);
		x->legacy = form_texts(&f, 0, "legacy", false);
		bad = f.bad;
	}
	form_release(&f);
	if (!bad)
		return x;
	rowindex_free(x);
	return NULL;
}

void rowindex_free(struct rowindex *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->ncolumn; i++) {
		free(x->column[i].name);
		free(x->column[i].pointer);
	}
	free(x->column);
	form_free_texts(x->legacy);
	free(x->table);
	free(x);
}

/* ---- a value ---- */

static int refuse(const struct rowindex_column *c, struct text ref, const char *what, struct diag *d)
{
	char *where = xmemdup(ref.s, ref.n);

	diag_add(d, MIG_INVALID, "index_value", where, "column %s: %s", c->name, what);
	free(where);
	return -1;
}

/* 'it''s'; no database holds U+0000 in a text */
static int put_text(struct buf *sql, const char *s, size_t n)
{
	if (n && memchr(s, '\0', n))
		return -1;
	buf_addch(sql, '\'');
	for (const char *q; n && (q = memchr(s, '\'', n)); n -= (size_t)(q + 1 - s), s = q + 1) {
		buf_add(sql, s, (size_t)(q + 1 - s));
		buf_addch(sql, '\'');
	}
	buf_add(sql, s, n);
	buf_addch(sql, '\'');
	return 0;
}

static int put_value(const struct rowindex_column *c, const struct doc *doc, uint32_t t, enum dialect dialect,
                     struct buf *sql)
{
	struct buf b = BUF_INIT;
	int64_t i;
	int rc = 0;

	if (c->type == ROW_BOOLEAN) {
		bool is = doc->tok[t].type == DOC_TRUE;

		buf_addstr(sql, dialect == DIALECT_SQLITE ? is ? "1" : "0" : is ? "TRUE" : "FALSE");
	} else if (c->type == ROW_INTEGER || c->type == ROW_REAL) {
		if (c->type == ROW_INTEGER && !doc_int(doc, t, &i))
			rc = -1;
		canon_value(sql, doc, t, DOC_NONE);
	} else if (c->type == ROW_JSON) {
		canon_value(&b, doc, t, DOC_NONE);
		rc = put_text(sql, b.s, b.len);
	} else {
		struct text v = record_text(doc, t, &b);

		rc = put_text(sql, v.s, v.n);
	}
	buf_release(&b);
	return rc;
}

int rowindex_value(const struct rowindex_column *c, const struct doc *doc, uint32_t body, struct text ref,
                   enum dialect dialect, struct buf *sql, struct buf *key, struct diag *d)
{
	uint32_t t = DOC_NONE;

	if (c->type == ROW_REF) {
		if (key)
			canon_string(key, ref.s, ref.n);
		return put_text(sql, ref.s, ref.n) < 0 ? refuse(c, ref, "U+0000 in the ref", d) : 0;
	}
	bool found = pointer_find(doc, body, c->pointer, strlen(c->pointer), &t);

	if (!found || doc->tok[t].type == DOC_NULL) {
		if (c->key)
			return refuse(c, ref, "the key may not lack", d);
		buf_addstr(sql, "NULL");
		return 0;
	}
	if (!(types[c->type].holds & 1 << doc->tok[t].type) || put_value(c, doc, t, dialect, sql) < 0)
		return refuse(c, ref, "the value does not fit its type", d);
	if (key)
		canon_value(key, doc, t, DOC_NONE);
	return 0;
}
