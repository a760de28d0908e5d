/* ddl.c -- see ddl.h */
#include "ddl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

static void quoted(struct buf *b, const char *s, char q)
{
	buf_addch(b, q);
	for (; *s; s++) {
		if (*s == q)
			buf_addch(b, q);
		buf_addch(b, *s);
	}
	buf_addch(b, q);
}

void ddl_name(struct buf *b, const char *name)
{
	quoted(b, name, '"');
}

void ddl_text(struct buf *b, const char *s)
{
	quoted(b, s, '\'');
}

void ddl_names(struct buf *b, char *const *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addstr(b, ", ");
		ddl_name(b, name[i]);
	}
}

void ddl_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			buf_addch(b, *fmt);
			continue;
		}
		switch (*++fmt) {
		case 'I':
			ddl_name(b, va_arg(ap, const char *));
			break;
		case 'L':
			ddl_text(b, va_arg(ap, const char *));
			break;
		case 's':
			buf_addstr(b, va_arg(ap, const char *));
			break;
		case 'd':
			buf_addf(b, "%d", va_arg(ap, int));
			break;
		default:
			buf_addch(b, *fmt);
		}
	}
}

void ddl_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ddl_vaddf(b, fmt, ap);
	va_end(ap);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* ["a","b"] -> ARRAY['a', 'b']::TEXT[] */
static void array_default(struct buf *b, const struct column *c)
{
	struct buf text = BUF_INIT, item = BUF_INIT;
	struct doc d = DOC_INIT;
	uint32_t t;

	buf_addstr(&text, c->def_text);
	buf_addstr(b, "ARRAY[");
	if (doc_parse(&d, text.s, text.len, DOC_MAX_DEPTH) == 0 && d.tok[0].type == DOC_ARRAY)
		for (t = 1; t < d.tok[0].next; t = d.tok[t].next) {
			size_t n;
			const char *s = doc_span(&d, t, &n);

			buf_reset(&item);
			if (d.tok[t].type == DOC_STRING)
				doc_string(&d, t, &item);
			else
				buf_add(&item, s, n);
			buf_addch(&item, '\0');
			if (t > 1)
				buf_addstr(b, ", ");
			ddl_text(b, item.s);
		}
	ddl_addf(b, "]::%s", c->type);
	doc_release(&d);
	buf_release(&text);
	buf_release(&item);
}

static const char uuid_sqlite[] =
	"(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
	"substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))";

bool ddl_default(struct buf *b, const struct column *c, enum dialect dialect)
{
	bool pg = dialect == DIALECT_POSTGRESQL;

	switch (c->def) {
	case DEFAULT_NONE:
	case DEFAULT_SERIAL:
		return false;
	case DEFAULT_TEXT:
		ddl_text(b, c->def_text);
		break;
	case DEFAULT_NUMBER:
		buf_addstr(b, c->def_text);
		break;
	case DEFAULT_BOOL:
		buf_addstr(b, strcmp(c->def_text, "true") == 0 ? (pg ? "TRUE" : "1") : (pg ? "FALSE" : "0"));
		break;
	case DEFAULT_NOW:
		buf_addstr(b, "CURRENT_TIMESTAMP");
		break;
	case DEFAULT_TODAY:
		buf_addstr(b, "CURRENT_DATE");
		break;
	case DEFAULT_SECONDS:
		ddl_addf(b, pg ? "INTERVAL '%s seconds'" : "%s", c->def_text);
		break;
	case DEFAULT_UUID:
		buf_addstr(b, pg ? "gen_random_uuid()" : uuid_sqlite);
		break;
	case DEFAULT_JSON:
		if (pg && ends_in(c->type, "[]"))
			array_default(b, c);
		else
			ddl_addf(b, pg ? "%L::%s" : "%L", c->def_text, c->type);
		break;
	}
	return true;
}

bool ddl_default_constant(const struct column *c)
{
	return c->def != DEFAULT_NOW && c->def != DEFAULT_TODAY && c->def != DEFAULT_UUID && c->def != DEFAULT_SERIAL;
}

bool ddl_rowid_key(const struct table *t, const struct column *c)
{
	return c->def == DEFAULT_SERIAL && t->primary.n == 1 && strcmp(t->primary.column[0], c->name) == 0;
}

