/* instant-goal.c -- see instant-goal.h */
#include "instant-goal.h"

#include <stdlib.h>

void instant_goals_release(struct instant_goals *g)
{
	buf_release(&g->text);
	doc_release(&g->doc);
	free(g->row);
	*g = (struct instant_goals)INSTANT_GOALS_INIT;
}

static int index_goals(struct instant_goals *g, struct diag *d)
{
	uint32_t t = 1;

	buf_addch(&g->text, ']');
	if (doc_parse(&g->doc, g->text.s, g->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "goals do not read back: %s", g->doc.err.reason);
	g->n = g->doc.tok[0].n;
	g->row = xrealloc(g->row, g->n ? g->n : 1, sizeof *g->row);
	for (size_t i = 0; i < g->n; i++, t = g->doc.tok[t].next)
		g->row[i] = t;
	return 0;
}

static void put_member(struct buf *out, const struct doc *d, uint32_t key, char *sep)
{
	buf_addch(out, *sep);
	*sep = ',';
	canon_value(out, d, key, DOC_NONE);
	buf_addch(out, ':');
}

/* The members of data but its id. */
static void put_data(struct buf *out, const struct doc *d, uint32_t data)
{
	struct doc_walk w;
	uint32_t key;
	char sep = '{';

	for (doc_walk_init(&w, d, data); (key = doc_walk_next(&w));) {
		if (doc_equals(d, key, "id", 2))
			continue;
		put_member(out, d, key, &sep);
		canon_value(out, d, key + 1, DOC_NONE);
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
}

/* {"author":{"entity":"users","ids":["7E.."]}} as {"author":["7e.."]} */
static void put_links(struct buf *out, const struct doc *d, uint32_t links)
{
	struct doc_walk w;
	uint32_t key;
	char sep = '{';

	for (doc_walk_init(&w, d, links); (key = doc_walk_next(&w));) {
		struct instant_ids ids;

		put_member(out, d, key, &sep);
		instant_ids_read(&ids, d, doc_member(d, key + 1, "ids", 3));
		instant_ids_write(&ids, out);
		instant_ids_release(&ids);
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
}

int instant_goals_plan(struct instant_goals *g, const struct instant_batch *b, struct diag *d)
{
	buf_reset(&g->text);
	for (size_t i = 0; i < b->n; i++) {
		buf_addch(&g->text, i ? ',' : '[');
		if (b->step->rows.deletes) {
			buf_addstr(&g->text, "null");
			continue;
		}
		buf_addstr(&g->text, "{\"data\":");
		put_data(&g->text, b->plan, b->row[i].data);
		buf_addstr(&g->text, ",\"links\":");
		put_links(&g->text, b->plan, b->row[i].links);
		buf_addch(&g->text, '}');
	}
	g->more = false;
	return index_goals(g, d);
}

/* Of the members that the object named of plan has those of the object is in d, or what stands for none. */
static void put_named(struct buf *out, const struct doc *plan, uint32_t named, const struct doc *d, uint32_t is,
                      const char *none)
{
	struct doc_walk w;
	uint32_t key;
	char sep = '{';

	for (doc_walk_init(&w, plan, named); (key = doc_walk_next(&w));) {
		char *name = record_dup(plan, key);
		uint32_t v = doc_member(d, is, name, strlen(name));

		if (strcmp(name, "id") != 0) {
			put_member(out, plan, key, &sep);
			if (v == DOC_NONE)
				buf_addstr(out, none);
			else
				canon_value(out, d, v, DOC_NONE);
		}
		free(name);
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
}

int instant_goals_undo(struct instant_goals *g, const struct instant_batch *b, const struct instant_backup *k,
                       struct diag *d)
{
	bool all = b->step->rows.deletes;

	buf_reset(&g->text);
	for (size_t i = 0; i < b->n; i++) {
		const struct instant_row *r = &b->row[i];
		uint32_t data = doc_member(&k->doc, k->row[i], "data", 4);
		uint32_t links = doc_member(&k->doc, k->row[i], "links", 5);

		buf_addch(&g->text, i ? ',' : '[');
		if (k->doc.tok[data].type != DOC_OBJECT || k->doc.tok[links].type != DOC_OBJECT) {
			buf_addstr(&g->text, "null");
			continue;
		}
		buf_addstr(&g->text, "{\"data\":");
		put_named(&g->text, all ? &k->doc : b->plan, all ? data : r->data, &k->doc, data, "null");
		buf_addstr(&g->text, ",\"links\":");
		put_named(&g->text, all ? &k->doc : b->plan, all ? links : r->links, &k->doc, links, "[]");
		buf_addch(&g->text, '}');
	}
	g->more = all;
	return index_goals(g, d);
}
