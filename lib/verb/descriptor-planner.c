/* descriptor-planner.c -- see descriptor-planner.h */
#include "descriptor-planner.h"

#include "descriptor-diff.h"
#include "names.h"
#include "planner-steps.h"
#include "sql-text.h"

#include <stdlib.h>

struct planning {
	const struct plan_ask *ask;
	struct instructions list;
	struct sql_header header;
	struct sql_plan plan;
	struct names used; /* objects of step_ids that are taken, with their types */
	char **owned;
	size_t nowned;
};

static void planning_release(struct planning *p)
{
	for (size_t i = 0; i < p->nowned; i++)
		free(p->owned[i]);
	free(p->owned);
	names_release(&p->used);
	instructions_release(&p->list);
	sql_plan_release(&p->plan);
}

/* {"action":..,"after":..,"before":..,"op":"instruct","step":..,"summary":..,"target":..,"type":..} */
static void add_action(struct buf *b, const char *type, const struct instruction *i, const char *before,
                       const char *after, const char *step, const char *summary)
{
	struct rec w;

	rec_open(&w, b);
	rec_cstr(&w, "action", instruction_kind(text_cstr(type))->action);
	if (after)
		rec_raw(&w, "after", after, strlen(after));
	if (before)
		rec_raw(&w, "before", before, strlen(before));
	rec_cstr(&w, "op", "instruct");
	if (step)
		rec_raw(&w, "step", step, strlen(step));
	rec_cstr(&w, "summary", summary);
	rec_cstr(&w, "target", i->target);
	rec_cstr(&w, "type", type);
	rec_close(&w);
}

/* {"message":SUMMARY,"rows":null,"rule_id":"add_attr","severity":"safe"} */
static void add_finding(struct buf *b, const char *type, const char *summary)
{
	const struct instruction_kind *k = instruction_kind(text_cstr(type));
	struct rec w;

	rec_open(&w, b);
	rec_cstr(&w, "message", summary);
	rec_null(&w, "rows");
	rec_cstr(&w, "rule_id", k->rule);
	rec_cstr(&w, "severity", sqlseverity_name(k->severity));
	rec_close(&w);
}

/* The target, or with a number where a planner has two steps of one type for it.  Owned by p. */
static const char *object_of(struct planning *p, const struct instruction *i, const char *what)
{
	for (size_t n = 1;; n++) {
		char *object = n == 1 ? xstrdup(i->target) : xasprintf("%s#%zu", i->target, n);
		char *id = xasprintf("%s:%s", object, what);

		if (names_get(&p->used, text_cstr(id)) != NAMES_NONE) {
			free(object);
			free(id);
			continue;
		}
		p->owned = xrealloc(p->owned, p->nowned + 2, sizeof *p->owned);
		p->owned[p->nowned++] = object;
		p->owned[p->nowned++] = id;
		names_add(&p->used, text_cstr(id), 1);
		return object;
	}
}

static struct text text_in(const struct buf *b)
{
	return (struct text){ b->s ? b->s : "", b->len };
}

static void add_step(struct planning *p, const struct instruction *i)
{
	const struct instruction_kind *k = instruction_kind(text_cstr(i->type));
	struct text word = instruction_what(text_cstr(i->type));
	char *what = xmemdup(word.s, word.n), *undo = xasprintf("undo: %s", i->summary);
	struct buf actions = BUF_INIT, findings = BUF_INIT, back = BUF_INIT, found = BUF_INIT;
	struct sql_step s = { .object = object_of(p, i, what),
		              .what = what,
		              .from = "0",
		              .to = p->ask->target_version,
		              .description = i->summary,
		              .reversible = k->reversible,
		              .note = k->note };

	add_action(&actions, i->type, i, i->before, i->after, i->step, i->summary);
	add_finding(&findings, i->type, i->summary);
	if (i->inverse) {
		add_action(&back, i->inverse, i, i->after, i->before, NULL, undo);
		add_finding(&found, i->inverse, undo);
	}
	s.forth = (struct sql_way){ .actions = text_in(&actions), .findings = text_in(&findings), .type = k->step };
	s.back = (struct sql_way){ .actions = text_in(&back),
		                   .findings = text_in(&found),
		                   .type = i->inverse ? instruction_kind(text_cstr(i->inverse))->step : k->step };
	sql_plan_add(&p->plan, &p->header, &s);
	buf_release(&actions);
	buf_release(&findings);
	buf_release(&back);
	buf_release(&found);
	free(what);
	free(undo);
}

