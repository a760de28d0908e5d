/* dialect-pg.c -- PostgreSQL: see dialect.h */
#include "cast.h"
#include "dialect.h"
#include "keep.h"

#include <stdlib.h>

#define PG DIALECT_POSTGRESQL

static int prepare(struct delta *x, struct diag *d)
{
	size_t wrong = d->n;

	for (size_t i = 0; i < x->nchange; i++)
		half_refuse(x, &x->change[i], d);
	return d->n > wrong ? -1 : 0;
}

static bool steps(const struct delta *x, const struct change *c)
{
	(void)x;
	return c->what != WHAT_REBUILD_TABLE;
}

static bool absorbed(const struct delta *x, const struct change *c)
{
	(void)x;
	(void)c;
	return false;
}

/* A serial column counts from where it is told, or behind what is there. */
static void count_on(const struct half *h, const struct column *c, bool behind)
{
	struct buf sequence = BUF_INIT;

	if (c->def != DEFAULT_SERIAL || (!c->def_text && !behind))
		return;
	ddl_name(&sequence, h->c->table);
	if (behind)
		half_sql(
			h,
			"SELECT setval(pg_get_serial_sequence(%L, %L), "
			"(SELECT coalesce(max(%I), 0) + 1 FROM %I), false)",
			sequence.s, c->name, c->name, h->c->table);
	else
		half_sql(h, "SELECT setval(pg_get_serial_sequence(%L, %L), %s, false)", sequence.s, c->name,
		         c->def_text);
	buf_release(&sequence);
}

static void create_policy(const struct half *h, const struct policy *p, const char *table)
{
	struct buf b = BUF_INIT;

	ddl_addf(&b, "CREATE POLICY %I ON %I FOR %s", p->name, table, p->command);
	if (p->using_)
		ddl_addf(&b, " USING (%s)", p->using_);
	if (p->with_check)
		ddl_addf(&b, " WITH CHECK (%s)", p->with_check);
	part_sql(h->part, &b);
	buf_release(&b);
}

static void create_index(const struct half *h, const struct index *i, const char *table, bool concurrently)
{
	struct buf b = BUF_INIT;

	ddl_index(&b, i, table, PG, concurrently);
	part_sql(h->part, &b);
	buf_release(&b);
}

/* A table with all that is its own; on the way back also its rows. */
static void create_table(const struct half *h)
{
	const struct table *t = h->c->pair->new;
	struct buf b = BUF_INIT;

	ddl_table(&b, h->c->pair, t->name, PG);
	part_sql(h->part, &b);
	if (h->back)
		half_rows(h, "restore", NULL, NULL);
	for (size_t i = 0; i < t->ncolumn; i++)
		count_on(h, &t->column[i], h->back);
	for (size_t i = 0; i < t->nindex; i++)
		create_index(h, &t->index[i], t->name, false);
	if (t->rls)
		half_sql(h, "ALTER TABLE %I ENABLE ROW LEVEL SECURITY", t->name);
	for (size_t i = 0; t->rls && i < t->npolicy; i++)
		create_policy(h, &t->policy[i], t->name);
	buf_release(&b);
}

static void set_default(const struct half *h, const struct column *c, const char *name)
{
	struct buf b = BUF_INIT;

	if (c->def == DEFAULT_SERIAL) {
		char *sequence = xasprintf("%s_%s_seq", h->c->table, name);
		struct buf quoted = BUF_INIT;

		ddl_name(&quoted, sequence);
		half_sql(h, "CREATE SEQUENCE %I OWNED BY %I.%I", sequence, h->c->table, name);
		half_sql(h, "SELECT setval(%L, (SELECT coalesce(max(%I), 0) + 1 FROM %I), false)", quoted.s, name,
		         h->c->table);
		half_sql(h, "ALTER TABLE %I ALTER COLUMN %I SET DEFAULT nextval(%L)", h->c->table, name, quoted.s);
		free(sequence);
		buf_release(&quoted);
	} else if (ddl_default(&b, c, PG)) {
		half_sql(h, "ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %s", h->c->table, name, b.s);
	}
	buf_release(&b);
}

static void drop_default(const struct half *h, const struct column *c, const char *name)
{
	if (c->def == DEFAULT_NONE)
		return;
	half_sql(h, "ALTER TABLE %I ALTER COLUMN %I DROP DEFAULT", h->c->table, name);
	if (c->def == DEFAULT_SERIAL) {
		char *sequence = xasprintf("%s_%s_seq", h->c->table, name);

		half_sql(h, "DROP SEQUENCE IF EXISTS %I", sequence);
		free(sequence);
	}
}

