/* delta-order.c -- whose turn it is: see delta.h */
#include "delta.h"

#include <stdlib.h>

/* Tables by what they refer to; the stack is our own, because a chain of tables may be long. */
struct turns {
	struct delta *x;
	uint8_t *state; /* 0: not seen, 1: being looked at, 2: has its rank */
	uint32_t *at;   /* of each table on the stack: the next foreign key */
	struct pair **stack;
	uint32_t next;
};

/* The table that the i-th foreign key of p's table leads to, if it is made or dropped in this plan like p. */
static struct pair *led_to(struct turns *t, const struct pair *p, size_t i)
{
	const struct table *table = p->new ? p->new : p->old;
	struct pair *q =
		p->new ? delta_new_table(t->x, table->fkey[i].table) : delta_old_table(t->x, table->fkey[i].table);

	return q && q != p && !q->new == !p->new && !q->old == !p->old ? q : NULL;
}

static void visit(struct turns *t, struct pair *first)
{
	size_t depth = 0;

	if (t->state[first->place])
		return;
	t->stack[depth++] = first;
	t->state[first->place] = 1;
	while (depth) {
		struct pair *p = t->stack[depth - 1];
		const struct table *table = p->new ? p->new : p->old;

		if (t->at[p->place] < table->nfkey) {
			struct pair *q = led_to(t, p, t->at[p->place]++);

			if (q && t->state[q->place] == 0) {
				t->state[q->place] = 1;
				t->stack[depth++] = q;
			}
			continue;
		}
		t->state[p->place] = 2;
		p->rank = t->next++;
		depth--;
	}
}

void delta_order_tables(struct delta *x)
{
	struct turns t = { .x = x };

	t.state = xcalloc(x->npair + 1, sizeof *t.state);
	t.at = xcalloc(x->npair + 1, sizeof *t.at);
	t.stack = xcalloc(x->npair + 1, sizeof *t.stack);
	for (size_t i = 0; i < x->npair; i++)
		visit(&t, &x->pair[i]);
	/* What is dropped goes the other way: first whatever refers to it. */
	for (size_t i = 0; i < x->npair; i++)
		if (!x->pair[i].new)
			x->pair[i].rank = t.next - x->pair[i].rank;
	free(t.state);
	free(t.at);
	free(t.stack);
}

struct order {
	const char *const *to;
	const char **now; /* what each is called at the moment */
	uint8_t *state;   /* 0: not seen, 1: waits for its name, 2: has it */
	struct names source;
	struct delta *x;
	void (*emit)(void *arg, size_t i, const char *from, const char *to);
	void *arg;
};

/* Something stands where another one wants to be, and waits for that one's name: step aside. */
static void step_aside(struct order *r, int32_t i)
{
	char *temp = delta_keep(r->x, xasprintf("mig_swap_%u", ++r->x->temps));

	r->emit(r->arg, (size_t)i, r->now[i], temp);
	r->now[i] = temp;
}

/* Follow what stands in the way to its end, then rename on the way back. */
static void resolve(struct order *r, int32_t first, int32_t *stack)
{
	size_t depth = 0;

	stack[depth++] = first;
	r->state[first] = 1;
	for (;;) {
		int32_t in_way = names_get(&r->source, name_text(r->to[stack[depth - 1]]));

		if (in_way < 0 || r->state[in_way] == 2)
			break;
		if (r->state[in_way] == 1) {
			step_aside(r, in_way);
			break;
		}
		r->state[in_way] = 1;
		stack[depth++] = in_way;
	}
	while (depth) {
		int32_t i = stack[--depth];

		r->emit(r->arg, (size_t)i, r->now[i], r->to[i]);
		r->state[i] = 2;
	}
}

void renames_order(struct delta *x, const char *const *from, const char *const *to, size_t n,
                   void (*emit)(void *arg, size_t i, const char *from, const char *to), void *arg)
{
	struct order r = { .to = to, .x = x, .emit = emit, .arg = arg, .source = NAMES_INIT };
	int32_t *stack = xcalloc(n + 1, sizeof *stack);

	r.now = xcalloc(n + 1, sizeof *r.now);
	r.state = xcalloc(n + 1, sizeof *r.state);
	for (size_t i = 0; i < n; i++) {
		r.now[i] = from[i];
		names_add(&r.source, name_text(from[i]), (int32_t)i);
	}
	for (size_t i = 0; i < n; i++)
		if (r.state[i] == 0)
			resolve(&r, (int32_t)i, stack);
	names_release(&r.source);
	free(stack);
	free(r.now);
	free(r.state);
}

/* Renamings of one namespace. */
struct batch {
	struct delta *x;
	const struct renaming **v;
	const char **from, **to;
	size_t n;
};

static void emit_constraint(void *arg, size_t i, const char *from, const char *to)
{
	struct batch *b = arg;
	struct change *c = delta_add(b->x, WHAT_RENAME_CONSTRAINT, b->v[i]->pair, MAJOR_NAMES, 0);

	/* in the order they are emitted, whatever the table's turn is */
	c->order = (uint64_t)MAJOR_NAMES << 56 | (b->x->nchange - 1);
	c->from = from;
	c->to = to;
	c->name = to;
	c->old = b->v[i]->old;
	c->new = b->v[i]->new;
}

static void flush(struct batch *b)
{
	/* SQLite writes them into the table's new text, all at once. */
	if (b->x->dialect == DIALECT_POSTGRESQL)
		renames_order(b->x, b->from, b->to, b->n, emit_constraint, b);
	for (size_t i = 0; b->x->dialect == DIALECT_SQLITE && i < b->n; i++)
		emit_constraint(b, i, b->from[i], b->to[i]);
	b->n = 0;
}

static void add(struct batch *b, const struct renaming *r)
{
	b->v[b->n] = r;
	b->from[b->n] = r->from;
	b->to[b->n++] = r->to;
}

void delta_rename_constraints(struct delta *x)
{
	struct batch b = { .x = x };

	b.v = xcalloc(x->nrenaming + 1, sizeof *b.v);
	b.from = xcalloc(x->nrenaming + 1, sizeof *b.from);
	b.to = xcalloc(x->nrenaming + 1, sizeof *b.to);
	for (size_t i = 0; i < x->nrenaming; i++)
		if (x->renaming[i].relation)
			add(&b, &x->renaming[i]);
	flush(&b);
	for (size_t i = 0; i < x->nrenaming; i++) {
		if (b.n && b.v[0]->pair != x->renaming[i].pair)
			flush(&b);
		if (!x->renaming[i].relation)
			add(&b, &x->renaming[i]);
	}
	flush(&b);
	free(b.v);
	free(b.from);
	free(b.to);
}
