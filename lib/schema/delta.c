/* delta.c -- see delta.h */
#include "delta.h"

#include <stdlib.h>

static const char *const names[] = {
	[WHAT_CREATE_TABLE] = "create_table",
	[WHAT_DROP_TABLE] = "drop_table",
	[WHAT_RENAME_TABLE] = "rename_table",
	[WHAT_REBUILD_TABLE] = "rebuild_table",
	[WHAT_ADD_COLUMN] = "add_column",
	[WHAT_DROP_COLUMN] = "drop_column",
	[WHAT_RENAME_COLUMN] = "rename_column",
	[WHAT_RETYPE_COLUMN] = "retype_column",
	[WHAT_SET_DEFAULT] = "set_default",
	[WHAT_DROP_DEFAULT] = "drop_default",
	[WHAT_SET_NOT_NULL] = "set_not_null",
	[WHAT_DROP_NOT_NULL] = "drop_not_null",
	[WHAT_ADD_CHECK] = "add_check",
	[WHAT_DROP_CHECK] = "drop_check",
	[WHAT_ADD_UNIQUE] = "add_unique",
	[WHAT_DROP_UNIQUE] = "drop_unique",
	[WHAT_ADD_FOREIGN_KEY] = "add_foreign_key",
	[WHAT_DROP_FOREIGN_KEY] = "drop_foreign_key",
	[WHAT_ADD_INDEX] = "add_index",
	[WHAT_DROP_INDEX] = "drop_index",
	[WHAT_RENAME_CONSTRAINT] = "rename_constraint",
	[WHAT_CREATE_VIEW] = "create_view",
	[WHAT_DROP_VIEW] = "drop_view",
	[WHAT_REFRESH_VIEW] = "refresh_view",
	[WHAT_ENABLE_RLS] = "enable_rls",
	[WHAT_DISABLE_RLS] = "disable_rls",
	[WHAT_ADD_POLICY] = "add_policy",
	[WHAT_DROP_POLICY] = "drop_policy",
	[WHAT_RECORD] = "record",
};

const char *what_name(enum what w)
{
	return names[w];
}

struct change *delta_add(struct delta *x, enum what w, struct pair *p, unsigned major, unsigned minor)
{
	if (x->nchange == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 64;
		x->change = xrealloc(x->change, x->cap, sizeof *x->change);
	}
	struct change *c = &x->change[x->nchange];

	*c = (struct change){ .what = w, .pair = p };
	c->order = (uint64_t)major << 56 | (uint64_t)(p ? p->rank : 0) << 32 | (uint64_t)minor << 26 | x->nchange++;
	c->early = major < MAJOR_ALTER;
	if (p)
		c->table = p->old && major <= MAJOR_RENAME_TABLE ? p->old->name : (p->new ? p->new : p->old)->name;
	return c;
}

char *delta_keep(struct delta *x, char *s)
{
	if (!(x->nowned & (x->nowned + 1)))
		x->owned = xrealloc(x->owned, x->nowned * 2 + 2, sizeof *x->owned);
	x->owned[x->nowned++] = s;
	return s;
}

struct pair *delta_old_table(const struct delta *x, const char *name)
{
	int32_t i = names_get(&x->old_name, name_text(name));

	return i == NAMES_NONE ? NULL : &x->pair[i];
}

struct pair *delta_new_table(const struct delta *x, const char *name)
{
	int32_t i = names_get(&x->new_name, name_text(name));

	return i == NAMES_NONE ? NULL : &x->pair[i];
}

const struct column *column_of(const struct table *t, const char *name)
{
	for (size_t i = 0; t && i < t->ncolumn; i++)
		if (strcmp(t->column[i].name, name) == 0)
			return &t->column[i];
	return NULL;
}

const struct column *pair_origin(const struct pair *p, const char *new_name)
{
	const struct column *c = p->old ? column_of(p->new, new_name) : NULL;

	if (!c || p->from[c - p->new->column] < 0)
		return NULL;
	return &p->old->column[p->from[c - p->new->column]];
}

struct pair pair_inverse(const struct pair *p)
{
	struct pair q = *p;

	q.old = p->new;
	q.new = p->old;
	q.from = p->to;
	q.to = p->from;
	q.old_order = p->new_order;
	q.new_order = p->old_order;
	return q;
}

static enum what inverse_of(const struct change *c)
{
	switch (c->what) {
	case WHAT_SET_DEFAULT:
	case WHAT_DROP_DEFAULT:
		return c->old.column->def == DEFAULT_NONE ? WHAT_DROP_DEFAULT : WHAT_SET_DEFAULT;
	case WHAT_CREATE_TABLE:
	case WHAT_ADD_COLUMN:
	case WHAT_SET_NOT_NULL:
	case WHAT_ADD_CHECK:
	case WHAT_ADD_UNIQUE:
	case WHAT_ADD_FOREIGN_KEY:
	case WHAT_ADD_INDEX:
	case WHAT_CREATE_VIEW:
	case WHAT_ENABLE_RLS:
	case WHAT_ADD_POLICY:
		return c->what + 1;
	case WHAT_DROP_TABLE:
	case WHAT_DROP_COLUMN:
	case WHAT_DROP_NOT_NULL:
	case WHAT_DROP_CHECK:
	case WHAT_DROP_UNIQUE:
	case WHAT_DROP_FOREIGN_KEY:
	case WHAT_DROP_INDEX:
	case WHAT_DROP_VIEW:
	case WHAT_DISABLE_RLS:
	case WHAT_DROP_POLICY:
		return c->what - 1;
	default:
		return c->what;
	}
}

