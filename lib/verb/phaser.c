/* phaser.c -- see phaser.h */
#include "phaser.h"

#include "phase-rules.h"

struct phasing_in {
	const struct phases *x;
	const struct phase *ph;
	struct spool *plans;
	struct tally seen;
	struct diag *d;
};

static int take_plan(struct phasing_in *v, const struct record *r, struct plan *p, const char *where)
{
	if (plan_read(p, r->doc, 0, where, v->d) < 0)
		return -1;
	tally_plan(&v->seen, p->hash);
	if (p->rollback_mode)
		return diag_add(v->d, MIG_INVALID, "phase_rollback", where, "a rollback plan is no phase");
	if (p->phase.id.s)
		return diag_add(v->d, MIG_INVALID, "phase_again", where, "the plan is a phase already: %.*s",
		                (int)p->phase.id.n, p->phase.id.s);
	if (phase_destroys(p, text_cstr(phase_kind_name(v->ph->kind)), v->d) < 0)
		return -1;
	return spool_add(v->plans, r->line, r->len, v->d);
}

/* The header with its phase, which comes before all members that are greater than it. */
static void add_header(struct buf *b, const struct phasing_in *v, const struct doc *d, uint32_t header)
{
	struct doc_walk w;
	uint32_t key;
	bool any = false, done = false;

	buf_addstr(b, "{\"header\":{");
	for (doc_walk_init(&w, d, header); (key = doc_walk_next(&w));) {
		size_t n;
		const char *s = doc_span(d, key, &n);

		if (!done && doc_compare_keys(s + 1, n - 2, "phase", 5) > 0) {
			buf_addstr(b, any ? ",\"phase\":" : "\"phase\":");
			phases_member(v->x, v->ph, b);
			any = done = true;
		}
		if (any)
			buf_addch(b, ',');
		any = true;
		buf_add(b, s, n);
		buf_addch(b, ':');
		s = doc_span(d, key + 1, &n);
		buf_add(b, s, n);
	}
	buf_addstr(b, "},\"kind\":\"plan\",");
}

static int put_plan(const struct phasing_in *v, const struct doc *d, struct buf *b, struct out *out, struct tally *t)
{
	const char *s;
	size_t n, at;

	buf_reset(b);
	add_header(b, v, d, doc_member(d, 0, "header", 6));
	at = b->len;
	buf_addstr(b, "\"rollback\":");
	s = doc_span(d, doc_member(d, 0, "rollback", 8), &n);
	buf_add(b, s, n);
	buf_addstr(b, ",\"steps\":");
	s = doc_span(d, doc_member(d, 0, "steps", 5), &n);
	buf_add(b, s, n);
	buf_addch(b, '}');
	return plan_put(out, b, at, t);
}

static int put_plans(const struct phasing_in *v, struct out *out)
{
	struct doc doc = DOC_INIT;
	struct buf b = BUF_INIT;
	struct tally t;
	const char *line;
	size_t n;
	int rc = spool_rewind(v->plans, v->d);

	tally_init(&t);
	while (rc >= 0 && (rc = spool_next(v->plans, &line, &n, v->d)) > 0)
		rc = doc_parse(&doc, line, n, RECORD_MAX_DEPTH) < 0
		             ? diag_add(v->d, MIG_ERROR, "internal", NULL, "a plan is lost")
		             : put_plan(v, &doc, &b, out, &t);

	if (rc >= 0)
		rc = stream_put_tally(out, "mig-plan", &t);
	tally_release(&t);
	buf_release(&b);
	doc_release(&doc);
	return rc;
}

int phaser_run(const struct phases *x, const struct phase *ph, struct spool *plans, struct stream *in, struct out *out,
               struct diag *d)
{
	struct phasing_in v = { .x = x, .ph = ph, .plans = plans, .d = d };
	struct plan p = PLAN_INIT;
	struct record r;
	int rc;

	tally_init(&v.seen);
	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_FAULT || r.kind == KIND_REJECT)
			rc = stream_pass(in, &r, out, d);
		else if (r.kind == KIND_PLAN && !in->fault)
			rc = take_plan(&v, &r, &p, in->where);
		else if (r.kind != KIND_END && !in->fault)
			rc = diag_add(d, MIG_USAGE, "unexpected_kind", in->where, "%s: not a plan",
			              kind_name(r.kind));
		if (rc < 0)
			break;
	}
	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &v.seen, d)) == 0)
		rc = put_plans(&v, out);
	tally_release(&v.seen);
	plan_release(&p);
	return rc;
}
