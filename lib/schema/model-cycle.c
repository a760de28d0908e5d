/* model-cycle.c -- model_cycles of model-link.h: tables that need each other's rows. */
#include "model-link.h"

#include <stdlib.h>

/* A walk along the required foreign keys, deepest table last. */
struct walk {
	struct draft *b;
	char *seen; /* a table: 0 not yet, 1 on the way, 2 done */
	size_t *way, nway;
	size_t *next; /* of each table on the way: its next foreign key */
};

/* "a -> b -> a", for the last table that the way reaches once more. */
static void say_cycle(struct walk *w, size_t again)
{
	const struct table *t = w->b->m->table;
	struct buf text = BUF_INIT;
	size_t i = w->nway;

	while (w->way[--i] != again)
		;
	for (; i < w->nway; i++)
		buf_addf(&text, "%s -> ", t[w->way[i]].name);
	declared_wrong(&w->b->in, w->b->table[again].tok, "schema_cycle",
	               "circular required relationships: %s%s; make one of them optional", text.s, t[again].name);
	buf_release(&text);
}

static void enter(struct walk *w, size_t i)
{
	w->seen[i] = 1;
	w->next[w->nway] = 0;
	w->way[w->nway++] = i;
}

/* Follow the next required key of the last table on the way, or leave it. */
static void step(struct walk *w)
{
	size_t at = w->way[w->nway - 1], to;
	const struct table *t = &w->b->m->table[at];
	size_t k = w->next[w->nway - 1]++;

	if (k == t->nfkey) {
		w->seen[at] = 2;
		w->nway--;
		return;
	}
	/* a row may point at itself, so a table that needs itself can be filled */
	if (t->fkey[k].optional || !draft_table(w->b, t->fkey[k].table, &to) || to == at || w->seen[to] == 2)
		return;
	if (w->seen[to] == 1)
		say_cycle(w, to);
	else
		enter(w, to);
}

void model_cycles(struct draft *b)
{
	size_t n = b->nnames;
	struct walk w = { .b = b };

	w.seen = xcalloc(n + 1, 1);
	w.way = xcalloc(n + 1, sizeof *w.way);
	w.next = xcalloc(n + 1, sizeof *w.next);
	for (size_t i = 0; i < n; i++) {
		if (w.seen[i])
			continue;
		enter(&w, i);
		while (w.nway)
			step(&w);
	}
	free(w.seen);
	free(w.way);
	free(w.next);
}