struct change change_inverse(const struct change *c, struct pair *pair)
{
	struct change r = *c;

	if (c->pair)
		*pair = pair_inverse(c->pair);
	r.what = inverse_of(c);
	r.pair = c->pair ? pair : NULL;
	r.from = c->to;
	r.to = c->from;
	r.old = c->new;
	r.new = c->old;
	return r;
}

static struct text id_text(const int64_t *id)
{
	return (struct text){ (const char *)id, sizeof *id };
}

/* Two foreign keys and nothing else: what joins two tables. */
static bool joins(const struct table *t)
{
	if (t->id || t->nfkey != 2)
		return false;
	for (size_t i = 0; i < t->ncolumn; i++)
		if (t->column[i].id || (t->column[i].field_type && *t->column[i].field_type))
			return false;
	return true;
}

static struct pair *put_pair(struct delta *x, const struct table *old, const struct table *new)
{
	struct pair *p = &x->pair[x->npair];

	*p = (struct pair){ .old = old, .new = new, .place = x->npair, .live = DOC_NONE };
	if (old)
		names_add(&x->old_name, name_text(old->name), (int32_t)x->npair);
	if (new)
		names_add(&x->new_name, name_text(new->name), (int32_t)x->npair);
	x->npair++;
	return p;
}

/* Which table was which. */
struct matching {
	const struct model *old, *new;
	struct names by_id, by_name; /* of old tables that are still there */
	int32_t *mate, *back;        /* of new, of old tables; -1: none */
};

static void pair_up(struct matching *m, size_t new, int32_t old)
{
	if (old >= 0 && m->back[old] < 0) {
		m->mate[new] = old;
		m->back[old] = (int32_t) new;
	}
}

static void match_by_id_and_name(struct matching *m)
{
	const struct table *t = m->new->table;

	for (size_t i = 0; i < m->new->ntable; i++)
		if (t[i].id)
			pair_up(m, i, names_get(&m->by_id, id_text(&t[i].id)));
	for (size_t i = 0; i < m->new->ntable; i++) {
		int32_t at = names_get(&m->by_name, name_text(t[i].name));

		if (m->mate[i] < 0 && at >= 0 && !(t[i].id && m->old->table[at].id))
			pair_up(m, i, at);
	}
}

/* The tables that a junction joins, by the names they will have: new. */
static char *joined(const struct matching *m, const struct table *t, bool old)
{
	const char *side[2];

	for (size_t i = 0; i < 2; i++) {
		int32_t at = old ? names_get(&m->by_name, name_text(t->fkey[i].table)) : NAMES_NONE;

		side[i] = at >= 0 && m->back[at] >= 0 ? m->new->table[m->back[at]].name : t->fkey[i].table;
	}
	return xasprintf("%s\n%s", side[0], side[1]);
}

/* Junctions have no id: a renamed one joins the same tables. */
static void match_junctions(struct delta *x, struct matching *m)
{
	struct names by = NAMES_INIT;

	for (size_t i = 0; m->old && i < m->old->ntable; i++)
		if (m->back[i] < 0 && joins(&m->old->table[i]) &&
		    names_get(&m->by_name, name_text(m->old->table[i].name)) != NAMES_NONE)
			names_add(&by, name_text(delta_keep(x, joined(m, &m->old->table[i], true))), (int32_t)i);
	for (size_t i = 0; i < m->new->ntable; i++)
		if (m->mate[i] < 0 && joins(&m->new->table[i]))
			pair_up(m, i, names_get(&by, name_text(delta_keep(x, joined(m, &m->new->table[i], false)))));
	names_release(&by);
}

/* Pairs in the order of the new tables, then those that go.  A table that has gone missing is as if never recorded. */
static void match_tables(struct delta *x)
{
	struct matching m = { .old = x->old, .new = x->new, .by_id = NAMES_INIT, .by_name = NAMES_INIT };
	size_t nold = x->old ? x->old->ntable : 0;

	m.mate = xcalloc(x->new->ntable + 1, sizeof *m.mate);
	m.back = xcalloc(nold + 1, sizeof *m.back);
	memset(m.mate, 0xff, (x->new->ntable + 1) * sizeof *m.mate);
	memset(m.back, 0xff, (nold + 1) * sizeof *m.back);
	for (size_t i = 0; i < nold; i++) {
		const struct table *t = &x->old->table[i];

		if (live_table(x->live, t->name) == DOC_NONE)
			continue;
		names_add(&m.by_name, name_text(t->name), (int32_t)i);
		if (t->id)
			names_add(&m.by_id, id_text(&t->id), (int32_t)i);
	}
	match_by_id_and_name(&m);
	match_junctions(x, &m);
	x->pair = xcalloc(nold + x->new->ntable + 1, sizeof *x->pair);
	for (size_t i = 0; i < x->new->ntable; i++)
		put_pair(x, m.mate[i] < 0 ? NULL : &x->old->table[m.mate[i]], &x->new->table[i]);
	for (size_t i = 0; i < nold; i++)
		if (m.back[i] < 0 && names_get(&m.by_name, name_text(x->old->table[i].name)) != NAMES_NONE)
			put_pair(x, &x->old->table[i], NULL);
	names_release(&m.by_id);
	names_release(&m.by_name);
	free(m.mate);
	free(m.back);
}

