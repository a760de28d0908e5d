/* instant-steps.c -- from what is there to the goals of instant-goal.h */
#include "instant-goal.h"

#include <stdlib.h>

/* The steps of each kind: rows before links, and links are cut before others are made. */
struct writing {
	const struct instant_goals *g;
	const struct instant_batch *b;
	const struct instant_app *a;
	struct buf update, unlink, link, gone;
	struct instant_tally *t;
	struct diag *d;
};

/* Append ["update","posts","1c..", */
static void open_step(struct buf *out, const char *op, const struct instant_batch *b, size_t i)
{
	const char *entity = b->group[b->row[i].group].entity;

	if (out->len)
		buf_addch(out, ',');
	buf_addf(out, "[\"%s\",", op);
	canon_string(out, entity, strlen(entity));
	buf_addf(out, ",\"%s\",", b->row[i].id);
}

/* Is the member at key of the goal there as it should be?  A member without a value is like one that is not there. */
static bool same_member(const struct writing *w, uint32_t key, uint32_t there)
{
	struct buf want = BUF_INIT, is = BUF_INIT;
	char *name = record_dup(&w->g->doc, key);
	uint32_t v = doc_member(&w->a->doc, there, name, strlen(name));

	canon_value(&want, &w->g->doc, key + 1, DOC_NONE);
	if (v == DOC_NONE)
		buf_addstr(&is, "null");
	else
		canon_value(&is, &w->a->doc, v, DOC_NONE);
	bool same = want.len == is.len && memcmp(want.s, is.s, is.len) == 0;

	free(name);
	buf_release(&want);
	buf_release(&is);
	return same;
}

/* The members that are not as they should be, or all of a row that is new: were there any? */
static bool update(struct writing *w, size_t i, uint32_t data)
{
	uint32_t there = w->b->row[i].there, key;
	struct buf members = BUF_INIT;
	struct doc_walk walk;

	for (doc_walk_init(&walk, &w->g->doc, data); (key = doc_walk_next(&walk));) {
		if (there != DOC_NONE && same_member(w, key, there))
			continue;
		if (members.len)
			buf_addch(&members, ',');
		canon_value(&members, &w->g->doc, key, DOC_NONE);
		buf_addch(&members, ':');
		canon_value(&members, &w->g->doc, key + 1, DOC_NONE);
	}
	bool any = members.len || there == DOC_NONE;

	if (any) {
		open_step(&w->update, "update", w->b, i);
		buf_addch(&w->update, '{');
		buf_add(&w->update, members.s, members.len);
		buf_addstr(&w->update, "}]");
	}
	buf_release(&members);
	return any;
}

/* {"author":["7e.."]} of the ids in a that are not in b: how many */
static size_t link_step(struct writing *w, struct buf *out, const char *op, size_t i, uint32_t key,
                        const struct instant_ids *a, const struct instant_ids *b)
{
	size_t n = 0;

	for (size_t k = 0; k < a->n; k++) {
		if (instant_ids_have(b, a->v[k]))
			continue;
		if (n++ == 0) {
			open_step(out, op, w->b, i);
			buf_addch(out, '{');
			canon_value(out, &w->g->doc, key, DOC_NONE);
			buf_addstr(out, ":[");
		}
		buf_addf(out, "%s\"%s\"", n > 1 ? "," : "", a->v[k]);
	}
	if (n)
		buf_addstr(out, "]}]");
	return n;
}

/* One label: how many links are made or cut, or -1. */
static int link_row(struct writing *w, size_t i, uint32_t key)
{
	const struct doc *there = &w->a->doc;
	char *label = record_dup(&w->g->doc, key);
	uint32_t row = w->b->row[i].there;
	uint32_t v = row != DOC_NONE ? doc_member(there, row, label, strlen(label)) : DOC_NONE;
	struct instant_ids is, want;
	size_t n = 0;

	free(label);
	if (!instant_ids_read(&is, there, v))
		return diag_add(w->d, MIG_INVALID, "bad_answer", NULL, "the answer has a link that is none");
	instant_ids_read(&want, &w->g->doc, key + 1);
	if (!w->g->more)
		n += link_step(w, &w->unlink, "unlink", i, key, &is, &want);
	n += link_step(w, &w->link, "link", i, key, &want, &is);
	instant_ids_release(&is);
	instant_ids_release(&want);
	return (int)n;
}

static int put_row(struct writing *w, size_t i)
{
	const struct doc *d = &w->g->doc;
	uint32_t goal = w->g->row[i], data = doc_member(d, goal, "data", 4), links = doc_member(d, goal, "links", 5);
	uint32_t key;
	bool changes = update(w, i, data);
	struct doc_walk walk;

	for (doc_walk_init(&walk, d, links); (key = doc_walk_next(&walk));) {
		int n = link_row(w, i, key);

		if (n < 0)
			return -1;
		w->t->links += (size_t)n;
		changes = changes || n;
	}
	if (w->b->row[i].there == DOC_NONE)
		w->t->fresh++;
	else if (changes)
		w->t->changed++;
	else
		w->t->same++;
	return 0;
}

static void delete_row(struct writing *w, size_t i)
{
	if (w->b->row[i].there == DOC_NONE) {
		w->t->gone++;
		return;
	}
	open_step(&w->gone, "delete", w->b, i);
	buf_addstr(&w->gone, "null]");
	w->t->deleted++;
}

int instant_goals_steps(const struct instant_goals *g, const struct instant_batch *b, const struct instant_app *a,
                        struct buf *steps, struct instant_tally *t, struct diag *d)
{
	struct writing w = { .g = g, .b = b, .a = a, .t = t, .d = d };
	struct buf *const parts[] = { &w.update, &w.unlink, &w.link, &w.gone };
	bool any = false;
	int rc = 0;

	*t = (struct instant_tally){ .same = 0 };
	for (size_t i = 0; i < g->n && rc == 0; i++) {
		if (g->doc.tok[g->row[i]].type == DOC_OBJECT)
			rc = put_row(&w, i);
		else
			delete_row(&w, i);
	}
	buf_addch(steps, '[');
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i]->len && any)
			buf_addch(steps, ',');
		any = any || parts[i]->len;
		buf_add(steps, parts[i]->s, parts[i]->len);
		buf_release(parts[i]);
	}
	buf_addch(steps, ']');
	return rc;
}

bool instant_tally_reached(const struct instant_tally *t)
{
	return t->fresh + t->changed + t->deleted == 0;
}
