/* half.c -- what both dialects do the same way: see dialect.h */
#include "cast.h"
#include "dialect.h"

#include <stdarg.h>
#include <stdlib.h>

void half_sql(const struct half *h, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	ddl_vaddf(&b, fmt, ap);
	va_end(ap);
	part_sql(h->part, &b);
	buf_release(&b);
}

/*
 * What a column of the old table, forward, is called while the step runs: early
 * steps see old names, later ones the new names of what stays.
 */
static const char *name_then(const struct half *h, const struct table *t, const struct column *c)
{
	const struct pair *p = h->c->pair;
	const struct table *before = h->back ? p->new : p->old, *after = h->back ? p->old : p->new;
	const int32_t *to = h->back ? p->from : p->to;

	if (h->c->early || t != before || !after || !to || to[c - t->column] < 0)
		return c->name;
	return after->column[to[c - t->column]].name;
}

/* The table whose rows are to be kept is the forward step's old one, in both directions. */
static const struct table *kept(const struct half *h)
{
	const struct pair *p = h->c->pair;

	return p->old && p->new ? (h->back ? p->new : p->old) : (p->old ? p->old : p->new);
}

const char **half_key(const struct half *h, size_t *n)
{
	const struct table *t = kept(h);
	const char **v = xcalloc(t->primary.n + 1, sizeof *v);

	*n = 0;
	for (size_t i = 0; i < t->primary.n; i++) {
		const struct column *c = column_of(t, t->primary.column[i]);

		if (c)
			v[(*n)++] = name_then(h, t, c);
	}
	return v;
}

void half_rows(const struct half *h, const char *op, const char *column, const char *where)
{
	const struct table *t = kept(h);
	const struct pair *p = h->c->pair;
	const size_t *order = t == p->old ? p->old_order : p->new_order;
	const char **v = xcalloc(t->ncolumn + 1, sizeof *v);
	size_t n = 0, nkey;
	const char **key = half_key(h, &nkey);

	if (column)
		v[n++] = column;
	for (size_t i = 0; !column && i < t->ncolumn; i++)
		v[n++] = t->column[order ? order[i] : i].name;
	bool backup = strcmp(op, "backup") == 0;

	/* Values of a column are put back by the key: without one each would go into every row. */
	bool useful = !column || nkey || (backup && !where);

	/* Nobody writes between what is kept and the statements behind it. */
	if (useful && backup && h->x->dialect == DIALECT_POSTGRESQL)
		half_sql(h, "LOCK TABLE %I IN ACCESS EXCLUSIVE MODE", h->c->table);
	if (useful)
		part_rows(h->part, op, h->c->table, v, n, key, nkey, column, where);
	free(v);
	free(key);
}

char *view_query(const char *query)
{
	size_t n = strlen(query);

	while (n && strchr("; \t\r\n", query[n - 1]))
		n--;
	return xmemdup(query, n);
}

void half_refuse(const struct delta *x, const struct change *c, struct diag *d)
{
	const struct column *old = c->old.column, *new = c->new.column;
	struct cast there = CAST_INIT, back = CAST_INIT;

	if (c->what == WHAT_RETYPE_COLUMN && (cast_find(&there, old->type, new->type, "v", x->dialect) < 0 ||
	                                      cast_find(&back, new->type, old->type, "v", x->dialect) < 0))
		diag_add(d, MIG_INVALID, "unsupported_feature", c->table, "column %s: no way from %s to %s and back",
		         c->name, old->type, new->type);
	for (size_t i = 0; c->what == WHAT_DROP_COLUMN && i < c->pair->old->primary.n; i++)
		if (strcmp(c->pair->old->primary.column[i], old->name) == 0)
			diag_add(d, MIG_INVALID, "unsupported_feature", c->table,
			         "column %s is part of the key that tells rows apart: it cannot be dropped alone",
			         c->name);
	cast_release(&there);
	cast_release(&back);
}
