/*
 * delta-views.c -- views: what is dropped first and what is made again last.
 *
 * A view goes when the schema drops or changes it, and with it whatever reads
 * it.  PostgreSQL also wants it out of the way where a column that it may read
 * goes or changes its type; SQLite does not look.
 */
#include "delta.h"

#include <ctype.h>
#include <stdlib.h>

/* Who reads what, by the database's own account. */
struct readers {
	struct names object; /* a table's or view's name: the first edge */
	struct {
		int32_t view, next;
	} * edge;
	size_t n;
};

enum fate { STAYS, AGAIN, GONE }; /* AGAIN: dropped, and made again at the end */

struct views {
	struct delta *x;
	struct diag *d;
	struct names old, new; /* declared: places in the arrays below */
	const struct view **old_view, **new_view;
	size_t nold, nnew;
	struct readers readers;
	uint8_t *fate; /* of each live view */
	int32_t *queue;
	size_t nqueue;
};

static void collect(const struct model *m, struct names *by, const struct view ***v, size_t *n)
{
	size_t room = 0;

	for (size_t i = 0; m && i < m->ntable; i++)
		room += m->table[i].nview;
	*v = xcalloc(room + 1, sizeof **v);
	for (size_t i = 0; m && i < m->ntable; i++)
		for (size_t k = 0; k < m->table[i].nview; k++) {
			(*v)[*n] = &m->table[i].view[k];
			names_add(by, name_text((*v)[*n]->name), (int32_t)*n);
			++*n;
		}
}

static void read_readers(struct readers *r, const struct live *l)
{
	size_t edges = 0;

	for (size_t i = 0; i < l->nview; i++)
		edges += l->view[i].ndepends;
	r->edge = xcalloc(edges + 1, sizeof *r->edge);
	/* The first edge of an object is never replaced: the others hang behind it. */
	for (size_t i = 0; i < l->nview; i++)
		for (size_t k = 0; k < l->view[i].ndepends; k++) {
			int32_t me = (int32_t)r->n++,
				first = names_add(&r->object, name_text(l->view[i].depends[k]), me);

			r->edge[me].view = (int32_t)i;
			r->edge[me].next = -1;
			if (first != me) {
				r->edge[me].next = r->edge[first].next;
				r->edge[first].next = me;
			}
		}
}

/* Give a live view its fate, unless it has a worse one. */
static void doom(struct views *v, int32_t view, enum fate fate)
{
	if (v->fate[view] >= (uint8_t)fate)
		return;
	if (v->fate[view] == STAYS)
		v->queue[v->nqueue++] = view;
	v->fate[view] = (uint8_t)fate;
}

/* What happens to a view when something that it reads does not stay. */
static void doom_reader(struct views *v, int32_t view, enum fate because)
{
	const char *name = v->x->live->view[view].name;

	if (names_get(&v->new, name_text(name)) >= 0)
		doom(v, view, AGAIN);
	else if (names_get(&v->old, name_text(name)) >= 0)
		doom(v, view, GONE);
	else if (because == GONE)
		doom(v, view, GONE);
	else if (v->x->dialect == DIALECT_POSTGRESQL)
		doom(v, view, AGAIN);
}

static void doom_readers(struct views *v, const char *object, enum fate because)
{
	for (int32_t e = names_get(&v->readers.object, name_text(object)); e >= 0; e = v->readers.edge[e].next)
		doom_reader(v, v->readers.edge[e].view, because);
}

static bool same_view(const struct view *a, const struct view *b)
{
	return a->materialized == b->materialized && strcmp(a->query, b->query) == 0;
}

/* Those that the schema drops or changes, and those in the way of what happens to tables. */
static void begin(struct views *v)
{
	struct delta *x = v->x;

	for (size_t i = 0; i < v->nold; i++) {
		int32_t live = names_get(&x->live->views, name_text(v->old_view[i]->name));
		int32_t new = names_get(&v->new, name_text(v->old_view[i]->name));

		if (live < 0)
			continue;
		if (new < 0)
			doom(v, live, GONE);
		else if (!same_view(v->old_view[i], v->new_view[new]))
			doom(v, live, AGAIN);
	}
	for (size_t i = 0; i < x->nchange; i++) {
		const struct change *c = &x->change[i];

		if (c->what == WHAT_DROP_TABLE)
			doom_readers(v, c->pair->old->name, GONE);
		else if ((c->what == WHAT_DROP_COLUMN || c->what == WHAT_RETYPE_COLUMN) &&
		         x->dialect == DIALECT_POSTGRESQL)
			doom_readers(v, c->pair->old->name, AGAIN);
	}
	for (size_t i = 0; i < v->nqueue; i++)
		doom_readers(v, x->live->view[v->queue[i]].name, v->fate[v->queue[i]]);
}

/* Which views a query names, as far as a lexer can tell; a name too many does no harm. */
static void names_in(const char *sql, const struct names *views, void (*each)(void *arg, int32_t view), void *arg)
{
	char name[256];

	while (*sql) {
		size_t n = 0;
		bool quoted = *sql == '"';

		if (*sql == '\'') {
			for (sql++; *sql && *sql != '\''; sql++)
				;
			sql += *sql != '\0';
			continue;
		}
		if (!quoted && !isalpha((unsigned char)*sql) && *sql != '_') {
			sql++;
			continue;
		}
		sql += quoted;
		for (; *sql && (quoted ? *sql != '"' : isalnum((unsigned char)*sql) || *sql == '_'); sql++)
			if (n < sizeof name - 1)
				name[n++] = quoted ? *sql : (char)tolower((unsigned char)*sql);
		sql += quoted && *sql;
		int32_t at = names_get(views, (struct text){ name, n });

		if (at >= 0)
			each(arg, at);
	}
}