/* A column as it is when only its type has changed. */
static struct column retyped(const struct column *old, const struct column *new)
{
	struct column c = *new;

	c.not_null = old->not_null;
	return c;
}

/* .. and when all has changed but that it may be NULL. */
static struct column nullable(const struct column *new)
{
	struct column c = *new;

	c.not_null = false;
	return c;
}

static void retype(const struct half *h)
{
	const struct change *c = h->c;
	const struct column *old = c->old.column, *new = c->new.column;
	bool keeps = default_same(old, new) && old->def == DEFAULT_SERIAL;
	struct buf name = BUF_INIT;
	struct cast cast;

	ddl_name(&name, c->name);
	if (cast_find(&cast, old->type, new->type, name.s, PG) == 0) {
		struct column there = h->back ? retyped(new, old) : retyped(old, new);

		if (!h->back)
			keep_values(h, c->name, old, &there);
		else if (cast.narrows)
			half_rows(h, "backup", c->name, NULL);
		if (!keeps)
			drop_default(h, old, c->name);
		half_sql(h, "ALTER TABLE %I ALTER COLUMN %I TYPE %s USING %s", c->table, c->name, new->type,
		         cast.value.s);
		if (!keeps)
			set_default(h, new, c->name);
		if (h->back)
			keep_restore(h, c->name, new, &there);
	}
	cast_release(&cast);
	buf_release(&name);
}

static void not_null(const struct half *h)
{
	struct buf b = BUF_INIT;
	const char *table = h->c->table, *name = h->c->name;

	struct column before = nullable(h->c->new.column);

	if (!h->back)
		keep_values(h, name, &before, h->c->new.column);
	if (h->c->new.column->def != DEFAULT_NONE && ddl_default(&b, h->c->new.column, PG))
		half_sql(h, "UPDATE %I SET %I = %s WHERE %I IS NULL", table, name, b.s, name);
	half_sql(h, "ALTER TABLE %I ALTER COLUMN %I SET NOT NULL", table, name);
	buf_release(&b);
}

static void null_again(const struct half *h)
{
	const struct column *filled = h->c->old.column;
	struct column before = nullable(filled);

	half_sql(h, "ALTER TABLE %I ALTER COLUMN %I DROP NOT NULL", h->c->table, h->c->name);
	if (h->back)
		keep_restore(h, h->c->name, &before, filled);
}

/* What comes back gets its values before it insists on having them. */
static void add_column(const struct half *h)
{
	const struct column *c = h->c->new.column;
	struct buf b = BUF_INIT;

	ddl_column(&b, h->c->pair->new, c, PG, h->back);
	half_sql(h, "ALTER TABLE %I ADD COLUMN %s", h->c->table, b.s);
	if (h->back) {
		half_rows(h, "restore", c->name, NULL);
		if (c->not_null && c->def != DEFAULT_SERIAL)
			half_sql(h, "ALTER TABLE %I ALTER COLUMN %I SET NOT NULL", h->c->table, c->name);
	}
	count_on(h, c, h->back);
	buf_release(&b);
}

static void drop_rows(const struct half *h, const struct column *c)
{
	half_rows(h, "backup", c ? c->name : NULL, NULL);
	if (c)
		half_sql(h, "ALTER TABLE %I DROP COLUMN %I", h->c->table, c->name);
	else
		half_sql(h, "DROP TABLE %I", h->c->table);
}

static void add_constraint(const struct half *h)
{
	const struct change *c = h->c;
	struct buf b = BUF_INIT, value = BUF_INIT;

	if (c->what == WHAT_ADD_FOREIGN_KEY) {
		ddl_foreign(&b, c->new.fkey);
	} else if (c->what == WHAT_ADD_CHECK) {
		const struct check *k = c->new.check;

		if (k->column)
			ddl_name(&value, k->column);
		ddl_addf(&b, "CONSTRAINT %I CHECK (", k->name);
		ddl_check(&b, c->pair->new, k, value.s, PG);
		buf_addch(&b, ')');
	} else if (c->primary) {
		ddl_primary(&b, c->pair->new);
	} else {
		ddl_unique(&b, c->new.key);
	}
	half_sql(h, "ALTER TABLE %I ADD %s", c->table, b.s);
	buf_release(&b);
	buf_release(&value);
}

