/* delta-columns.c -- one table's columns on both sides: see delta.h */
#include "delta.h"

#include <stdlib.h>

/* When a column's change comes, within its table. */
enum { TURN_REBUILD, TURN_DROP_OCCUPIED, TURN_RENAME, TURN_DROP, TURN_ADD, TURN_TYPE, TURN_DEFAULT, TURN_NULL };

static void join(struct pair *p, size_t new, int32_t old)
{
	if (old >= 0 && p->to[old] < 0) {
		p->from[new] = old;
		p->to[old] = (int32_t) new;
	}
}

/* Junctions have no ids: their columns are what refers to the same table. */
static void match_junction(struct delta *x, struct pair *p)
{
	if (p->old->id || p->new->id || p->old->nfkey != 2 || p->new->nfkey != 2)
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct fkey *a = &p->old->fkey[i], *b = &p->new->fkey[i];
		struct pair *q = delta_old_table(x, a->table);
		const struct column *oc = column_of(p->old, a->column[0]), *nc = column_of(p->new, b->column[0]);

		if (q && q->new &&oc &&nc &&strcmp(q->new->name, b->table) == 0 && p->from[nc - p->new->column] < 0)
			join(p, (size_t)(nc - p->new->column), (int32_t)(oc - p->old->column));
	}
}

static void match_columns(struct delta *x, struct pair *p)
{
	const struct column *old = p->old->column, *new = p->new->column;
	struct names by_id = NAMES_INIT, by_name = NAMES_INIT;

	p->from = xcalloc(p->new->ncolumn + 1, sizeof *p->from);
	p->to = xcalloc(p->old->ncolumn + 1, sizeof *p->to);
	memset(p->from, 0xff, (p->new->ncolumn + 1) * sizeof *p->from);
	memset(p->to, 0xff, (p->old->ncolumn + 1) * sizeof *p->to);
	for (size_t i = 0; i < p->old->ncolumn; i++) {
		names_add(&by_name, name_text(old[i].name), (int32_t)i);
		if (old[i].id)
			names_add(&by_id, (struct text){ (const char *)&old[i].id, sizeof old[i].id }, (int32_t)i);
	}
	for (size_t i = 0; i < p->new->ncolumn; i++)
		if (new[i].id)
			join(p, i, names_get(&by_id, (struct text){ (const char *)&new[i].id, sizeof new[i].id }));
	for (size_t i = 0; i < p->new->ncolumn; i++) {
		int32_t at = names_get(&by_name, name_text(new[i].name));

		if (p->from[i] < 0 && at >= 0 && !(new[i].id &&old[at].id))
			join(p, i, at);
	}
	match_junction(x, p);
	names_release(&by_id);
	names_release(&by_name);
}

/* The order that the server keeps columns in: as they are now, then what is added. */
static void order_columns(struct delta *x, struct pair *p)
{
	size_t nlive = 0, n = 0;
	char **live = live_columns(x->live, p->live, &nlive);
	struct names by_name = NAMES_INIT;
	bool *seen = xcalloc(p->old->ncolumn + 1, sizeof *seen);

	p->old_order = xcalloc(p->old->ncolumn + 1, sizeof *p->old_order);
	p->new_order = xcalloc(p->new->ncolumn + 1, sizeof *p->new_order);
	for (size_t i = 0; i < p->old->ncolumn; i++)
		names_add(&by_name, name_text(p->old->column[i].name), (int32_t)i);
	for (size_t i = 0; i < nlive; i++) {
		int32_t at = names_get(&by_name, name_text(live[i]));

		if (at >= 0 && !seen[at]) {
			seen[at] = true;
			p->old_order[n++] = (size_t)at;
		}
	}
	for (size_t i = 0; i < p->old->ncolumn; i++)
		if (!seen[i])
			p->old_order[n++] = i;
	n = 0;
	for (size_t i = 0; i < p->old->ncolumn; i++)
		if (p->to[p->old_order[i]] >= 0)
			p->new_order[n++] = (size_t)p->to[p->old_order[i]];
	for (size_t i = 0; i < p->new->ncolumn; i++)
		if (p->from[i] < 0)
			p->new_order[n++] = i;
	names_release(&by_name);
	free(seen);
	free(live);
}

/* One table's columns that get other names. */
struct columns {
	struct delta *x;
	struct pair *pair;
};

static void emit_rename(void *arg, size_t i, const char *from, const char *to)
{
	struct columns *r = arg;
	struct change *c = delta_add(r->x, WHAT_RENAME_COLUMN, r->pair, MAJOR_ALTER, TURN_RENAME);

	(void)i;
	c->from = from;
	c->to = to;
	c->name = to;
}

static void rename_columns(struct delta *x, struct pair *p)
{
	const char **from = xcalloc(p->new->ncolumn + 1, sizeof *from), **to = xcalloc(p->new->ncolumn + 1, sizeof *to);
	struct columns r = { x, p };
	size_t n = 0;

	for (size_t i = 0; i < p->new->ncolumn; i++) {
		if (p->from[i] < 0 || strcmp(p->old->column[p->from[i]].name, p->new->column[i].name) == 0)
			continue;
		from[n] = p->old->column[p->from[i]].name;
		to[n++] = p->new->column[i].name;
	}
	renames_order(x, from, to, n, emit_rename, &r);
	free(from);
	free(to);
}

static struct change *add(struct delta *x, enum what w, struct pair *p, unsigned turn, const struct column *old,
                          const struct column *new)
{
	struct change *c = delta_add(x, w, p, MAJOR_ALTER, turn);

	c->old.column = old;
	c->new.column = new;
	c->name = (new ? new : old)->name;
	c->early = turn == TURN_DROP_OCCUPIED;
	return c;
}

static void compare(struct delta *x, struct pair *p, const struct column *old, const struct column *new)
{
	/* A default of the old type is in the way of the new one: changing the type changes both. */
	if (strcmp(old->type, new->type) != 0)
		add(x, WHAT_RETYPE_COLUMN, p, TURN_TYPE, old, new);
	else if (!default_same(old, new))
		add(x, new->def == DEFAULT_NONE ? WHAT_DROP_DEFAULT : WHAT_SET_DEFAULT, p, TURN_DEFAULT, old, new);
	if (old->not_null != new->not_null)
		add(x, new->not_null ? WHAT_SET_NOT_NULL : WHAT_DROP_NOT_NULL, p, TURN_NULL, old, new);
}

void delta_columns(struct delta *x, struct pair *p)
{
	struct names taken = NAMES_INIT;

	match_columns(x, p);
	order_columns(x, p);
	delta_add(x, WHAT_REBUILD_TABLE, p, MAJOR_ALTER, TURN_REBUILD)->early = true;
	rename_columns(x, p);
	for (size_t i = 0; i < p->new->ncolumn; i++) {
		names_add(&taken, name_text(p->new->column[i].name), 0);
		if (p->from[i] < 0)
			add(x, WHAT_ADD_COLUMN, p, TURN_ADD, NULL, &p->new->column[i]);
		else
			compare(x, p, &p->old->column[p->from[i]], &p->new->column[i]);
	}
	for (size_t i = 0; i < p->old->ncolumn; i++)
		if (p->to[i] < 0)
			add(x, WHAT_DROP_COLUMN, p,
			    names_get(&taken, name_text(p->old->column[i].name)) >= 0 ? TURN_DROP_OCCUPIED : TURN_DROP,
			    &p->old->column[i], NULL);
	names_release(&taken);
}
