/*
 * delta-constraints.c -- what holds a table's columns together, on both sides.
 *
 * A constraint is the same when it says the same of the same columns; its name
 * may follow its column's.  What a constraint says is written as a text in
 * which columns and tables have their new names:
 *
 *	check   1 LF price LF 0 LF 100 LF LF        (kind, column, min, max, text, options)
 *	unique  email LF tenant
 */
#include "delta.h"

#include "number.h"

#include <stdlib.h>

enum { TURN_UNIQUE = 10, TURN_CHECK, TURN_INDEX, TURN_RLS, TURN_POLICY };

struct item {
	const char *name;
	char *says; /* NULL: speaks of a column that goes or changes its type */
	struct thing thing;
	bool primary, by_trigger, concurrent;
	int32_t mate;     /* that says the same */
	int32_t namesake; /* that only has the same name */
};

struct items {
	struct item *v;
	size_t n;
};

/* One kind of constraint. */
struct sort {
	enum what add, drop;
	unsigned drop_major, drop_turn, add_major, add_turn;
	void (*read)(struct delta *x, const struct pair *p, bool old, struct items *to);
	bool renames; /* PostgreSQL can rename it */
};

/* The new name of a column, or NULL if it goes or is another one by then. */
static const char *column_then(const struct pair *p, bool old, const char *name)
{
	const struct column *c;

	if (!old)
		return name;
	c = column_of(p->old, name);
	if (!c || p->to[c - p->old->column] < 0)
		return NULL;
	return p->new->column[p->to[c - p->old->column]].name;
}

/* Append the columns; false if one of them goes. */
static bool say_columns(struct buf *b, const struct pair *p, bool old, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = column_then(p, old, v[i]);

		if (!s)
			return false;
		buf_addf(b, "%s\n", s);
	}
	return true;
}

static struct item *put(struct items *to, const char *name)
{
	if (!(to->n & (to->n + 1)))
		to->v = xrealloc(to->v, to->n * 2 + 2, sizeof *to->v);
	struct item *i = &to->v[to->n++];

	*i = (struct item){ .name = name, .mate = -1, .namesake = -1 };
	return i;
}

/* Give the item what it says; ok false: nothing that could be found again. */
static void say(struct delta *x, struct item *i, struct buf *b, bool ok)
{
	if (ok) {
		buf_addch(b, '.');
		i->says = delta_keep(x, xmemdup(b->s, b->len));
	}
	buf_release(b);
}

static void read_uniques(struct delta *x, const struct pair *p, bool old, struct items *to)
{
	const struct table *t = old ? p->old : p->new;

	for (size_t i = 0; i <= t->nunique; i++) {
		const struct key *k = i < t->nunique ? &t->unique[i] : &t->primary;
		struct buf b = BUF_INIT;

		if (k->n == 0)
			continue;
		struct item *it = put(to, k->name ? k->name : "");

		it->primary = k == &t->primary;
		it->thing.key = k;
		buf_addf(&b, "%d\n", it->primary);
		say(x, it, &b, say_columns(&b, p, old, k->column, k->n));
	}
}

static bool same_type(const char *a, const char *b, enum dialect dialect)
{
	if (strcmp(a, b) == 0)
		return true;
	char *x = model_type(a, dialect), *y = model_type(b, dialect);
	bool same = strcmp(x, y) == 0;

	free(x);
	free(y);
	return same;
}

static bool retyped(const struct delta *x, const struct pair *p, bool old, const char *column)
{
	const struct column *was = old ? column_of(p->old, column) : pair_origin(p, column);
	const struct column *is = old ? NULL : column_of(p->new, column);

	if (old && was && p->to[was - p->old->column] >= 0)
		is = &p->new->column[p->to[was - p->old->column]];
	return was && is && !same_type(was->type, is->type, x->dialect);
}

static bool retyped_column(const struct pair *p, const struct column *old)
{
	int32_t to = p->to[old - p->old->column];

	return to >= 0 && strcmp(p->new->column[to].type, old->type) != 0;
}

