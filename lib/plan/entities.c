/* entities.c -- see entities.h */
#include "entities.h"

#include <stdlib.h>

void entities_release(struct entities *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].name);
		free(e->v[i].to);
	}
	free(e->v);
	*e = (struct entities){ .v = NULL };
}

size_t entities_find(struct entities *e, struct text name)
{
	if (e->last < e->n && text_is(name, e->v[e->last].name))
		return e->last;
	for (size_t i = 0; i < e->n; i++)
		if (text_is(name, e->v[i].name))
			return e->last = i;
	if (e->n == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 8;
		e->v = xrealloc(e->v, e->cap, sizeof *e->v);
	}
	e->v[e->n] = (struct entity){ .name = xmemdup(name.s, name.n) };
	return e->last = e->n++;
}

void entities_link(struct entities *e, size_t from, size_t to)
{
	struct entity *x = &e->v[from];

	for (size_t i = 0; i < x->nto; i++)
		if (x->to[i] == to)
			return;
	x->to = xrealloc(x->to, x->nto + 1, sizeof *x->to);
	x->to[x->nto++] = to;
}

/* Does it lead to none that is still to come, but itself? */
static bool is_free(const struct entity *x, size_t self, const bool *taken)
{
	for (size_t i = 0; i < x->nto; i++)
		if (x->to[i] != self && !taken[x->to[i]])
			return false;
	return true;
}

/* Does a way of links lead from one entity to others still to come, and back to it? */
static bool is_in_circle(const struct entities *e, size_t from, const bool *taken)
{
	bool *seen = xcalloc(e->n, sizeof *seen);
	size_t *queue = xcalloc(e->n, sizeof *queue), head = 0, tail = 0;
	bool back = false;

	for (size_t at = from;; at = queue[head++]) {
		for (size_t i = 0; i < e->v[at].nto; i++) {
			size_t to = e->v[at].to[i];

			back = back || (to == from && at != from);
			if (!taken[to] && !seen[to]) {
				seen[to] = true;
				queue[tail++] = to;
			}
		}
		if (back || head == tail)
			break;
	}
	free(queue);
	free(seen);
	return back;
}

static size_t smallest(const struct entities *e, const bool *taken, bool circles)
{
	size_t best = e->n;

	for (size_t i = 0; i < e->n; i++)
		if (!taken[i] && (circles ? is_in_circle(e, i, taken) : is_free(&e->v[i], i, taken)) &&
		    (best == e->n || strcmp(e->v[i].name, e->v[best].name) < 0))
			best = i;
	return best;
}

size_t *entities_order(const struct entities *e)
{
	size_t *order = xcalloc(e->n + 1, sizeof *order);
	bool *taken = xcalloc(e->n + 1, sizeof *taken);

	for (size_t n = 0; n < e->n; n++) {
		size_t next = smallest(e, taken, false);

		if (next == e->n)
			next = smallest(e, taken, true);
		taken[next] = true;
		order[n] = next;
	}
	free(taken);
	return order;
}