static int put(struct planning *p, struct out *out, struct diag *d)
{
	struct tally t;
	int rc = 0;

	p->header.ask = p->ask;
	p->header.language = "descriptor";
	p->header.set_id = p->ask->migration_id;
	p->header.target_version = p->ask->target_version;
	p->header.part = p->header.parts = 1;
	p->header.nstep = p->list.n;
	p->header.max = stream_max_record();
	for (size_t i = 0; i < p->list.n; i++)
		add_step(p, &p->list.v[i]);
	tally_init(&t);
	if (p->list.n)
		rc = sql_plan_put(&p->plan, &p->header, out, &t, d);

	if (rc == 0)
		rc = stream_put_tally(out, "mig-plan", &t);
	tally_release(&t);
	return rc;
}

/* ---- the source that comes in a stream ---- */

static int take_snapshot(const struct stream *in, const struct record *r, struct descriptor *x, bool *any,
                         struct diag *d)
{
	uint32_t t = record_get(r, "descriptor");

	if (stream_check_sum(in, r, d) < 0)
		return -1;
	if (*any)
		return diag_add(d, MIG_INVALID, "no_descriptor", in->where, "a second snapshot: which is meant?");
	if (r->doc->tok[t].type != DOC_OBJECT)
		return diag_add(d, MIG_INVALID, "no_descriptor", in->where,
		                "the snapshot has none: only domain endpoints describe themselves");
	*any = true;
	return descriptor_read(x, r->doc, t, "the snapshot", d);
}

static int count(struct tally *seen, const struct record *r)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	uint32_t ref, hash;

	if (record_source(r, &ref, &hash))
		tally_object(seen, record_text(r->doc, ref, &a), record_text(r->doc, hash, &b));
	buf_release(&a);
	buf_release(&b);
	return 0;
}

/* The whole stream must be there: a descriptor of half a stream may be anybody's. */
static int read_stream(struct stream *in, struct descriptor *x, struct out *out, struct diag *d)
{
	struct tally seen;
	struct record r;
	bool any = false;
	int rc;

	tally_init(&seen);
	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_FAULT)
			rc = stream_put(out, r.line, r.len);
		else if (r.kind == KIND_SNAPSHOT && !in->fault)
			rc = take_snapshot(in, &r, x, &any, d);
		else if (r.kind == KIND_DOCUMENT || r.kind == KIND_REJECT)
			rc = count(&seen, &r);
		else if (r.kind != KIND_END && !in->fault)
			rc = diag_add(d, MIG_USAGE, "unexpected_kind", in->where, "%s: not what mig-extract writes",
			              kind_name(r.kind));
		if (rc < 0)
			break;
	}
	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &seen, d)) == 0 && !any)
		rc = diag_add(d, MIG_INVALID, "no_descriptor", NULL, "no snapshot record came: what is there already?");
	tally_release(&seen);
	return rc;
}

int descriptor_planner_run(const struct descriptor_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = { .ask = &ask->plan, .plan = SQL_PLAN_INIT, .used = NAMES_INIT };
	struct descriptor from = DESCRIPTOR_INIT, to = DESCRIPTOR_INIT;
	int rc = descriptor_read(&to, ask->target, 0, ask->target_file, d);

	if ((ask->source ? descriptor_read(&from, ask->source, 0, ask->source_file, d)
	                 : read_stream(in, &from, out, d)) < 0)
		rc = -1;
	if (rc == 0 && (ask->source || !in->fault)) {
		p.header = (struct sql_header){ .digest = from.hash, .records = (int64_t)from.n, .set_hash = to.hash };
		p.header.current = (int64_t)descriptor_diff(&from, &to, &p.list);
		rc = put(&p, out, d);
	}
	planning_release(&p);
	descriptor_release(&from);
	descriptor_release(&to);
	return rc;
}

int steps_planner_run(const struct plan_ask *ask, const struct doc *steps, const char *file, struct out *out,
                      struct diag *d)
{
	struct planning p = { .ask = ask, .plan = SQL_PLAN_INIT, .used = NAMES_INIT };
	char hash[HEX_SIZE];
	int rc = planner_steps_read(&p.list, steps, file, hash, d);

	if (rc == 0) {
		p.header = (struct sql_header){ .digest = hash, .records = (int64_t)p.list.n, .set_hash = hash };
		rc = put(&p, out, d);
	}
	planning_release(&p);
	return rc;
}
