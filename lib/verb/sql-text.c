/* sql-text.c -- see sql-text.h */
#include "sql-text.h"

#include "plan-head.h"
#include "plan.h"

#include <stdlib.h>

void sql_plan_release(struct sql_plan *p)
{
	buf_release(&p->steps);
	buf_release(&p->entries);
	buf_release(&p->text);
	free(p->entry);
}

static void sql_plan_clear(struct sql_plan *p)
{
	buf_reset(&p->steps);
	buf_reset(&p->entries);
	p->n = 0;
}

static void add_list(struct rec *w, const char *name, struct text items)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	buf_add(w->b, items.s, items.n);
	buf_addch(w->b, ']');
}

static void add_texts(struct rec *w, const char *name, char **list)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	for (char **p = list; p && *p; p++) {
		if (p != list)
			buf_addch(w->b, ',');
		canon_string(w->b, *p, strlen(*p));
	}
	buf_addch(w->b, ']');
}

static void add_step(struct buf *b, const struct sql_step *s, const char *step_id, const char *key, size_t index)
{
	struct rec w;

	rec_open(&w, b);
	add_list(&w, "actions", s->forth.actions);
	rec_cstr(&w, "description", s->description);
	add_list(&w, "findings", s->forth.findings);
	rec_cstr(&w, "idempotency_key", key);
	rec_int(&w, "index", (int64_t)index);
	add_list(&w, "postconditions", s->forth.post);
	add_list(&w, "preconditions", s->forth.pre);
	rec_cstr(&w, "step_id", step_id);
	if (s->forth.no_transaction)
		rec_bool(&w, "transaction", false);
	rec_cstr(&w, "type", s->forth.type);
	rec_close(&w);
}

/* The index, which counts from the last step, is put in by sql_plan_put: a NUL keeps its place. */
static void add_entry(struct buf *b, const struct sql_step *s, const char *step_id, const char *key)
{
	struct rec w, safety;
	char *description = xasprintf("undo: %s", s->description);

	rec_open(&w, b);
	add_list(&w, "actions", s->back.actions);
	rec_name(&w, "data_safety");
	rec_open(&safety, b);
	rec_cstr(&safety, "note", s->note);
	rec_bool(&safety, "reversible", s->reversible);
	rec_close(&safety);
	rec_cstr(&w, "description", description);
	add_list(&w, "findings", s->back.findings);
	rec_cstr(&w, "idempotency_key", key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	add_texts(&w, "levers", s->levers);
	add_list(&w, "postconditions", s->back.post);
	add_list(&w, "preconditions", s->back.pre);
	rec_cstr(&w, "previous_version", s->from);
	rec_cstr(&w, "step_id", step_id);
	if (s->back.no_transaction)
		rec_bool(&w, "transaction", false);
	rec_cstr(&w, "type", s->back.type);
	add_list(&w, "undo", (struct text){ "", 0 });
	rec_close(&w);
	free(description);
}

void sql_plan_add(struct sql_plan *p, const struct sql_header *h, const struct sql_step *s)
{
	const struct plan_ask *a = h->ask;
	char *step_id = xasprintf("%s:%s@%s..%s", s->object, s->what, s->from, s->to), key[HEX_SIZE];

	plan_key(text_cstr(a->env), text_cstr(a->tenant), text_cstr(a->project), text_cstr(a->migration_id),
	         text_cstr(step_id), key);
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 16;
		p->entry = xrealloc(p->entry, p->cap, sizeof *p->entry);
	}
	p->entry[p->n++] = p->entries.len;
	if (p->steps.len)
		buf_addch(&p->steps, ',');
	add_step(&p->steps, s, step_id, key, p->n);
	add_entry(&p->entries, s, step_id, key);
	free(step_id);
}

static void add_header(struct buf *b, const struct sql_header *h)
{
	const char *dialect = h->dialect == DIALECT_SQLITE ? "sqlite" : "postgresql";
	struct buf set = BUF_INIT;
	struct rec w;

	rec_open(&w, &set);
	rec_cstr(&w, "hash", h->set_hash);
	rec_cstr(&w, "id", h->set_id);
	rec_close(&w);
	const struct plan_head head = { .ask = h->ask,
		                        .dialect = h->language ? h->language : dialect,
		                        .target_version = h->target_version,
		                        .set = { set.s, set.len },
		                        .digest = h->digest,
		                        .changes = (int64_t)h->nstep,
		                        .current = h->current,
		                        .records = h->records };

	plan_head_put(&head, h->part, h->parts, b);
	buf_release(&set);
}

/* The rollback entries stand in reverse, each with its index in the place that the NUL keeps. */
static void add_rollback(struct sql_plan *p, struct buf *b)
{
	size_t end = p->entries.len;

	for (size_t i = p->n; i-- > 0; end = p->entry[i]) {
		const char *s = p->entries.s + p->entry[i];
		size_t n = end - p->entry[i];
		const char *nul = memchr(s, '\0', n);

		if (i + 1 < p->n)
			buf_addch(b, ',');
		buf_add(b, s, (size_t)(nul - s));
		buf_addf(b, "%zu", p->n - i);
		buf_add(b, nul + 1, n - (size_t)(nul - s) - 1);
	}
}

int sql_plan_put(struct sql_plan *p, const struct sql_header *h, struct out *out, struct tally *t, struct diag *d)
{
	struct buf *b = &p->text;
	int rc;

	buf_reset(b);
	buf_addstr(b, "{\"header\":");
	add_header(b, h);
	buf_addstr(b, ",\"kind\":\"plan\",");
	size_t at = b->len;

	buf_addstr(b, "\"rollback\":[");
	add_rollback(p, b);
	buf_addstr(b, "],\"steps\":[");
	buf_add(b, p->steps.s, p->steps.len);
	buf_addstr(b, "]}");
	if (b->len > h->max / 2) /* a permit is a plan and a grant */
		rc = diag_add(d, MIG_INVALID, "too_large", h->target_version,
		              "the plan is larger than half of MIG_MAX_RECORD: make two hops of it");
	else
		rc = plan_put(out, b, at, t);
	sql_plan_clear(p);
	return rc;
}