static void serial_type(struct buf *b, const struct column *c)
{
	buf_addstr(b, strcmp(c->type, "BIGINT") == 0 ? "BIGSERIAL" : "SERIAL");
}

void ddl_column(struct buf *b, const struct table *t, const struct column *c, enum dialect dialect, bool bare)
{
	ddl_addf(b, "%I ", c->name);
	if (dialect == DIALECT_SQLITE && ddl_rowid_key(t, c)) {
		buf_addstr(b, "INTEGER PRIMARY KEY AUTOINCREMENT");
		return;
	}
	if (dialect == DIALECT_POSTGRESQL && c->def == DEFAULT_SERIAL) {
		serial_type(b, c);
	} else {
		char *type = model_type(c->type, dialect);

		buf_addstr(b, type);
		free(type);
	}
	/* SQLite numbers such a column after the insert, by a trigger. */
	if (c->not_null && !bare && !(dialect == DIALECT_SQLITE && c->def == DEFAULT_SERIAL))
		buf_addstr(b, " NOT NULL");
	size_t at = b->len;

	buf_addstr(b, " DEFAULT ");
	if (!ddl_default(b, c, dialect))
		buf_setlen(b, at);
}

/* ^[0-9]{3}-x$ -> [0-9][0-9][0-9]-x, as GLOB has it */
static void glob(struct buf *b, const char *p)
{
	struct buf g = BUF_INIT;

	p += *p == '^';
	while (*p && strcmp(p, "$") != 0) {
		size_t at = g.len, n = 1;

		if (*p == '[')
			n = strcspn(p, "]") + (strchr(p, ']') != NULL);
		p += *p == '\\' && p[1];
		if (*p == '*' || *p == '?')
			buf_addf(&g, "[%c]", *p);
		else
			buf_add(&g, p, n);
		p += n;
		if (*p == '{') {
			long times = strtol(p + 1, NULL, 10);
			size_t len = g.len - at;

			for (long i = 1; i < times && i < 1000; i++) {
				buf_reserve(&g, len);
				buf_add(&g, g.s + at, len);
			}
			p += strcspn(p, "}");
			p += *p == '}';
		}
	}
	buf_addch(&g, '\0');
	ddl_text(b, g.s);
	buf_release(&g);
}

static void check_list(struct buf *b, const struct check *c)
{
	for (size_t i = 0; i < c->noption; i++) {
		if (i)
			buf_addstr(b, ", ");
		ddl_text(b, c->option[i]);
	}
}

static void check_range(struct buf *b, const struct check *c, const char *value)
{
	if (c->min)
		ddl_addf(b, "%s >= %s", value, c->min);
	if (c->min && c->max)
		buf_addstr(b, " AND ");
	if (c->max)
		ddl_addf(b, "%s <= %s", value, c->max);
}

static void check_items(struct buf *b, const struct table *t, const struct check *c, const char *value, bool pg)
{
	const struct column *col = column_of(t, c->column);
	bool array = col && ends_in(col->type, "[]");

	ddl_addf(b, "%s(%s) <= %s",
	         !pg     ? "json_array_length"
	         : array ? "cardinality"
	                 : "jsonb_array_length",
	         value, c->max);
}

bool ddl_check(struct buf *b, const struct table *t, const struct check *c, const char *value, enum dialect dialect)
{
	bool pg = dialect == DIALECT_POSTGRESQL;

	switch (c->kind) {
	case CHECK_RANGE:
		check_range(b, c, value);
		break;
	case CHECK_ENUM:
		ddl_addf(b, "%s IN (", value);
		check_list(b, c);
		buf_addch(b, ')');
		break;
	case CHECK_SUBSET:
		if (!pg)
			return false;
		ddl_addf(b, "%s <@ ARRAY[", value);
		check_list(b, c);
		buf_addstr(b, "]::TEXT[]");
		break;
	case CHECK_MAX_ITEMS:
		check_items(b, t, c, value, pg);
		break;
	case CHECK_MAX_LENGTH:
		ddl_addf(b, "length(%s) <= %s", value, c->max);
		break;
	case CHECK_FORMAT:
		if (pg) {
			ddl_addf(b, "%s ~ %L", value, c->text);
		} else {
			ddl_addf(b, "%s GLOB ", value);
			glob(b, c->text);
		}
		break;
	case CHECK_RAW:
		buf_addstr(b, c->text);
		break;
	}
	return true;
}

