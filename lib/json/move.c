/* move.c -- see move.h */
#include "move.h"

#include <stdlib.h>

enum { MIN_MOVED = 6 }; /* bytes of a value that is recognised anywhere: "abcd" */

/*
 * Count, then list the candidates of one added or removed value: itself and
 * the members of the objects in it, parents first.
 */
static uint32_t count_cands(const struct doc *d, uint32_t t)
{
	uint32_t n = 1;

	if (d->tok[t].type == DOC_OBJECT)
		for (uint32_t k = t + 1; k < d->tok[t].next; k = d->tok[k + 1].next)
			n += count_cands(d, k + 1);
	return n;
}

static struct cand *list_cands(struct diff *x, struct edit *e, uint32_t t, struct cand *up)
{
	const struct doc *d = e->verb == EDIT_ADD ? x->after : x->before;
	struct cand *c = &x->cands[x->ncands];

	*c = (struct cand){
		.tok = t, .end = d->tok[t].next, .span = edit_span(d, t), .name = edit_inside(d, t - 1),
		.order = x->ncands++, .added = e->verb == EDIT_ADD, .edit = e, .up = up,
	};
	if (d->tok[t].type == DOC_OBJECT)
		for (uint32_t k = t + 1; k < c->end; k = d->tok[k + 1].next)
			list_cands(x, e, k + 1, c);
	return c;
}

/* Longest first, so that a value is tried before its parts; equal ones together, the removed first. */
static int by_value(const void *p, const void *q)
{
	const struct cand *a = *(const struct cand *const *)p, *b = *(const struct cand *const *)q;

	if (a->span.n != b->span.n)
		return a->span.n > b->span.n ? -1 : 1;
	int c = memcmp(a->span.s, b->span.s, a->span.n);

	if (c != 0)
		return c;
	if (a->added != b->added)
		return a->added ? 1 : -1;
	return a->order < b->order ? -1 : 1;
}

/* The three ways to see that a removed and an added value belong together, the best first. */
static int same_object(const struct cand *a, const struct cand *b)
{
	/* only outermost ones are in an object that exists on both sides */
	uint32_t oa = a->up ? UINT32_MAX : a->edit->object, ob = b->up ? UINT32_MAX : b->edit->object;

	return (oa > ob) - (oa < ob);
}

static int same_name(const struct cand *a, const struct cand *b)
{
	if (a->name.n != b->name.n)
		return a->name.n < b->name.n ? -1 : 1;
	return memcmp(a->name.s, b->name.s, a->name.n);
}

static int same_value(const struct cand *a, const struct cand *b)
{
	(void)a;
	(void)b;
	return 0;
}

struct way {
	int (*compare)(const struct cand *, const struct cand *);
	bool small; /* also for values under MIN_MOVED bytes? */
};

static const struct way ways[] = {
	{ same_object, true },
	{ same_name, true },
	{ same_value, false },
};

/* A small value is recognised only if at least one of its ends was not part of a larger one. */
static bool allowed(const struct way *w, const struct cand *r, const struct cand *a)
{
	if (w->compare == same_object)
		return !r->up && !a->up;
	return r->span.n >= MIN_MOVED || (w->small && (!r->up || !a->up));
}

/* A stable sort: equal ones stay in order of occurrence. */
static void sort_cands(struct cand **list, uint32_t n, const struct way *w, struct cand **room)
{
	if (n < 2)
		return;
	uint32_t half = n / 2, i = 0, j = half, k = 0;

	sort_cands(list, half, w, room);
	sort_cands(list + half, n - half, w, room);
	while (i < half && j < n)
		room[k++] = w->compare(list[j], list[i]) < 0 ? list[j++] : list[i++];
	while (i < half)
		room[k++] = list[i++];
	memcpy(list, room, k * sizeof *list);
}

static void set_mate(struct cand *c, struct cand *mate)
{
	c->mate = mate;
	for (struct cand *in = c + 1; in->edit == c->edit && in->tok < c->end; in++)
		in->taken = true;
	for (; c->up; c = c->up)
		c->up->holed = true;
}

/* Those of list without a mate, moved to its front. */
static uint32_t keep_single(struct cand **list, uint32_t n)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!list[i]->mate && !list[i]->taken)
			list[k++] = list[i];
	return k;
}

/* Pair equal values: nr removed ones at list, na added ones behind them. */
static void pair_equal(struct cand **list, uint32_t nr, uint32_t na, struct cand **room)
{
	struct cand **removed = list, **added = list + nr;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		nr = keep_single(removed, nr);
		na = keep_single(added, na);
		if (nr == 0 || na == 0)
			return;
		sort_cands(removed, nr, &ways[i], room);
		sort_cands(added, na, &ways[i], room);
		for (uint32_t r = 0, a = 0; r < nr && a < na;) {
			int c = ways[i].compare(removed[r], added[a]);

			if (c == 0 && allowed(&ways[i], removed[r], added[a])) {
				set_mate(removed[r], added[a]);
				set_mate(added[a], removed[r]);
			}
			r += c <= 0;
			a += c >= 0;
		}
	}
}

void move_find(struct diff *x)
{
	uint32_t n = 0;

	if (x->nadded == 0 || x->nremoved == 0)
		return;
	for (uint32_t i = 0; i < x->members.n; i++) {
		const struct edit *e = &x->members.list[i];

		if (e->verb != EDIT_REPLACE)
			n += e->verb == EDIT_ADD ? count_cands(x->after, e->new) : count_cands(x->before, e->old);
	}
	x->cands = arena_get(&x->mem, (n + 1) * sizeof *x->cands);
	x->cands[n].edit = NULL; /* ends every walk over the candidates of one edit */
	for (uint32_t i = 0; i < x->members.n; i++) {
		struct edit *e = &x->members.list[i];

		if (e->verb != EDIT_REPLACE)
			e->cand = list_cands(x, e, e->verb == EDIT_ADD ? e->new : e->old, NULL);
	}
	struct cand **list = arena_get(&x->mem, n * sizeof *list);
	struct cand **room = arena_get(&x->mem, n * sizeof *room);

	for (uint32_t i = 0; i < n; i++)
		list[i] = &x->cands[i];
	qsort(list, n, sizeof *list, by_value);
	for (uint32_t i = 0, end; i < n; i = end) {
		uint32_t nr = 0;

		for (end = i; end < n && text_same(list[end]->span, list[i]->span); end++)
			nr += !list[end]->added;
		if (nr > 0 && nr < end - i)
			pair_equal(list + i, nr, end - i - nr, room);
	}
}

struct text move_path(struct diff *x, const struct cand *c)
{
	size_t n = c->edit->path.n;

	if (!c->up)
		return c->edit->path;
	for (const struct cand *p = c; p->up; p = p->up)
		n += edit_ref_size(p->name);
	char *s = arena_get(&x->mem, n), *at = s + n;

	for (const struct cand *p = c; p->up; p = p->up) {
		at -= edit_ref_size(p->name);
		edit_put_ref(at, p->name);
	}
	memcpy(s, c->edit->path.s, c->edit->path.n);
	return (struct text){ s, n };
}
