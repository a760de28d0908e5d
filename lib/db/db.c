/* db.c -- see db.h */
#include "db.h"

#include "canon.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>

void db_name(struct buf *out, const char *name)
{
	buf_addch(out, '"');
	for (; *name; name++) {
		if (*name == '"')
			buf_addch(out, '"');
		buf_addch(out, *name);
	}
	buf_addch(out, '"');
}

void db_literal(struct buf *out, struct text s)
{
	buf_addch(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '\'')
			buf_addch(out, '\'');
		buf_addch(out, s.s[i]);
	}
	buf_addch(out, '\'');
}

void db_columns_free(struct db_column *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(c[i].name);
	free(c);
}

struct db_value db_text(const char *s)
{
	return (struct db_value){ s ? DB_TEXT : DB_NULL, s, s ? strlen(s) : 0 };
}

static void hex(struct buf *out, const char *name, const struct db_value *v)
{
	buf_addf(out, "{\"%s\":\"", name);
	for (size_t i = 0; i < v->n; i++)
		buf_addf(out, "%02x", (unsigned char)v->s[i]);
	buf_addstr(out, "\"}");
}

void db_json(struct buf *out, const struct db_value *v)
{
	switch (v->type) {
	case DB_NULL:
		buf_addstr(out, "null");
		break;
	case DB_INT:
	case DB_BOOL:
		buf_add(out, v->s, v->n);
		break;
	case DB_REAL: {
		double x = strtod(v->s, NULL);

		/* 2.0 must not come back as the integer 2 */
		if (isfinite(x) && x != floor(x))
			canon_double(out, x);
		else
			buf_addf(out, "{\"real\":\"%.*s\"}", (int)v->n, v->s);
		break;
	}
	case DB_TEXT:
		if (utf8_valid(v->s, v->n))
			canon_string(out, v->s, v->n);
		else
			hex(out, "text", v);
		break;
	case DB_BLOB:
		hex(out, "hex", v);
		break;
	}
}

struct db_value db_value_of(const struct doc *doc, uint32_t t, struct buf *arena)
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

struct one {
	struct buf *out;
	bool found;
};

static int take_first(void *arg, const struct db_value *v, size_t n)
{
	struct one *o = arg;

	if (o->found || n == 0 || v->type == DB_NULL)
		return 0;
	o->found = true;
	buf_add(o->out, v->s, v->n);
	return 0;
}

int db_one(struct db *db, const char *sql, const struct db_value *p, size_t n, struct buf *out, struct diag *d)
{
	struct one o = { .out = out };

	return db->ops->query(db, sql, p, n, take_first, &o, d) < 0 ? -1 : o.found;
}