static void create_view(const struct half *h)
{
	const struct viewing *w = h->c->new.view;

	if (w->view) {
		char *query = view_query(w->view->query);

		/* A view with a WITH of its own is not written through. */
		half_sql(h,
		         w->view->materialized
		                 ? "CREATE MATERIALIZED VIEW %I AS %s"
		                 : "CREATE VIEW %I AS WITH rows_of_view AS (%s) SELECT * FROM rows_of_view",
		         h->c->name, query);
		free(query);
	} else {
		char *query = view_query(w->live->definition);

		half_sql(h, "CREATE %sVIEW %I AS %s", w->live->materialized ? "MATERIALIZED " : "", h->c->name, query);
		free(query);
	}
}

static bool materialized(const struct viewing *w)
{
	return w->live ? w->live->materialized : w->view->materialized;
}

static void act_on_view(const struct half *h)
{
	if (h->c->what == WHAT_CREATE_VIEW)
		create_view(h);
	else if (h->c->what == WHAT_REFRESH_VIEW)
		half_sql(h, "REFRESH MATERIALIZED VIEW %I", h->c->name);
	else
		half_sql(h, "DROP %sVIEW %I", materialized(h->c->old.view) ? "MATERIALIZED " : "", h->c->name);
}

static void rename_constraint(const struct half *h)
{
	const struct change *c = h->c;

	if (c->old.index)
		half_sql(h, "ALTER INDEX %I RENAME TO %I", c->from, c->to);
	else
		half_sql(h, "ALTER TABLE %I RENAME CONSTRAINT %I TO %I", c->table, c->from, c->to);
}

static void act_on_table(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_CREATE_TABLE:
		create_table(h);
		break;
	case WHAT_DROP_TABLE:
		drop_rows(h, NULL);
		break;
	case WHAT_RENAME_TABLE:
		half_sql(h, "ALTER TABLE %I RENAME TO %I", c->from, c->to);
		break;
	case WHAT_ENABLE_RLS:
	case WHAT_DISABLE_RLS:
		half_sql(h, "ALTER TABLE %I %s ROW LEVEL SECURITY", c->table,
		         c->what == WHAT_ENABLE_RLS ? "ENABLE" : "DISABLE");
		break;
	case WHAT_ADD_POLICY:
		create_policy(h, c->new.policy, c->table);
		break;
	case WHAT_DROP_POLICY:
		half_sql(h, "DROP POLICY %I ON %I", c->name, c->table);
		break;
	default:
		break;
	}
}

static void act_on_column(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_ADD_COLUMN:
		add_column(h);
		break;
	case WHAT_DROP_COLUMN:
		drop_rows(h, c->old.column);
		break;
	case WHAT_RENAME_COLUMN:
		half_sql(h, "ALTER TABLE %I RENAME COLUMN %I TO %I", c->table, c->from, c->to);
		break;
	case WHAT_RETYPE_COLUMN:
		retype(h);
		break;
	case WHAT_SET_DEFAULT:
		if (c->old.column->def == DEFAULT_SERIAL)
			drop_default(h, c->old.column, c->name);
		set_default(h, c->new.column, c->name);
		break;
	case WHAT_DROP_DEFAULT:
		drop_default(h, c->old.column, c->name);
		break;
	case WHAT_SET_NOT_NULL:
		not_null(h);
		break;
	case WHAT_DROP_NOT_NULL:
		null_again(h);
		break;
	default:
		break;
	}
}

static void act(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_ADD_CHECK:
	case WHAT_ADD_UNIQUE:
	case WHAT_ADD_FOREIGN_KEY:
		add_constraint(h);
		break;
	case WHAT_DROP_CHECK:
	case WHAT_DROP_UNIQUE:
	case WHAT_DROP_FOREIGN_KEY:
		half_sql(h, "ALTER TABLE %I DROP CONSTRAINT %I", c->table, c->name);
		break;
	case WHAT_ADD_INDEX:
		create_index(h, c->new.index, c->table, c->new.index->concurrent && !h->back);
		break;
	case WHAT_DROP_INDEX:
		half_sql(h, "DROP INDEX %I", c->name);
		break;
	case WHAT_RENAME_CONSTRAINT:
		rename_constraint(h);
		break;
	case WHAT_CREATE_VIEW:
	case WHAT_DROP_VIEW:
	case WHAT_REFRESH_VIEW:
		act_on_view(h);
		break;
	default:
		if (c->what >= WHAT_ADD_COLUMN && c->what <= WHAT_DROP_NOT_NULL)
			act_on_column(h);
		else
			act_on_table(h);
	}
}

const struct dialect_ops dialect_pg = { prepare, steps, act, absorbed };
