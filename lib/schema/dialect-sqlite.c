/* dialect-sqlite.c -- SQLite: see dialect.h */
#include "cast.h"
#include "rebuild.h"

#include <stdlib.h>

#define LITE DIALECT_SQLITE

static bool inline_check(const struct change *c)
{
	const struct check *k = c->new.check;

	return c->what == WHAT_ADD_CHECK && k->kind != CHECK_RAW && !check_by_trigger(k) &&
	       !pair_origin(c->pair, k->column);
}

static bool by_trigger(const struct change *c)
{
	return (c->what == WHAT_ADD_CHECK && check_by_trigger(c->new.check)) ||
	       (c->what == WHAT_DROP_CHECK && check_by_trigger(c->old.check));
}

/* Does a change of type change what is stored? */
static bool stored_otherwise(const struct change *c)
{
	const struct column *old = c->old.column, *new = c->new.column;
	char *a = model_type(old->type, LITE), *b = model_type(new->type, LITE);
	struct cast cast;
	bool plain = cast_find(&cast, old->type, new->type, "v", LITE) == 0 && cast.plain;
	bool yes = strcmp(a, b) != 0 || !plain || !default_same(old, new);

	cast_release(&cast);
	free(a);
	free(b);
	return yes;
}

static bool asks(const struct change *c)
{
	struct cast cast;
	bool yes = cast_find(&cast, c->old.column->type, c->new.column->type, "v", LITE) == 0 && cast.fits.len > 0;

	cast_release(&cast);
	return yes;
}

/* A column that ALTER TABLE adds to a table with rows. */
static bool addable(const struct column *c)
{
	return ddl_default_constant(c) && !(c->not_null && c->def == DEFAULT_NONE);
}

/* Only the last column is dropped in place, so that undoing it puts it where it was. */
static bool droppable(const struct change *c)
{
	const struct pair *p = c->pair;
	size_t last = p->old_order[p->old->ncolumn - 1];

	return &p->old->column[last] == c->old.column && addable(c->old.column);
}

static bool native(const struct change *c)
{
	switch (c->what) {
	case WHAT_RETYPE_COLUMN:
		return !stored_otherwise(c);
	case WHAT_ADD_COLUMN:
		return addable(c->new.column);
	case WHAT_DROP_COLUMN:
		return droppable(c);
	case WHAT_ADD_CHECK:
		return by_trigger(c) || inline_check(c);
	case WHAT_DROP_CHECK:
		return by_trigger(c);
	case WHAT_SET_DEFAULT:
	case WHAT_DROP_DEFAULT:
	case WHAT_SET_NOT_NULL:
	case WHAT_DROP_NOT_NULL:
	case WHAT_ADD_UNIQUE:
	case WHAT_DROP_UNIQUE:
	case WHAT_ADD_FOREIGN_KEY:
	case WHAT_DROP_FOREIGN_KEY:
	case WHAT_RENAME_CONSTRAINT:
		return false;
	default:
		return true;
	}
}

static bool part_of_rebuild(const struct change *c)
{
	return (c->what >= WHAT_ADD_COLUMN && c->what <= WHAT_DROP_FOREIGN_KEY && !by_trigger(c)) ||
	       c->what == WHAT_RENAME_CONSTRAINT;
}

static bool absorbed(const struct delta *x, const struct change *c)
{
	(void)x;
	if (!c->pair)
		return false;
	return c->pair->rebuild ? part_of_rebuild(c) : inline_check(c);
}

static bool steps(const struct delta *x, const struct change *c)
{
	if (c->what == WHAT_REBUILD_TABLE)
		return c->pair->rebuild;
	if (absorbed(x, c))
		return false;
	return c->what != WHAT_RETYPE_COLUMN || asks(c);
}

static bool renames_column(const struct pair *p, const char *old_name)
{
	const struct column *c = column_of(p->old, old_name);

	return c && p->to[c - p->old->column] >= 0 &&
	       strcmp(p->new->column[p->to[c - p->old->column]].name, old_name) != 0;
}

