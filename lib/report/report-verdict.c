/* report-verdict.c -- see report-verdict.h */
#include "report-verdict.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

void verdict_view_init(struct verdict_view *v)
{
	*v = (struct verdict_view){ .plans = 0 };
	findings_init(&v->findings, FINDINGS_MAX);
}

void verdict_view_release(struct verdict_view *v)
{
	findings_release(&v->findings);
	for (size_t i = 0; i < VERDICT_UNDO; i++)
		free(v->undo[i]);
	free(v->head);
}

static void add_evidence(struct verdict_view *v, const struct doc *d, uint32_t evidence)
{
	v->checks++;
	v->documents += int_member(d, evidence, "documents");
	v->files += int_member(d, evidence, "files");
	v->unverifiable += int_member(d, evidence, "unverifiable");
}

void verdict_view_add(struct verdict_view *v, const struct record *r)
{
	uint32_t rollback = record_get(r, "rollback"), evidence = record_get(r, "evidence");

	uint32_t ledger = record_get(r, "ledger");
	bool plan = r->doc->tok[record_get(r, "plan_hash")].type == DOC_STRING;

	v->any = true;
	v->plans += plan;
	if (evidence != DOC_NONE)
		add_evidence(v, r->doc, evidence);
	if (ledger != DOC_NONE && !v->ledger) {
		v->ledger = true;
		v->head = shown_member(r->doc, ledger, "head");
		v->seq = int_member(r->doc, ledger, "seq");
	}
	findings_add(&v->findings, r->doc, record_get(r, "findings"));
	if (r->doc->tok[record_get(r, "ok")].type == DOC_TRUE)
		return;
	v->failed++;
	v->plans_failed += plan;
	if (r->doc->tok[rollback].type == DOC_OBJECT && v->nundo++ < VERDICT_UNDO)
		v->undo[v->nundo - 1] = shown_member(r->doc, rollback, "plan_hash");
}

void verdict_view_page(const struct verdict_view *v, struct page *p)
{
	page_heading(p, v->failed ? "VERIFY: FAILED" : "VERIFY: ok");
	if (v->ledger)
		page_line(p, 0, "ledger    holds up to entry %" PRId64 ", %s", v->seq, v->head ? v->head : "?");
	if (v->plans)
		page_line(p, 0, "plans     %" PRIu64 ", %" PRIu64 " as promised, %" PRIu64 " not", v->plans,
		          v->plans - v->plans_failed, v->plans_failed);
	if (v->checks)
		page_line(p, 0,
		          "evidence  %" PRId64 " documents, %" PRId64 " files recomputed, %" PRId64
		          " documents unverifiable",
		          v->documents, v->files, v->unverifiable);
	findings_page(&v->findings, p);
	if (!v->nundo)
		return;
	page_heading(p, "RECOMMENDED ROLLBACK");
	for (size_t i = 0; i < VERDICT_UNDO && i < v->nundo; i++)
		page_line(p, 0, "plan_hash %s", v->undo[i] ? v->undo[i] : "?");
	if (v->nundo > VERDICT_UNDO)
		page_line(p, 0, "plan_hash and %" PRIu64 " more", v->nundo - VERDICT_UNDO);
	page_words(p, "how       ",
	           "mig-plan --rollback --reason TEXT < PLANS | mig-gate --env ENV --apply | mig-apply --store STORE",
	           " \\");
}

void verdict_view_json(const struct verdict_view *v, struct buf *out)
{
	struct rec w, in;

	rec_open(&w, out);
	rec_int(&w, "errors", (int64_t)v->findings.errors);
	if (v->checks) {
		rec_name(&w, "evidence");
		rec_open(&in, out);
		rec_int(&in, "documents", v->documents);
		rec_int(&in, "files", v->files);
		rec_int(&in, "unverifiable", v->unverifiable);
		rec_close(&in);
	}
	rec_name(&w, "findings");
	findings_json(&v->findings, out);
	rec_bool(&w, "ok", v->failed == 0);
	rec_int(&w, "plans", (int64_t)v->plans);
	rec_int(&w, "plans_failed", (int64_t)v->plans_failed);
	rec_name(&w, "rollback");
	rec_open(&in, out);
	rec_int(&in, "count", (int64_t)v->nundo);
	rec_name(&in, "first");
	buf_addch(out, '[');
	for (size_t i = 0; i < VERDICT_UNDO && i < v->nundo; i++) {
		if (i)
			buf_addch(out, ',');
		canon_string(out, v->undo[i] ? v->undo[i] : "", v->undo[i] ? strlen(v->undo[i]) : 0);
	}
	buf_addch(out, ']');
	rec_close(&in);
	rec_int(&w, "warnings", (int64_t)v->findings.warnings);
	rec_close(&w);
}