/* A turn for each of n views such that what one reads has the smaller one. */
struct line {
	struct views *v;
	uint8_t *state;
	uint32_t *rank;
	uint32_t next;
	bool live;
	int depth;
};

static void queue_up(void *arg, int32_t view);

static void visit(struct line *l, int32_t view)
{
	const struct live_view *lv = &l->v->x->live->view[view];

	for (size_t k = 0; l->live && k < lv->ndepends; k++) {
		int32_t at = names_get(&l->v->x->live->views, name_text(lv->depends[k]));

		if (at >= 0)
			queue_up(l, at);
	}
	if (!l->live)
		names_in(l->v->new_view[view]->query, &l->v->new, queue_up, l);
}

static void queue_up(void *arg, int32_t view)
{
	struct line *l = arg;

	if (l->state[view] || l->depth > 1000)
		return;
	l->state[view] = 1;
	l->depth++;
	visit(l, view);
	l->depth--;
	l->rank[view] = l->next++;
}

static uint32_t *turns(struct views *v, bool live, size_t n)
{
	struct line l = { .v = v, .live = live };

	l.state = xcalloc(n + 1, sizeof *l.state);
	l.rank = xcalloc(n + 1, sizeof *l.rank);
	for (size_t i = 0; i < n; i++)
		queue_up(&l, (int32_t)i);
	free(l.state);
	return l.rank;
}

static const struct viewing *viewing(struct views *v, const struct view *view, const struct live_view *live, bool gone)
{
	struct viewing *w = &v->x->viewing[v->x->nviewing++];

	*w = (struct viewing){ .view = view, .live = live, .gone = gone };
	return w;
}

static void add(struct views *v, enum what what, unsigned major, uint32_t turn, const char *name,
                const struct viewing *old, const struct viewing *new)
{
	struct change *c = delta_add(v->x, what, NULL, major, 0);

	c->order += (uint64_t)turn << 32;
	c->name = name;
	c->old.view = old;
	c->new.view = new;
}

static void drop_live(struct views *v)
{
	struct live *l = v->x->live;
	uint32_t *rank = turns(v, true, l->nview);

	for (size_t i = 0; i < l->nview; i++) {
		int32_t old = names_get(&v->old, name_text(l->view[i].name));

		if (v->fate[i] == STAYS)
			continue;
		const struct viewing *w =
			viewing(v, old >= 0 ? v->old_view[old] : NULL, &l->view[i], v->fate[i] == GONE);

		add(v, WHAT_DROP_VIEW, MAJOR_DROP_VIEW, (uint32_t)l->nview - rank[i], l->view[i].name, w, NULL);
		/* Unmanaged ones read the managed: they come last. */
		if (old < 0 && v->fate[i] == AGAIN && names_get(&v->new, name_text(l->view[i].name)) < 0)
			add(v, WHAT_CREATE_VIEW, MAJOR_VIEW, (uint32_t)v->nnew + rank[i], l->view[i].name, NULL, w);
	}
	free(rank);
}

static int make_new(struct views *v)
{
	const struct delta *x = v->x;
	uint32_t *rank = turns(v, false, v->nnew);
	int rc = 0;

	for (size_t i = 0; i < v->nnew; i++) {
		const struct view *w = v->new_view[i];
		int32_t live = names_get(&x->live->views, name_text(w->name));
		int32_t old = names_get(&v->old, name_text(w->name));
		const struct viewing *seen = viewing(v, w, live < 0 ? NULL : &x->live->view[live], false);

		if (live >= 0 && old < 0)
			rc = diag_add(v->d, MIG_INVALID, "table_exists", w->name,
			              "cannot be made: the database has a view of that name that the schema's history "
			              "does not know");
		else if (live < 0 || v->fate[live] != STAYS)
			add(v, WHAT_CREATE_VIEW, MAJOR_VIEW, rank[i], w->name, NULL, seen);
		else if (w->materialized && w->refresh)
			add(v, WHAT_REFRESH_VIEW, MAJOR_REFRESH, rank[i], w->name, seen, seen);
	}
	free(rank);
	return rc;
}

int delta_views(struct delta *x, struct diag *d)
{
	struct views v = { .x = x, .d = d, .old = NAMES_INIT, .new = NAMES_INIT };

	collect(x->old, &v.old, &v.old_view, &v.nold);
	collect(x->new, &v.new, &v.new_view, &v.nnew);
	v.readers.object = (struct names)NAMES_INIT;
	v.fate = xcalloc(x->live->nview + 1, sizeof *v.fate);
	v.queue = xcalloc(x->live->nview + 1, sizeof *v.queue);
	x->viewing = xcalloc(x->live->nview + v.nnew + 1, sizeof *x->viewing);
	read_readers(&v.readers, x->live);
	begin(&v);
	drop_live(&v);
	int rc = make_new(&v);

	names_release(&v.old);
	names_release(&v.new);
	names_release(&v.readers.object);
	free(v.readers.edge);
	free(v.old_view);
	free(v.new_view);
	free(v.fate);
	free(v.queue);
	return rc;
}