/* A table that refers to a column which a rebuild renames has the old name in its own text. */
static void follow_renames(struct delta *x)
{
	for (size_t i = 0; i < x->npair; i++) {
		struct pair *p = &x->pair[i];

		for (size_t k = 0; p->old && p->new &&k < p->old->nfkey; k++) {
			const struct fkey *f = &p->old->fkey[k];
			struct pair *q = delta_old_table(x, f->table);

			for (size_t n = 0; q && q->rebuild && n < f->n; n++)
				p->rebuild |= renames_column(q, f->references[n]);
		}
	}
}

static bool has_strangers(const struct delta *x, const struct pair *p)
{
	struct names known = NAMES_INIT;
	bool any = false;

	for (size_t i = 0; i < p->old->nindex; i++)
		names_add(&known, name_text(p->old->index[i].name), 0);
	for (int k = 0; k < 2; k++)
		for (uint32_t t = DOC_NONE;
		     (t = live_next(x->live, p->live, k ? "triggers" : "indexes", t)) != DOC_NONE;) {
			char *name = record_dup(x->live->doc, doc_member(x->live->doc, t, "name", 4));

			any |= name && names_get(&known, name_text(name)) < 0 &&
			       !(k && rebuild_own_trigger(p->old, name));
			free(name);
		}
	names_release(&known);
	return any;
}

/* What a rebuild cannot carry over. */
static void check_rebuild(struct delta *x, const struct pair *p, struct diag *d)
{
	bool renames = strcmp(p->old->name, p->new->name) != 0, drops = false, blocked = false;

	for (size_t i = 0; i < p->old->ncolumn; i++) {
		drops |= p->to[i] < 0;
		renames |= renames_column(p, p->old->column[i].name);
		blocked |= p->to[i] < 0 && column_of(p->new, p->old->column[i].name);
	}
	for (size_t i = 0; drops && i < p->old->primary.n; i++)
		blocked |= renames_column(p, p->old->primary.column[i]);
	if (blocked)
		diag_add(
			d, MIG_INVALID, "unsupported_feature", p->new->name,
			"SQLite: a column is dropped while another one takes its name, or while the key is renamed: "
			"make two plans of it");
	if (renames && has_strangers(x, p))
		diag_add(
			d, MIG_INVALID, "unsupported_feature", p->new->name,
			"SQLite: the table or a column is renamed in a rebuild, and it has indexes or triggers "
			"that the schema does not declare: rename in a plan of its own");
}

static void refuse(const struct change *c, struct diag *d)
{
	if (c->what == WHAT_ENABLE_RLS || c->what == WHAT_ADD_POLICY)
		diag_add(d, MIG_INVALID, "unsupported_feature", c->table, "SQLite has no row-level security");
	if (c->what == WHAT_CREATE_VIEW && c->new.view->view && c->new.view->view->materialized)
		diag_add(d, MIG_INVALID, "unsupported_feature", c->name, "SQLite has no materialized views");
}

static int prepare(struct delta *x, struct diag *d)
{
	size_t wrong = d->n;

	for (size_t i = 0; i < x->nchange; i++) {
		struct change *c = &x->change[i];

		refuse(c, d);
		half_refuse(x, c, d);
		if (c->pair && c->pair->old && c->pair->new && !native(c))
			c->pair->rebuild = true;
	}
	follow_renames(x);
	for (size_t i = 0; i < x->npair; i++)
		if (x->pair[i].rebuild)
			check_rebuild(x, &x->pair[i], d);
	return d->n > wrong ? -1 : 0;
}

static void create_index(const struct half *h, const struct index *i)
{
	struct buf b = BUF_INIT;

	ddl_index(&b, i, h->c->table, LITE, false);
	part_sql(h->part, &b);
	buf_release(&b);
}

static void create_table(const struct half *h)
{
	const struct pair *p = h->c->pair;
	struct names none = NAMES_INIT;
	struct buf b = BUF_INIT;

	ddl_table(&b, p, p->new->name, LITE);
	part_sql(h->part, &b);
	if (h->back)
		half_rows(h, "restore", NULL, NULL);
	for (size_t i = 0; i < p->new->nindex; i++)
		create_index(h, &p->new->index[i]);
	rebuild_triggers(h, p->new, &none);
	buf_release(&b);
}

