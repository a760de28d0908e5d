/* balancer.c -- see balancer.h */
#include "balancer.h"

#include "rowref.h"
#include "rows.h"
#include "stream.h"
#include "values.h"

#include <inttypes.h>
#include <stdlib.h>

struct balancing {
	struct balance *b;
	struct buf arena, id, scratch;
};

static void add(struct balancing *x, const struct doc *d, struct text entity, struct text id, uint32_t data,
                uint32_t links)
{
	unsigned char item[DIGEST_BYTES];

	balance_item(entity, id, d, data, links, &x->scratch, item);
	balance_add(x->b, entity, item);
}

/* A document or a change: its id is in its ref; a file has none but that. */
static void add_record(struct balancing *x, const struct record *r, uint32_t data, uint32_t links)
{
	buf_reset(&x->arena);
	buf_reset(&x->id);
	buf_reserve(&x->arena, r->doc->len); /* two texts are decoded into it, neither may move */
	struct text entity = record_text(r->doc, record_get(r, "entity"), &x->arena);
	struct text ref = record_text(r->doc, record_get(r, "ref"), &x->arena);

	if (!rowref_id(ref, entity, &x->id))
		buf_add(&x->id, ref.s, ref.n);
	add(x, r->doc, entity, (struct text){ x->id.s, x->id.len }, data, links);
}

static void add_plan(struct balancing *x, const struct doc *d, uint32_t plan)
{
	uint32_t steps = doc_member(d, plan, "steps", 5);

	for (uint32_t s = steps + 1; s < d->tok[steps].next; s = d->tok[s].next) {
		uint32_t actions = doc_member(d, s, "actions", 7);

		if (actions == DOC_NONE || d->tok[actions].type != DOC_ARRAY)
			continue;
		for (uint32_t t = actions + 1; t < d->tok[actions].next; t = d->tok[t].next) {
			struct row_action a = row_action_at(d, t, &x->arena);

			if (a.data != DOC_NONE && a.entity.s && a.id.s)
				add(x, d, a.entity, a.id, a.data, a.links);
		}
	}
}

static int add_any(struct balancing *x, const struct record *r, const char *where, struct diag *d)
{
	uint32_t plan = r->kind == KIND_PERMIT ? record_get(r, "plan") : 0;

	if (r->kind == KIND_DOCUMENT)
		add_record(x, r, record_get(r, "body"), DOC_NONE);
	else if (r->kind == KIND_CHANGE && record_get(r, "from") == DOC_NONE)
		return diag_add(d, MIG_INVALID, "no_row", where, "a change to a document, not to a row");
	else if (r->kind == KIND_CHANGE && record_get(r, "data") != DOC_NONE)
		add_record(x, r, record_get(r, "data"), record_get(r, "links"));
	else if (r->kind == KIND_PLAN || (r->kind == KIND_PERMIT && doc_member(r->doc, plan, "steps", 5) != DOC_NONE))
		add_plan(x, r->doc, plan);
	return 0;
}

int balancer_add(struct balance *b, int fd, const char *name, struct diag *d)
{
	struct balancing x = { .b = b };
	struct values v;
	int rc;

	values_init(&v, fd, name);
	while ((rc = values_next(&v, d)) > 0) {
		struct record r = { .doc = &v.doc };
		char *where = xasprintf("%s: line %zu", name, v.line);

		rc = record_check(&r, where, d);
		if (rc == 0)
			rc = add_any(&x, &r, where, d);
		free(where);
		if (rc < 0)
			break;
	}
	values_release(&v);
	buf_release(&x.arena);
	buf_release(&x.id);
	buf_release(&x.scratch);
	return rc;
}

int balancer_put(const struct balance *b, bool json, struct out *out)
{
	struct buf line = BUF_INIT;
	char hex[HEX_SIZE];
	int rc = 0;

	for (size_t i = 0; i < b->n && rc == 0; i++) {
		const struct balance_sum *s = &b->v[i];
		struct rec w;

		buf_reset(&line);
		digest_spell(s->sum, hex);
		if (json) {
			rec_open(&w, &line);
			rec_int(&w, "count", (int64_t)s->count);
			rec_cstr(&w, "digest", hex);
			rec_cstr(&w, "entity", s->entity);
			rec_close(&w);
		} else {
			buf_addf(&line, "%s  %" PRIu64 "  %s", hex, s->count, s->entity);
		}
		rc = stream_put(out, line.s, line.len);
	}
	buf_release(&line);
	return rc;
}
