/* report-intake.c -- see report-intake.h */
#include "report-intake.h"

#include "shown.h"

#include <stdlib.h>

void report_intake_init(struct report_intake *k, struct stream *in, struct report_views *views, struct diag *d)
{
	*k = (struct report_intake){ .in = in, .views = views, .d = d, .plan = PLAN_INIT };
	tally_init(&k->objects);
	tally_init(&k->plans);
}

void report_intake_release(struct report_intake *k)
{
	tally_release(&k->objects);
	tally_release(&k->plans);
	plan_release(&k->plan);
	buf_release(&k->arena);
}

static int add_plan(struct report_intake *k, const struct doc *doc, uint32_t t)
{
	if (plan_read(&k->plan, doc, t, k->in->where, k->d) < 0)
		return -1;
	tally_plan(&k->plans, k->plan.hash);
	return plan_view_add(&k->views->plans, &k->plan, k->in->where, k->d);
}

/* A grant names the digest of the end that its stream has. */
static int add_permit(struct report_intake *k, const struct record *x)
{
	struct grant g;

	if (grant_read(&g, x->doc, record_get(x, "grant"), &k->arena, k->in->where, k->d) < 0)
		return -1;
	if (g.digest.n != HEX_LEN || (*k->digest && memcmp(g.digest.s, k->digest, HEX_LEN) != 0))
		return diag_add(k->d, MIG_INVALID, "foreign_permit", k->in->where,
		                "the permit belongs to another stream of plans");
	memcpy(k->digest, g.digest.s, HEX_LEN);
	plan_view_grant(&k->views->plans, &g, x->doc);
	return add_plan(k, x->doc, record_get(x, "plan"));
}

static int add_outcome(struct report_intake *k, const struct record *x)
{
	char *hash = record_dup(x->doc, record_get(x, "plan_hash"));

	if (x->kind == KIND_VERDICT && !hash) { /* it is about no plan, and no end counts it */
		verdict_view_add(&k->views->verdicts, x);
		return 0;
	}
	if (strlen(hash) != HEX_LEN) {
		free(hash);
		return diag_add(k->d, MIG_USAGE, "bad_record", k->in->where, "plan_hash is not 64 hex digits");
	}
	tally_plan(&k->plans, hash);
	free(hash);
	if (x->kind == KIND_OUTCOME)
		return outcome_view_add(&k->views->outcomes, x, k->in->where, k->d);
	verdict_view_add(&k->views->verdicts, x);
	return 0;
}

/* A document, change, current or reject: its sum holds, and it counts for the end. */
static int add_object(struct report_intake *k, const struct record *x)
{
	char want[HEX_SIZE], is[HEX_SIZE];
	struct buf ref = BUF_INIT, hash = BUF_INIT;
	uint32_t source, t;
	bool first = record_source(x, &source, &t);

	if (x->kind != KIND_DOCUMENT && !record_sum_holds(x->doc, 0, "sum", want, is))
		return diag_add(k->d, MIG_INVALID, "sum_mismatch", k->in->where,
		                "the record was edited: its sum says %s, it has %s", want, is);
	struct text a = record_text(x->doc, source, &ref), b = { "", 0 };

	if (x->doc->tok[t].type == DOC_STRING)
		b = record_text(x->doc, t, &hash);
	if (first)
		tally_object(&k->objects, a, b);
	buf_release(&ref);
	buf_release(&hash);
	if (x->kind == KIND_REJECT)
		rejects_add(&k->views->rejects, x);
	tree_view_add(&k->views->tree, x);
	return 0;
}

/* An entry or a step of a ledger, as mig-extract counts them. */
static int add_entry(struct report_intake *k, const struct record *x)
{
	bool entry = x->kind == KIND_ENTRY;
	char want[HEX_SIZE], is[HEX_SIZE];
	struct buf ref = BUF_INIT, hash = BUF_INIT;
	size_t n;

	k->entries = true;
	if (entry && !record_sum_holds(x->doc, 0, "hash", want, is))
		return diag_add(k->d, MIG_INVALID, "entry_mismatch", k->in->where,
		                "the entry was edited: its hash says %s, it has %s", want, is);
	const char *seq = entry ? doc_span(x->doc, record_get(x, "seq"), &n) : NULL;

	tally_object(&k->objects,
	             entry ? (struct text){ seq, n } : record_text(x->doc, record_get(x, "ref"), &ref),
	             record_text(x->doc, record_get(x, entry ? "hash" : "step_id"), &hash));
	buf_release(&ref);
	buf_release(&hash);
	if (k->views->status)
		status_view_add(&k->views->standing, x);
	else
		history_view_add(&k->views->history, x);
	return 0;
}

static void keep_fault(struct shown_fault *f, const struct record *x)
{
	if (f->tool)
		return;
	f->tool = shown_member(x->doc, 0, "tool");
	f->ref = shown_member(x->doc, 0, "ref");
	f->code = shown_member(x->doc, 0, "code");
	f->reason = shown_member(x->doc, 0, "reason");
}

int report_intake_add(struct report_intake *k, const struct record *x)
{
	switch (x->kind) {
	case KIND_PLAN: return add_plan(k, x->doc, 0);
	case KIND_PERMIT: return add_permit(k, x);
	case KIND_OUTCOME:
	case KIND_VERDICT: return add_outcome(k, x);
	case KIND_DOCUMENT:
	case KIND_CHANGE:
	case KIND_CURRENT:
	case KIND_REJECT: return add_object(k, x);
	case KIND_VERSIONS: k->other = true; return version_view_add(&k->views->versions, x, k->in->where, k->d);
	case KIND_FAULT: keep_fault(&k->views->fault, x); return 0;
	case KIND_ENTRY:
	case KIND_STEP: return add_entry(k, x);
	case KIND_SNAPSHOT: return stream_check_sum(k->in, x, k->d);
	case KIND_END: return 0;
	case KIND_SCHEMA:
	case KIND_OTHER: break;
	}
	k->other = true;
	tree_view_add(&k->views->tree, x);
	return 0;
}

/* Is the stream's end that of documents?  Only a stream of rejects alone leaves it open. */
static bool ends_objects(const struct report_intake *k)
{
	if (report_views_plans(k->views) || report_views_tree(k->views) || k->entries)
		return !report_views_plans(k->views);
	return k->views->rejects.codes.total == k->in->end_records && k->in->end_records > 0;
}

/*
 * Compare the end with what came.  Rejects alone come from mig-extract, whose
 * end counts them, or from mig-plan, whose end counts plans.
 */
int report_intake_end(struct report_intake *k)
{
	const struct stream *in = k->in;

	if (k->other)
		return 0;
	if (stream_verify_end(in, ends_objects(k) ? &k->objects : &k->plans, k->d) < 0)
		return -1;
	if (*k->digest && strcmp(k->digest, in->end_digest) != 0)
		return diag_add(k->d, MIG_INVALID, "foreign_permit", NULL,
		                "the permits belong to another stream of plans");
	return 0;
}