void ddl_unique(struct buf *b, const struct key *k)
{
	ddl_addf(b, "CONSTRAINT %I UNIQUE (", k->name);
	ddl_names(b, k->column, k->n);
	buf_addch(b, ')');
}

void ddl_primary(struct buf *b, const struct table *t)
{
	if (t->primary.name)
		ddl_addf(b, "CONSTRAINT %I ", t->primary.name);
	buf_addstr(b, "PRIMARY KEY (");
	ddl_names(b, t->primary.column, t->primary.n);
	buf_addch(b, ')');
}

static void upper(struct buf *b, const char *on, const char *what)
{
	if (!what)
		return;
	ddl_addf(b, " ON %s ", on);
	for (; *what; what++)
		buf_addch(b, (char)toupper((unsigned char)*what));
}

void ddl_foreign(struct buf *b, const struct fkey *f)
{
	ddl_addf(b, "CONSTRAINT %I FOREIGN KEY (", f->name);
	ddl_names(b, f->column, f->n);
	ddl_addf(b, ") REFERENCES %I (", f->table);
	ddl_names(b, f->references, f->n);
	buf_addch(b, ')');
	upper(b, "DELETE", f->on_delete);
	upper(b, "UPDATE", f->on_update);
}

void ddl_index(struct buf *b, const struct index *i, const char *table, enum dialect dialect, bool concurrently)
{
	bool pg = dialect == DIALECT_POSTGRESQL;

	ddl_addf(b, "CREATE %sINDEX %s%I ON %I ", i->unique ? "UNIQUE " : "", concurrently ? "CONCURRENTLY " : "",
	         i->name, table);
	if (pg && i->method && strcmp(i->method, "btree") != 0)
		ddl_addf(b, "USING %s ", i->method);
	buf_addch(b, '(');
	ddl_names(b, i->column, i->n);
	buf_addch(b, ')');
	if (i->where)
		ddl_addf(b, " WHERE %s", i->where);
}

/* The keys, checks and references that stand in the table's own text. */
static void table_constraints(struct buf *b, const struct pair *p, enum dialect dialect)
{
	const struct table *t = p->new;

	if (t->primary.n && !(dialect == DIALECT_SQLITE && t->primary.n == 1 && column_of(t, t->primary.column[0]) &&
	                      ddl_rowid_key(t, column_of(t, t->primary.column[0])))) {
		buf_addstr(b, ", ");
		ddl_primary(b, t);
	}
	for (size_t i = 0; i < t->nunique; i++) {
		buf_addstr(b, ", ");
		ddl_unique(b, &t->unique[i]);
	}
	for (size_t i = 0; i < t->ncheck; i++) {
		struct buf value = BUF_INIT;
		size_t at = b->len;

		if (t->check[i].column)
			ddl_name(&value, t->check[i].column);
		ddl_addf(b, ", CONSTRAINT %I CHECK (", t->check[i].name);
		if (ddl_check(b, t, &t->check[i], value.s, dialect))
			buf_addch(b, ')');
		else
			buf_setlen(b, at);
		buf_release(&value);
	}
	for (size_t i = 0; i < t->nfkey; i++)
		if (!p->later || !p->later[i]) {
			buf_addstr(b, ", ");
			ddl_foreign(b, &t->fkey[i]);
		}
}

void ddl_table(struct buf *b, const struct pair *p, const char *name, enum dialect dialect)
{
	const struct table *t = p->new;

	ddl_addf(b, "CREATE TABLE %I (", name);
	for (size_t i = 0; i < t->ncolumn; i++) {
		if (i)
			buf_addstr(b, ", ");
		ddl_column(b, t, &t->column[p->new_order ? p->new_order[i] : i], dialect, false);
	}
	table_constraints(b, p, dialect);
	buf_addch(b, ')');
}

bool ddl_contained(const char *s)
{
	int depth = 0;

	for (; *s; s++) {
		if (*s == '\'' || *s == '"') {
			char q = *s++;

			while (*s && *s != q)
				s++;
			if (!*s)
				return false;
		} else if (*s == '(') {
			depth++;
		} else if (*s == ')') {
			if (--depth < 0)
				return false;
		} else if (*s == ';' || (*s == '-' && s[1] == '-') || (*s == '/' && s[1] == '*') || *s == '$') {
			return false;
		}
	}
	return depth == 0;
}
