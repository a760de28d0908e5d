/*
 * diff.c -- patch_diff of patch.h: edits become operations.
 *
 * All edits have paths as they are in before.  Their order keeps those valid:
 *
 *	members    added, replaced, moved in: document order, nothing shifts
 *	leftovers  removed objects that something was moved out of
 *	elements   each array from its last index to its first, inner arrays first
 *
 * Every step has an exact inverse, so undo is the same list backwards.
 */
#include "patch.h"

#include "move.h"

struct step {
	enum edit_verb verb;
	struct text path, from;
	uint32_t old, new;
	const struct cand *holed; /* the value without what moves in or out */
};

struct steps {
	struct diff *x;
	struct step *list;
	uint32_t n;
};

/* ---- steps ---- */

static struct step *step_add(struct steps *s, enum edit_verb verb, struct text path)
{
	struct step *new = &s->list[s->n++];

	*new = (struct step){ .verb = verb, .path = path };
	return new;
}

static struct step *step_edit(struct steps *s, const struct edit *e)
{
	struct step *new = step_add(s, e->verb, e->path);

	new->old = e->old;
	new->new = e->new;
	if (e->cand && e->cand->holed)
		new->holed = e->cand;
	return new;
}

static void step_move(struct steps *s, const struct cand *to)
{
	step_add(s, EDIT_MOVE, move_path(s->x, to))->from = move_path(s->x, to->mate);
}

/* An added member, then what moves into it. */
static void step_added(struct steps *s, const struct edit *e)
{
	const struct cand *c = e->cand;

	if (c && c->mate) {
		step_move(s, c);
		return;
	}
	if (!step_edit(s, e)->holed)
		return;
	for (const struct cand *in = c + 1; in->edit == e; in++)
		if (in->mate)
			step_move(s, in);
}

static void make_steps(struct steps *s)
{
	struct diff *x = s->x;
	const struct edits *m = &x->members, *elements = &x->elements;

	/* an edit is at most one step, a candidate at most one more */
	s->list = arena_get(&x->mem, ((size_t)m->n + elements->n + x->ncands) * sizeof *s->list);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct edit *e = &m->list[i];

		if (e->verb == EDIT_ADD)
			step_added(s, e);
		else if (e->verb == EDIT_REPLACE || !e->cand || (!e->cand->mate && !e->cand->holed))
			step_edit(s, e);
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (m->list[i].verb == EDIT_REMOVE && m->list[i].cand && m->list[i].cand->holed)
			step_edit(s, &m->list[i]);
	for (uint32_t i = 0; i < elements->n; i++)
		step_edit(s, &elements->list[i]);
}

/* ---- text ---- */

static void put_text(struct buf *out, struct text t)
{
	if (t.n > 0)
		buf_add(out, t.s, t.n);
}

/* An object without the members that move; *c is the first candidate inside, and goes behind the last. */
static void put_rest(struct buf *out, const struct doc *d, uint32_t t, const struct cand **c)
{
	bool first = true;

	buf_addch(out, '{');
	for (uint32_t k = t + 1; k < d->tok[t].next; k = d->tok[k + 1].next) {
		const struct cand *in = (*c)++;

		if (!in->mate) {
			if (!first)
				buf_addch(out, ',');
			first = false;
			put_text(out, edit_span(d, k));
			buf_addch(out, ':');
			if (in->holed) {
				put_rest(out, d, k + 1, c);
				continue;
			}
			put_text(out, in->span);
		}
		while ((*c)->edit == in->edit && (*c)->tok < in->end)
			(*c)++;
	}
	buf_addch(out, '}');
}

static void put_value(struct buf *out, const struct doc *d, uint32_t t, const struct cand *holed)
{
	buf_addstr(out, ",\"value\":");
	if (holed) {
		const struct cand *in = holed + 1;

		put_rest(out, d, t, &in);
	} else {
		put_text(out, edit_span(d, t));
	}
}

static void put_op(struct buf *out, const char *op, struct text path)
{
	buf_addstr(out, "\"op\":\"");
	buf_addstr(out, op);
	buf_addstr(out, "\",\"path\":\"");
	put_text(out, path);
	buf_addch(out, '"');
}

/* One step forwards, or what takes it back. */
static void put_step(const struct diff *x, struct buf *out, const struct step *s, bool back)
{
	buf_addch(out, '{');
	if (s->verb == EDIT_MOVE) {
		buf_addstr(out, "\"from\":\"");
		put_text(out, back ? s->path : s->from);
		buf_addstr(out, "\",");
		put_op(out, "move", back ? s->from : s->path);
	} else if (s->verb == EDIT_REPLACE) {
		put_op(out, "replace", s->path);
		put_value(out, back ? x->before : x->after, back ? s->old : s->new, NULL);
	} else if ((s->verb == EDIT_REMOVE) != back) {
		put_op(out, "remove", s->path);
	} else {
		put_op(out, "add", s->path);
		put_value(out, back ? x->before : x->after, back ? s->old : s->new, s->holed);
	}
	buf_addch(out, '}');
}

static void put_steps(const struct steps *s, struct buf *out, bool back)
{
	buf_addch(out, '[');
	for (uint32_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_addch(out, ',');
		put_step(s->x, out, &s->list[back ? s->n - 1 - i : i], back);
	}
	buf_addch(out, ']');
}

void patch_diff(const struct doc *before, const struct doc *after, struct buf *patch, struct buf *undo)
{
	struct diff x;

	edit_init(&x, before, after);
	edit_collect(&x);
	move_find(&x);
	struct steps s = { .x = &x };

	make_steps(&s);
	put_steps(&s, patch, false);
	put_steps(&s, undo, true);
	edit_release(&x);
}
