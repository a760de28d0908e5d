/* sql-batch-show.c -- see sql-batch-show.h */
#include "sql-batch-show.h"

struct showing {
	struct sql_batch b;
	const struct row_group *g; /* the group at hand */
	int (*each)(void *arg, size_t i, struct text there);
	void *arg;
	struct buf text; /* a row that is there, */
	struct doc doc;  /* its index, */
	struct buf out;  /* and what is shown of it */
};

/* {"entity":"users","ids":["7"]}: a link of the plan, with the id that the column at token t holds. */
static void add_actual_link(struct showing *s, uint32_t link, uint32_t t)
{
	const struct doc *plan = s->b.work.doc;
	struct rec w;
	size_t n;
	const char *span = doc_span(plan, doc_member(plan, link, "entity", 6), &n);

	rec_open(&w, &s->out);
	rec_raw(&w, "entity", span, n);
	rec_name(&w, "ids");
	buf_addch(&s->out, '[');
	if (s->doc.tok[t].type == DOC_STRING)
		canon_value(&s->out, &s->doc, t, DOC_NONE);
	else if (s->doc.tok[t].type != DOC_NULL) {
		span = doc_span(&s->doc, t, &n);
		canon_string(&s->out, span, n);
	}
	buf_addch(&s->out, ']');
	rec_close(&w);
}

/* What is there of a field, as the plan has members or, at token value, links. */
static void add_actual(struct showing *s, const struct row_field *f, uint32_t value)
{
	uint32_t t = doc_member(&s->doc, 0, f->column->name, strlen(f->column->name));

	if (f->link)
		add_actual_link(s, value, t);
	else
		canon_value(&s->out, &s->doc, t, DOC_NONE);
}

/* The object data or links of an action, each value as it is there; *field is the place of its first field. */
static void add_object(struct showing *s, uint32_t object, const struct row_seen *seen, size_t *field)
{
	const struct doc *plan = s->b.work.doc;
	struct doc_walk w;
	uint32_t key;
	bool any = false;

	buf_addch(&s->out, '{');
	if (object != DOC_NONE)
		for (doc_walk_init(&w, plan, object); (key = doc_walk_next(&w)); ++*field, any = true) {
			buf_addstr(&s->out, any ? "," : "");
			canon_value(&s->out, plan, key, DOC_NONE);
			buf_addch(&s->out, ':');
			if (seen->same[*field])
				canon_value(&s->out, plan, key + 1, DOC_NONE);
			else
				add_actual(s, &s->g->field[*field], key + 1);
		}
	buf_addch(&s->out, '}');
}

static int show_row(void *arg, size_t i, const struct row_seen *seen)
{
	struct showing *s = arg;
	struct sql_batch *b = &s->b;
	struct row_action a = row_action_at(b->work.doc, s->g->action[i], &b->work.id);
	size_t field = 0;

	if (!seen->there)
		return s->each(s->arg, s->g->place[i], (struct text){ NULL, 0 });
	buf_reset(&s->text);
	buf_add(&s->text, seen->actual.s ? seen->actual.s : "{}", seen->actual.s ? seen->actual.n : 2);
	if (doc_parse(&s->doc, s->text.s, s->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(b->d, MIG_INVALID, "unreadable_row", s->g->table->name,
		                "a row cannot be shown as JSON: %s", s->doc.err.reason);
	buf_reset(&s->out);
	buf_addstr(&s->out, "{\"data\":");
	add_object(s, a.data, seen, &field);
	buf_addstr(&s->out, ",\"links\":");
	add_object(s, a.links, seen, &field);
	buf_addch(&s->out, '}');
	return s->each(s->arg, s->g->place[i], (struct text){ s->out.s, s->out.len });
}

int sql_batch_show(struct sql_batches *all, size_t i, int (*each)(void *arg, size_t i, struct text there), void *arg,
                   struct diag *d)
{
	struct showing s = { .each = each, .arg = arg, .doc = DOC_INIT };
	struct sql_batch *b = &s.b;
	int rc = sql_batch_open(b, all, i, d);

	for (size_t k = 0; k < b->groups.n && rc == 0; k++) {
		s.g = &b->groups.v[k];
		rc = b->ops->look(&b->work, s.g, true, show_row, &s);
	}
	sql_batch_close(b);
	doc_release(&s.doc);
	buf_release(&s.text);
	buf_release(&s.out);
	return rc;
}