/* A name that a new table takes must be free, or become so in this plan. */
static int check_free(struct delta *x, const struct pair *p, struct diag *d)
{
	if (live_table(x->live, p->new->name) == DOC_NONE && names_get(&x->live->views, name_text(p->new->name)) < 0)
		return 0;
	if (delta_old_table(x, p->new->name))
		return 0;
	diag_hint(d, "mig baseline adopts tables that are there already");
	return diag_add(d, MIG_INVALID, "table_exists", p->new->name,
	                "%s: the database has a table or view of that name that the schema's history does not know",
	                p->old ? "cannot be renamed to it" : "cannot be made");
}

/* The tables that get other names. */
struct tables {
	struct delta *x;
	struct pair **pair;
};

static void emit_table_rename(void *arg, size_t i, const char *from, const char *to)
{
	struct tables *t = arg;
	struct change *c = delta_add(t->x, WHAT_RENAME_TABLE, t->pair[i], MAJOR_RENAME_TABLE, 0);

	/* in the order they are emitted, whatever the table's turn is */
	c->order = (uint64_t)MAJOR_RENAME_TABLE << 56 | (t->x->nchange - 1);
	c->from = from;
	c->to = to;
	c->table = to;
}

static void rename_tables(struct delta *x)
{
	const char **from = xcalloc(x->npair + 1, sizeof *from), **to = xcalloc(x->npair + 1, sizeof *to);
	struct tables t = { x, xcalloc(x->npair + 1, sizeof *t.pair) };
	size_t n = 0;

	for (size_t i = 0; i < x->npair; i++) {
		struct pair *p = &x->pair[i];

		if (!p->old || !p->new || strcmp(p->old->name, p->new->name) == 0)
			continue;
		from[n] = p->old->name;
		to[n] = p->new->name;
		t.pair[n++] = p;
	}
	renames_order(x, from, to, n, emit_table_rename, &t);
	free(from);
	free(to);
	free(t.pair);
}

static int by_order(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

static int find_tables(struct delta *x, struct diag *d)
{
	size_t wrong = d->n;

	for (size_t i = 0; i < x->npair; i++) {
		struct pair *p = &x->pair[i];

		p->live = p->old ? live_table(x->live, p->old->name) : DOC_NONE;
		if (p->new && (!p->old || strcmp(p->old->name, p->new->name) != 0))
			check_free(x, p, d);
	}
	if (d->n > wrong)
		return -1;
	delta_order_tables(x);
	rename_tables(x);
	for (size_t i = 0; i < x->npair; i++) {
		struct pair *p = &x->pair[i];

		if (p->old && p->new)
			delta_columns(x, p);
		else if (p->new)
			delta_add(x, WHAT_CREATE_TABLE, p, MAJOR_CREATE, 0);
		else
			delta_add(x, WHAT_DROP_TABLE, p,
			          delta_new_table(x, p->old->name) ? MAJOR_DROP_OCCUPIED : MAJOR_DROP_TABLE, 0);
	}
	for (size_t i = 0; i < x->npair; i++)
		delta_constraints(x, &x->pair[i]);
	delta_rename_constraints(x);
	return 0;
}

int delta_find(struct delta *x, const struct model *old, const struct model *new, struct live *live,
               enum dialect dialect, struct diag *d)
{
	*x = (struct delta){ .old = old, .new = new, .live = live, .dialect = dialect };
	x->old_name = x->new_name = (struct names)NAMES_INIT;
	match_tables(x);
	if (find_tables(x, d) < 0 || delta_views(x, d) < 0)
		return -1;
	delta_add(x, WHAT_RECORD, NULL, MAJOR_RECORD, 0);
	qsort(x->change, x->nchange, sizeof *x->change, by_order);
	for (size_t i = x->nchange; i-- > 0;) {
		struct change *c = &x->change[i];

		if (c->pair) {
			c->next = c->pair->first;
			c->pair->first = c;
		}
	}
	return 0;
}

void delta_release(struct delta *x)
{
	for (size_t i = 0; i < x->npair; i++) {
		free(x->pair[i].from);
		free(x->pair[i].later);
		free(x->pair[i].to);
		free(x->pair[i].new_order);
		free(x->pair[i].old_order);
	}
	for (size_t i = 0; i < x->nowned; i++)
		free(x->owned[i]);
	free(x->owned);
	free(x->pair);
	free(x->change);
	free(x->viewing);
	free(x->renaming);
	names_release(&x->old_name);
	names_release(&x->new_name);
	*x = (struct delta)DELTA_INIT;
}