static void read_checks(struct delta *x, const struct pair *p, bool old, struct items *to)
{
	const struct table *t = old ? p->old : p->new;

	for (size_t i = 0; i < t->ncheck; i++) {
		const struct check *c = &t->check[i];
		struct item *it = put(to, c->name);
		struct buf b = BUF_INIT;

		it->thing.check = c;
		it->by_trigger = x->dialect == DIALECT_SQLITE && check_by_trigger(c);
		buf_addf(&b, "%d\n", c->kind);
		bool ok = !c->column || (say_columns(&b, p, old, &c->column, 1) && !retyped(x, p, old, c->column));

		buf_addf(&b, "%s\n%s\n%s\n", c->min ? c->min : "", c->max ? c->max : "", c->text ? c->text : "");
		for (size_t k = 0; k < c->noption; k++)
			buf_addf(&b, "%zu:%s", strlen(c->option[k]), c->option[k]);
		say(x, it, &b, ok);
	}
}

static void read_fkeys(struct delta *x, const struct pair *p, bool old, struct items *to)
{
	const struct table *t = old ? p->old : p->new;

	for (size_t i = 0; i < t->nfkey; i++) {
		const struct fkey *f = &t->fkey[i];
		struct pair *q = old ? delta_old_table(x, f->table) : delta_new_table(x, f->table);
		struct item *it = put(to, f->name);
		struct buf b = BUF_INIT;

		it->thing.fkey = f;
		bool ok = q && q->new && (!old || q->old);

		if (ok) {
			buf_addf(&b, "%s\n%s\n%s\n", q->new->name, f->on_delete ? f->on_delete : "no action",
			         f->on_update ? f->on_update : "no action");
			ok = say_columns(&b, p, old, f->column, f->n) &&
			     say_columns(&b, q, old && q->old, f->references, f->n);
		}
		say(x, it, &b, ok);
	}
}

static void read_indexes(struct delta *x, const struct pair *p, bool old, struct items *to)
{
	const struct table *t = old ? p->old : p->new;

	for (size_t i = 0; i < t->nindex; i++) {
		const struct index *k = &t->index[i];
		struct item *it = put(to, k->name);
		struct buf b = BUF_INIT;

		it->thing.index = k;
		it->concurrent = x->dialect == DIALECT_POSTGRESQL && k->concurrent;
		buf_addf(&b, "%s\n%d\n%s\n", k->method ? k->method : "", k->unique, k->where ? k->where : "");
		say(x, it, &b, say_columns(&b, p, old, k->column, k->n));
	}
}

static void read_policies(struct delta *x, const struct pair *p, bool old, struct items *to)
{
	const struct table *t = old ? p->old : p->new;

	for (size_t i = 0; t->rls && i < t->npolicy; i++) {
		const struct policy *k = &t->policy[i];
		struct item *it = put(to, k->name);
		struct buf b = BUF_INIT;

		it->thing.policy = k;
		buf_addf(&b, "%s\n%s\n%s", k->command, k->using_ ? k->using_ : "\x01",
		         k->with_check ? k->with_check : "\x01");
		say(x, it, &b, true);
	}
}

static const struct sort sorts[] = {
	{ WHAT_ADD_POLICY, WHAT_DROP_POLICY, MAJOR_DETACH, 0, MAJOR_ALTER, TURN_POLICY, read_policies, false },
	{ WHAT_ADD_INDEX, WHAT_DROP_INDEX, MAJOR_DETACH, 1, MAJOR_ALTER, TURN_INDEX, read_indexes, true },
	{ WHAT_ADD_CHECK, WHAT_DROP_CHECK, MAJOR_DETACH, 2, MAJOR_ALTER, TURN_CHECK, read_checks, true },
	{ WHAT_ADD_UNIQUE, WHAT_DROP_UNIQUE, MAJOR_DETACH, 3, MAJOR_ALTER, TURN_UNIQUE, read_uniques, true },
	{ WHAT_ADD_FOREIGN_KEY, WHAT_DROP_FOREIGN_KEY, MAJOR_DROP_FKEY, 0, MAJOR_ADD_FKEY, 0, read_fkeys, true },
};

