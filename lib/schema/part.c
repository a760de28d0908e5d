/* part.c -- see part.h */
#include "part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void part_release(struct part *p)
{
	buf_release(&p->actions);
	buf_release(&p->pre);
	buf_release(&p->post);
	buf_release(&p->findings);
}

/* Begin another element of a list. */
static void begin(struct rec *w, struct buf *list)
{
	if (list->len)
		buf_addch(list, ',');
	rec_open(w, list);
}

static struct text whole(const struct buf *b)
{
	return (struct text){ b->s ? b->s : "", b->len };
}

void part_sql(struct part *p, const struct buf *sql)
{
	struct rec w;

	begin(&w, &p->actions);
	rec_cstr(&w, "op", "sql");
	rec_str(&w, "sql", whole(sql));
	rec_close(&w);
}

static void names(struct rec *w, const char *member, const char *const *v, size_t n)
{
	rec_name(w, member);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(w->b, ',');
		canon_string(w->b, v[i], strlen(v[i]));
	}
	buf_addch(w->b, ']');
}

void part_rows(struct part *p, const char *op, const char *table, const char *const *column, size_t ncolumn,
               const char *const *key, size_t nkey, const char *column_name, const char *where)
{
	char *name = column_name ? xasprintf("%s.%s", table, column_name) : xstrdup(table);
	struct rec w;

	begin(&w, &p->actions);
	names(&w, "columns", column, ncolumn);
	names(&w, "key", key, nkey);
	rec_cstr(&w, "name", name);
	rec_cstr(&w, "op", op);
	rec_cstr(&w, "table", table);
	if (where)
		rec_cstr(&w, "where", where);
	rec_close(&w);
	free(name);
}

void part_record(struct part *p, const char *checksum, int64_t version, const char *schema)
{
	struct rec w;

	begin(&w, &p->actions);
	rec_cstr(&w, "checksum", checksum);
	rec_int(&w, "history_version", version);
	rec_cstr(&w, "op", "record");
	rec_raw(&w, "schema", schema, strlen(schema));
	rec_close(&w);
}

void part_unrecord(struct part *p, int64_t version)
{
	struct rec w;

	begin(&w, &p->actions);
	rec_int(&w, "history_version", version);
	rec_cstr(&w, "op", "unrecord");
	rec_close(&w);
}

/* A message of any length. */
__attribute__((format(printf, 1, 0))) static char *worded(const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *s = xmalloc((size_t)n + 1);

	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

static void query(struct buf *list, const struct buf *sql, const struct buf *examples, const char *message)
{
	struct rec w;

	begin(&w, list);
	rec_cstr(&w, "check", "query");
	rec_int(&w, "equals", 0);
	if (examples && examples->len)
		rec_str(&w, "examples", whole(examples));
	rec_cstr(&w, "message", message);
	rec_str(&w, "sql", whole(sql));
	rec_close(&w);
}

void part_ask(struct part *p, const struct buf *sql, const struct buf *examples, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *message = worded(fmt, ap);

	va_end(ap);
	query(&p->pre, sql, examples, message);
	p->asks = true;
	free(message);
}

void part_expect(struct part *p, const struct buf *sql, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *message = worded(fmt, ap);

	va_end(ap);
	query(&p->post, sql, NULL, message);
	free(message);
}

void part_schema(struct part *p, const char *hash)
{
	struct rec w;

	begin(&w, &p->pre);
	rec_cstr(&w, "check", "schema");
	rec_cstr(&w, "hash", hash);
	rec_close(&w);
}

void part_find(struct part *p, const char *rule, const char *severity, int64_t rows, const char *fmt, ...)
{
	struct rec w;
	va_list ap;

	va_start(ap, fmt);
	char *message = worded(fmt, ap);

	va_end(ap);
	begin(&w, &p->findings);
	rec_cstr(&w, "message", message);
	if (rows < 0)
		rec_null(&w, "rows");
	else
		rec_int(&w, "rows", rows);
	rec_cstr(&w, "rule_id", rule);
	rec_cstr(&w, "severity", severity);
	rec_close(&w);
	free(message);
}
