/* gate.c -- see gate.h */
#include "gate.h"

#include "plan.h"
#include "rules.h"

/* Rules are judged per plan; the same refusal of 200 parts is said once. */
static void forget_repeated(struct diag *d, size_t first)
{
	struct diag seen = { .list = d->list, .n = first };
	struct diag keep = DIAG_INIT;

	for (size_t i = first; i < d->n; i++) {
		bool known = false;

		for (size_t k = 0; k < seen.n && !known; k++)
			known = strcmp(seen.list[k].rule, d->list[i].rule) == 0 &&
			        !seen.list[k].where == !d->list[i].where &&
			        strcmp(seen.list[k].message, d->list[i].message) == 0;
		if (!known)
			diag_add(&keep, d->list[i].exit, d->list[i].rule, d->list[i].where, "%s", d->list[i].message);
	}
	diag_truncate(d, first);
	for (size_t i = 0; i < keep.n; i++)
		diag_add(d, keep.list[i].exit, keep.list[i].rule, keep.list[i].where, "%s", keep.list[i].message);
	diag_release(&keep);
}

static int judge(const struct grant *g, const struct record *r, struct plan *p, struct tally *t, const char *where,
                 struct diag *d)
{
	size_t first = d->n;

	if (plan_read(p, r->doc, 0, where, d) < 0)
		return -1;
	tally_plan(t, p->hash);
	if (rules_check(p, g, d) < 0)
		forget_repeated(d, first);
	return 0;
}

static int put_permits(struct grant *ask, struct spool *plans, const struct stream *in, struct out *out, struct diag *d)
{
	struct buf grant = BUF_INIT;
	const char *plan;
	size_t n;
	int rc = spool_rewind(plans, d);

	ask->digest = (struct text){ in->end_digest, HEX_LEN };
	grant_write(&grant, ask, rules_passed, strlen(rules_passed));
	while (rc >= 0 && (rc = spool_next(plans, &plan, &n, d)) > 0) {
		out_write(out, "{\"grant\":", 9);
		out_write(out, grant.s, grant.len);
		out_write(out, ",\"kind\":\"permit\",\"plan\":", 24);
		out_write(out, plan, n);
		rc = stream_put(out, "}", 1);
	}
	buf_release(&grant);
	return rc;
}

/* Read and judge everything; the plans go to the spool, rejects and faults pass. */
static int take_in(const struct grant *ask, struct stream *in, struct spool *plans, struct tally *t, struct out *out,
                   struct diag *d)
{
	struct plan p = PLAN_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_REJECT || r.kind == KIND_FAULT)
			rc = stream_put(out, r.line, r.len);
		else if (r.kind == KIND_PLAN && !in->fault)
			rc = judge(ask, &r, &p, t, in->where, d) < 0 ? -1 : spool_add(plans, r.line, r.len, d);
		else if (r.kind != KIND_END && !in->fault)
			rc = diag_add(d, MIG_USAGE, "unexpected_kind", in->where, "%s: not a plan",
			              r.kind == KIND_OTHER ? "an unknown kind" : kind_name(r.kind));
		if (rc < 0)
			break;
	}
	plan_release(&p);
	return rc;
}

int gate_run(struct grant *ask, struct spool *plans, struct stream *in, struct out *out, struct diag *d)
{
	struct tally t;

	tally_init(&t);
	int rc = take_in(ask, in, plans, &t, out, d);
	uint64_t n = t.n;

	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &t, d)) == 0) {
		if (diag_exit(d) != MIG_OK)
			rc = -1;
		else if ((rc = put_permits(ask, plans, in, out, d)) >= 0)
			rc = stream_put_end(out, "mig-gate", n, in->end_digest);
	}
	tally_release(&t);
	return rc;
}