/* With the checks of a new column, which stand in its own definition. */
static void add_column(const struct half *h)
{
	const struct table *t = h->c->pair->new;
	const struct column *c = h->c->new.column;
	struct buf b = BUF_INIT, value = BUF_INIT;

	ddl_column(&b, t, c, LITE, false);
	ddl_name(&value, c->name);
	for (size_t i = 0; !h->back && i < t->ncheck; i++) {
		const struct check *k = &t->check[i];

		if (k->kind == CHECK_RAW || check_by_trigger(k) || strcmp(k->column, c->name) != 0)
			continue;
		ddl_addf(&b, " CONSTRAINT %I CHECK (", k->name);
		ddl_check(&b, t, k, value.s, LITE);
		buf_addch(&b, ')');
	}
	half_sql(h, "ALTER TABLE %I ADD COLUMN %s", h->c->table, b.s);
	if (h->back)
		half_rows(h, "restore", c->name, NULL);
	buf_release(&b);
	buf_release(&value);
}

static void create_view(const struct half *h)
{
	static const char *const what[] = { "INSERT", "UPDATE", "DELETE" };
	const struct viewing *w = h->c->new.view;
	char *query = view_query(w->view ? w->view->query : w->live->definition);

	if (w->view)
		half_sql(h, "CREATE VIEW %I AS %s", h->c->name, query);
	else
		half_sql(h, "%s", query);
	for (int i = 0; w->view && i < 3; i++) {
		char *name = xasprintf("%s_no_%s", h->c->name, what[i]);
		char *message = xasprintf("view %s is read-only", h->c->name);

		half_sql(h, "CREATE TRIGGER %I INSTEAD OF %s ON %I BEGIN SELECT RAISE(ABORT, %L); END", name, what[i],
		         h->c->name, message);
		free(name);
		free(message);
	}
	free(query);
}

static void act_on_column(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_ADD_COLUMN:
		add_column(h);
		break;
	case WHAT_DROP_COLUMN:
		half_rows(h, "backup", c->name, NULL);
		half_sql(h, "ALTER TABLE %I DROP COLUMN %I", c->table, c->name);
		break;
	case WHAT_RENAME_COLUMN:
		half_sql(h, "ALTER TABLE %I RENAME COLUMN %I TO %I", c->table, c->from, c->to);
		break;
	default: /* a type that is stored the same way: only asked */
		break;
	}
}

static void act_on_table(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_CREATE_TABLE:
		create_table(h);
		break;
	case WHAT_DROP_TABLE:
		half_rows(h, "backup", NULL, NULL);
		half_sql(h, "DROP TABLE %I", c->table);
		break;
	case WHAT_RENAME_TABLE:
		half_sql(h, "ALTER TABLE %I RENAME TO %I", c->from, c->to);
		break;
	case WHAT_REBUILD_TABLE:
		rebuild_act(h);
		break;
	default:
		break;
	}
}

static void act(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_ADD_INDEX:
		create_index(h, c->new.index);
		break;
	case WHAT_DROP_INDEX:
		half_sql(h, "DROP INDEX %I", c->name);
		break;
	case WHAT_ADD_CHECK:
		rebuild_list_triggers(h, c->table, c->new.check);
		break;
	case WHAT_DROP_CHECK:
		rebuild_drop_list_triggers(h, c->table, c->old.check);
		break;
	case WHAT_CREATE_VIEW:
		create_view(h);
		break;
	case WHAT_DROP_VIEW:
		half_sql(h, "DROP VIEW %I", c->name);
		break;
	default:
		if (c->what >= WHAT_ADD_COLUMN && c->what <= WHAT_DROP_NOT_NULL)
			act_on_column(h);
		else
			act_on_table(h);
	}
}

const struct dialect_ops dialect_sqlite = { prepare, steps, act, absorbed };
