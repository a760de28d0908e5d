/* ask.c -- what a change needs of the data; names are those before the plan's first statement */
#include "cast.h"
#include "dialect.h"

#include <stdlib.h>

/* A new column's value, made from the old one as the plan will make it: false if it has no old one. */
static bool value_now(const struct half *h, const char *new_name, struct buf *value)
{
	const struct pair *p = h->c->pair;
	const struct column *new = column_of(p->new, new_name), *old = pair_origin(p, new_name);
	struct buf name = BUF_INIT;
	struct cast cast;

	if (!old || !new)
		return false;
	ddl_name(&name, old->name);
	bool ok = cast_find(&cast, old->type, new->type, name.s, h->x->dialect) == 0;

	if (ok && cast.fits.len)
		ddl_addf(value, "(CASE WHEN %s THEN %s END)", cast.fits.s, cast.value.s);
	else if (ok)
		buf_add(value, cast.value.s, cast.value.len);
	cast_release(&cast);
	buf_release(&name);
	return ok;
}

/* Rows that meet a condition; examples: what those rows hold. */
static void count(const struct half *h, const char *condition, const char *shown, const char *message)
{
	const char *table = h->c->pair->old->name;
	struct buf sql = BUF_INIT, examples = BUF_INIT;

	ddl_addf(&sql, "SELECT count(*) FROM %I WHERE %s", table, condition);
	if (shown)
		ddl_addf(&examples, "SELECT DISTINCT %s FROM %I WHERE %s ORDER BY 1 LIMIT 10", shown, table, condition);
	part_ask(h->part, &sql, &examples, "%s", message);
	buf_release(&sql);
	buf_release(&examples);
}

/* The key's first column, which names a row; NULL: there is none. */
static char *row_name(const struct half *h)
{
	const struct table *t = h->c->pair->old;
	struct buf b = BUF_INIT;

	if (!t->primary.n)
		return NULL;
	ddl_name(&b, t->primary.column[0]);
	return buf_steal(&b);
}

static void ask_not_null(const struct half *h)
{
	const struct change *c = h->c;
	struct buf value = BUF_INIT;

	if (c->new.column->def != DEFAULT_NONE || !value_now(h, c->new.column->name, &value))
		return;
	char *row = row_name(h), *condition = xasprintf("%s IS NULL", value.s);
	char *message = xasprintf("table %s: column %s contains null values", c->table, c->name);

	count(h, condition, row, message);
	free(row);
	free(condition);
	free(message);
	buf_release(&value);
}

/* A column that every row must fill, with nothing to fill it: only an empty table can have it. */
static void ask_new_column(const struct half *h)
{
	const struct column *new = h->c->new.column;
	struct buf sql = BUF_INIT;

	if (!new->not_null || new->def != DEFAULT_NONE || h->back)
		return;
	ddl_addf(&sql, "SELECT count(*) FROM %I", h->c->pair->old->name);
	part_ask(h->part, &sql, NULL,
	         "table %s: column %s contains null values: it is required, has no default, and the table has rows",
	         h->c->table, new->name);
	buf_release(&sql);
}

static void ask_retype(const struct half *h)
{
	const struct column *old = h->c->old.column, *new = h->c->new.column;
	struct buf name = BUF_INIT;
	struct cast cast;

	ddl_name(&name, pair_origin(h->c->pair, new->name)->name);
	if (cast_find(&cast, old->type, new->type, name.s, h->x->dialect) == 0 && cast.fits.len) {
		char *condition = xasprintf("%s IS NOT NULL AND NOT (%s)", name.s, cast.fits.s);
		char *message = xasprintf("table %s: column %s holds values that cannot be converted from %s to %s",
		                          h->c->table, h->c->name, old->type, new->type);

		count(h, condition, name.s, message);
		free(condition);
		free(message);
	}
	cast_release(&cast);
	buf_release(&name);
}

static void ask_unique(const struct half *h, char *const *column, size_t n)
{
	const char *table = h->c->pair->old->name;
	struct buf columns = BUF_INIT, present = BUF_INIT, sql = BUF_INIT, examples = BUF_INIT, value = BUF_INIT;
	bool known = true;

	for (size_t i = 0; i < n && known; i++) {
		buf_reset(&value);
		known = value_now(h, column[i], &value);
		if (!known)
			break;
		ddl_addf(&columns, "%s%s", i ? ", " : "", value.s);
		ddl_addf(&present, "%s%s IS NOT NULL", i ? " AND " : "", value.s);
	}
	if (known) {
		ddl_addf(&sql,
		         "SELECT count(*) FROM (SELECT 1 FROM %I WHERE %s GROUP BY %s HAVING count(*) > 1) AS twice",
		         table, present.s, columns.s);
		ddl_addf(&examples, "SELECT %s FROM %I WHERE %s GROUP BY %s HAVING count(*) > 1 ORDER BY %s LIMIT 10",
		         columns.s, table, present.s, columns.s, columns.s);
		buf_reset(&columns);
		for (size_t i = 0; i < n; i++)
			ddl_addf(&columns, "%s%s", i ? ", " : "", column[i]);
		part_ask(h->part, &sql, &examples, "table %s: duplicate values found in %s", h->c->table, columns.s);
	}
	buf_release(&columns);
	buf_release(&present);
	buf_release(&sql);
	buf_release(&examples);
	buf_release(&value);
}