/* First those whose name is the same too, then those that only say the same; then namesakes. */
static void match(struct delta *x, struct items *old, struct items *new)
{
	struct names full = NAMES_INIT, says = NAMES_INIT, name = NAMES_INIT;
	struct item *i;
	int32_t at;

	for (i = old->v; i < old->v + old->n; i++) {
		names_add(&name, name_text(i->name), (int32_t)(i - old->v));
		if (i->says)
			names_add(&full, name_text(delta_keep(x, xasprintf("%s\n%s", i->name, i->says))),
			          (int32_t)(i - old->v));
	}
	for (i = new->v; i < new->v + new->n; i++) {
		char *key = i->says ? delta_keep(x, xasprintf("%s\n%s", i->name, i->says)) : NULL;

		if (key && (at = names_get(&full, name_text(key))) >= 0 && old->v[at].mate < 0) {
			i->mate = at;
			old->v[at].mate = (int32_t)(i - new->v);
		}
	}
	for (i = old->v; i < old->v + old->n; i++)
		if (i->mate < 0 && i->says)
			names_add(&says, name_text(i->says), (int32_t)(i - old->v));
	for (i = new->v; i < new->v + new->n; i++) {
		if (i->mate < 0 && i->says && (at = names_get(&says, name_text(i->says))) >= 0 && old->v[at].mate < 0) {
			i->mate = at;
			old->v[at].mate = (int32_t)(i - new->v);
		}
		if (i->mate < 0 && (at = names_get(&name, name_text(i->name))) >= 0 && old->v[at].mate < 0) {
			i->namesake = at;
			old->v[at].namesake = (int32_t)(i - new->v);
		}
	}
	names_release(&full);
	names_release(&says);
	names_release(&name);
}

/* SQLite renames neither an index nor a trigger; a constraint's name stands in the table's own text. */
static bool renamed_in_place(const struct delta *x, const struct sort *s, const struct item *i)
{
	return s->renames && !(x->dialect == DIALECT_SQLITE && (i->by_trigger || s->add == WHAT_ADD_INDEX));
}

static void add(struct delta *x, struct pair *p, const struct sort *s, const struct item *i, const struct item *was)
{
	unsigned major = i->concurrent ? MAJOR_CONCURRENT : s->add_major;
	struct change *c = delta_add(x, s->add, p, major, s->add_turn);

	c->name = i->name;
	c->new = i->thing;
	c->primary = i->primary;
	if (was)
		c->old = was->thing;
}

static void drop(struct delta *x, struct pair *p, const struct sort *s, const struct item *i,
                 const struct item *becomes)
{
	struct change *c = delta_add(x, s->drop, p, s->drop_major, s->drop_turn);

	c->name = i->name;
	c->old = i->thing;
	c->primary = i->primary;
	if (becomes)
		c->new = becomes->thing;
}

static void rename_item(struct delta *x, struct pair *p, const struct item *was, const struct item *is)
{
	if (is->primary && x->dialect == DIALECT_SQLITE)
		return; /* nothing shows a key's name there */
	if (!(x->nrenaming & (x->nrenaming + 1)))
		x->renaming = xrealloc(x->renaming, x->nrenaming * 2 + 2, sizeof *x->renaming);
	x->renaming[x->nrenaming++] = (struct renaming){ .pair = p,
		                                         .old = was->thing,
		                                         .new = is->thing,
		                                         .from = was->name,
		                                         .to = is->name,
		                                         .relation = is->thing.index || is->thing.key };
}

static void compare(struct delta *x, struct pair *p, const struct sort *s)
{
	struct items old = { NULL, 0 }, new = { NULL, 0 };
	bool moved = strcmp(p->old->name, p->new->name) != 0; /* a trigger has its table's name in it */

	s->read(x, p, true, &old);
	s->read(x, p, false, &new);
	match(x, &old, &new);
	for (struct item *i = old.v; i < old.v + old.n; i++) {
		const struct item *then = i->mate >= 0 ? &new.v[i->mate] : NULL;
		bool same_name = then && strcmp(i->name, then->name) == 0;

		if (!then)
			drop(x, p, s, i, i->namesake >= 0 ? &new.v[i->namesake] : NULL);
		else if (!same_name && renamed_in_place(x, s, i))
			rename_item(x, p, i, then);
		else if (!same_name || (i->by_trigger && moved)) {
			drop(x, p, s, i, then);
			add(x, p, s, then, i);
		}
	}
	for (struct item *i = new.v; i < new.v + new.n; i++)
		if (i->mate < 0)
			add(x, p, s, i, i->namesake >= 0 ? &old.v[i->namesake] : NULL);
	free(old.v);
	free(new.v);
}

static bool among(const char *s, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], s) == 0)
			return true;
	return false;
}

/* Is a limit no tighter than the old one?  sign: 1 for the greatest value, -1 for the least. */
static bool looser(const char *old, const char *new, int sign)
{
	if (!new)
		return true;
	return old && sign * (number_value(new, strlen(new)) - number_value(old, strlen(old))) >= 0;
}

bool check_implied(const struct pair *p, const struct check *old, const struct check *new)
{
	const struct column *c = old && new &&new->column ? pair_origin(p, new->column) : NULL;

	if (!c || old->kind != new->kind || !old->column || strcmp(c->name, old->column) != 0 || retyped_column(p, c))
		return false;
	switch (new->kind) {
	case CHECK_ENUM:
	case CHECK_SUBSET:
		for (size_t i = 0; i < old->noption; i++)
			if (!among(old->option[i], new->option, new->noption))
				return false;
		return true;
	case CHECK_RANGE:
		return looser(old->max, new->max, 1) && looser(old->min, new->min, -1);
	case CHECK_MAX_ITEMS:
	case CHECK_MAX_LENGTH:
		return looser(old->max, new->max, 1);
	default:
		return false;
	}
}

/* A circle of references: the key waits until both tables are there, and goes before the first of them does. */
static void around(struct delta *x, struct pair *p)
{
	const struct table *t = p->new ? p->new : p->old;

	for (size_t i = 0; i < t->nfkey && x->dialect == DIALECT_POSTGRESQL; i++) {
		struct pair *q = p->new ? delta_new_table(x, t->fkey[i].table) : delta_old_table(x, t->fkey[i].table);
		bool later = q && p->new && !q->old && q->rank > p->rank;
		bool sooner = q && !p->new && !q->new && q->rank < p->rank;

		if (!later && !sooner)
			continue;
		struct change *c = delta_add(x, later ? WHAT_ADD_FOREIGN_KEY : WHAT_DROP_FOREIGN_KEY, p,
		                             later ? MAJOR_ADD_FKEY : MAJOR_DROP_FKEY, 0);

		c->name = t->fkey[i].name;
		if (!p->later)
			p->later = xcalloc(t->nfkey, sizeof *p->later);
		p->later[i] = true;
		*(later ? &c->new.fkey : &c->old.fkey) = &t->fkey[i];
	}
}

static void row_security(struct delta *x, struct pair *p)
{
	if (p->old->rls == p->new->rls)
		return;
	struct change *c = delta_add(x, p->new->rls ? WHAT_ENABLE_RLS : WHAT_DISABLE_RLS, p,
	                             p->new->rls ? MAJOR_ALTER : MAJOR_DETACH, TURN_RLS);

	c->name = c->table;
}

void delta_constraints(struct delta *x, struct pair *p)
{
	if (!p->old || !p->new) {
		around(x, p);
		return;
	}
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		compare(x, p, &sorts[i]);
	row_security(x, p);
}