static bool same_names(const struct pair *p)
{
	for (size_t i = 0; i < p->new->ncolumn; i++)
		if (p->from[i] < 0 || strcmp(p->old->column[p->from[i]].name, p->new->column[i].name) != 0 ||
		    strcmp(p->old->column[p->from[i]].type, p->new->column[i].type) != 0)
			return false;
	return true;
}

static void list_outside(struct buf *b, const struct check *c, const char *value)
{
	ddl_addf(b, "EXISTS (SELECT 1 FROM json_each(%s) AS item WHERE item.value NOT IN (", value);
	for (size_t i = 0; i < c->noption; i++)
		ddl_addf(b, "%s%L", i ? ", " : "", c->option[i]);
	buf_addstr(b, "))");
}

static void ask_check(const struct half *h)
{
	const struct check *k = h->c->new.check;
	struct buf value = BUF_INIT, good = BUF_INIT, bad = BUF_INIT;
	char *message = NULL, *row = NULL;

	if (k->kind == CHECK_RAW) {
		if (same_names(h->c->pair)) { /* what it speaks of is there under these names already */
			ddl_addf(&bad, "NOT (%s)", k->text);
			row = row_name(h);
			message = xasprintf("table %s: rows that break the constraint %s", h->c->table, k->name);
		}
	} else if (value_now(h, k->column, &value)) {
		if (ddl_check(&good, h->c->pair->new, k, value.s, h->x->dialect))
			ddl_addf(&bad, "%s IS NOT NULL AND NOT (%s)", value.s, good.s);
		else
			list_outside(&bad, k, value.s);
		row = xstrdup(value.s);
		message = xasprintf("table %s: column %s holds values outside of %s", h->c->table, k->column, k->name);
	}
	if (message)
		count(h, bad.s, row, message);
	free(message);
	free(row);
	buf_release(&value);
	buf_release(&good);
	buf_release(&bad);
}

/* Values that nothing is found for; the table that they lead to may be new, or have other names still. */
static void ask_foreign(const struct half *h)
{
	const struct fkey *f = h->c->new.fkey;
	const struct pair *p = h->c->pair;
	struct pair inverse;
	struct pair *q = h->back ? delta_old_table(h->x, f->table) : delta_new_table(h->x, f->table);
	struct buf here = BUF_INIT, there = BUF_INIT, bad = BUF_INIT, shown = BUF_INIT;

	if (q && h->back) {
		inverse = pair_inverse(q);
		q = &inverse;
	}
	bool ok = q != NULL && p->old && p->new;

	for (size_t i = 0; i < f->n && ok; i++) {
		const struct column *a = pair_origin(p, f->column[i]),
				    *b = q->old ? pair_origin(q, f->references[i]) : NULL;

		ok = a && (!q->old || b) && strcmp(a->type, column_of(p->new, f->column[i])->type) == 0;
		if (!ok)
			break;
		ddl_addf(&here, "%s%I.%I IS NOT NULL", i ? " AND " : "", p->old->name, a->name);
		ddl_addf(&shown, "%s%I", i ? ", " : "", a->name);
		if (b)
			ddl_addf(&there, " AND parent.%I = %I.%I", b->name, p->old->name, a->name);
	}
	if (ok) {
		char *message = xasprintf("table %s: orphans: %s leads to rows that %s does not have", h->c->table,
		                          f->column[0], f->table);

		buf_addstr(&bad, here.s);
		if (q->old)
			ddl_addf(&bad, " AND NOT EXISTS (SELECT 1 FROM %I AS parent WHERE TRUE%s)", q->old->name,
			         there.s);
		count(h, bad.s, shown.s, message);
		free(message);
	}
	buf_release(&here);
	buf_release(&there);
	buf_release(&bad);
	buf_release(&shown);
}

void ask_change(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_SET_NOT_NULL:
		ask_not_null(h);
		break;
	case WHAT_ADD_COLUMN:
		ask_new_column(h);
		break;
	case WHAT_RETYPE_COLUMN:
		ask_retype(h);
		break;
	case WHAT_ADD_UNIQUE:
		ask_unique(h, c->new.key->column, c->new.key->n);
		break;
	case WHAT_ADD_INDEX:
		if (c->new.index->unique && !c->new.index->where)
			ask_unique(h, c->new.index->column, c->new.index->n);
		break;
	case WHAT_ADD_CHECK:
		if (!check_implied(c->pair, c->old.check, c->new.check))
			ask_check(h);
		break;
	case WHAT_ADD_FOREIGN_KEY:
		ask_foreign(h);
		break;
	default:
		break;
	}
}
