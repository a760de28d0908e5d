/* report-outcome.c -- see report-outcome.h */
#include "report-outcome.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FINDINGS_SHOWN = 10, UNDO_SHOWN = 3 };

static const char *const statuses[NSTATUS] = {
	[STEP_NOT_RUN] = "not_run", [STEP_APPLIED] = "applied", [STEP_SKIPPED] = "skipped",
	[STEP_FAILED] = "failed", [STEP_UNDONE] = "undone",
};

static void named_add(struct named *x, char *s)
{
	if (x->n < OUTCOME_NAMED)
		x->v[x->n] = s;
	else
		free(s);
	x->n++;
}

static void named_release(struct named *x)
{
	for (size_t i = 0; i < OUTCOME_NAMED; i++)
		free(x->v[i]);
}

static void named_page(const struct named *x, struct page *p, size_t max, const char *label)
{
	for (size_t i = 0; i < max && i < x->n; i++) {
		const char *lf = strchrnul(x->v[i], '\n');

		page_line(p, 0, "%s%.*s", label, (int)(lf - x->v[i]), x->v[i]);
		if (lf[0] && lf[1])
			page_wrap(p, 1, lf + 1);
	}
	if (x->n > max)
		page_line(p, 0, "%sand %" PRIu64 " more", label, x->n - max);
}

/* "text", or {"message":..,"step_id":..} */
static void one_json(struct buf *out, const char *s)
{
	const char *lf = strchr(s, '\n');
	struct rec w;

	if (!lf) {
		canon_string(out, s, strlen(s));
		return;
	}
	rec_open(&w, out);
	rec_cstr(&w, "message", lf + 1);
	rec_str(&w, "step_id", (struct text){ s, (size_t)(lf - s) });
	rec_close(&w);
}

static void named_json(struct rec *w, const char *name, const struct named *x)
{
	struct rec in;

	rec_name(w, name);
	rec_open(&in, w->b);
	rec_int(&in, "count", (int64_t)x->n);
	rec_name(&in, "first");
	buf_addch(w->b, '[');
	for (size_t i = 0; i < OUTCOME_NAMED && i < x->n; i++) {
		if (i)
			buf_addch(w->b, ',');
		one_json(w->b, x->v[i]);
	}
	buf_addch(w->b, ']');
	rec_close(&in);
}

void outcome_view_init(struct outcome_view *v)
{
	*v = (struct outcome_view){ .ledger_seq = -1 };
	findings_init(&v->findings, FINDINGS_SHOWN);
}

void outcome_view_release(struct outcome_view *v)
{
	header_release(&v->header);
	named_release(&v->lines);
	named_release(&v->failed);
	named_release(&v->intended);
	named_release(&v->undo);
	findings_release(&v->findings);
	free(v->code);
	free(v->actor);
	free(v->ticket);
	free(v->started_at);
	free(v->ledger_head);
}

/* A step's status, or NSTATUS if it is none of ours. */
static size_t status_of(const struct doc *d, uint32_t step)
{
	uint32_t t = doc_member(d, step, "status", 6);
	size_t i = 0;

	while (t != DOC_NONE && i < NSTATUS && !doc_equals(d, t, statuses[i], strlen(statuses[i])))
		i++;
	return t == DOC_NONE ? NSTATUS : i;
}

/* STEP_ID LF MESSAGE */
static char *name_step(const struct doc *d, uint32_t step)
{
	char *id = shown_member(d, step, "step_id"), *message = shown_member(d, step, "message");
	char *s = xasprintf("%s\n%s", id ? id : "?", message ? message : "");

	free(id);
	free(message);
	return s;
}

static int add_steps(struct outcome_view *v, const struct doc *d, uint32_t list, uint64_t here[NSTATUS], bool dry,
                     const char *where, struct diag *diag)
{
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		size_t status = status_of(d, t);

		if (status == NSTATUS)
			return diag_add(diag, MIG_USAGE, "bad_record", where, "outcome: a step without a known status");
		here[status]++;
		v->steps[status]++;
		if (status == STEP_FAILED)
			named_add(&v->failed, name_step(d, t));
		else if (status == STEP_SKIPPED && dry)
			named_add(&v->intended, name_step(d, t));
	}
	return 0;
}

static bool is_true(const struct record *r, const char *name)
{
	return r->doc->tok[record_get(r, name)].type == DOC_TRUE;
}

/* "35d6ad237566 ok: 115 applied, 2 skipped (12 ms)" */
static char *name_plan(const struct record *r, const uint64_t here[NSTATUS])
{
	char *hash = shown_member(r->doc, 0, "plan_hash"), *code = shown_member(r->doc, 0, "code");
	struct buf b = BUF_INIT;
	const char *sep = ": ";

	buf_addf(&b, "%.12s %s", hash, is_true(r, "ok") ? "ok" : "FAILED ");
	if (!is_true(r, "ok"))
		buf_addstr(&b, code);
	for (size_t i = 0; i < NSTATUS; i++)
		if (here[i]) {
			buf_addf(&b, "%s%" PRIu64 " %s", sep, here[i], statuses[i]);
			sep = ", ";
		}
	buf_addf(&b, " (%" PRId64 " ms)", int_member(r->doc, 0, "duration_ms"));
	free(hash);
	free(code);
	return buf_steal(&b);
}

/* Who, when and where it can be looked up: of the first outcome, the ledger's head of the last. */
static void add_circumstances(struct outcome_view *v, const struct record *r)
{
	uint32_t ledger = record_get(r, "ledger"), rollback = record_get(r, "rollback");

	if (v->plans == 1) {
		v->actor = shown_member(r->doc, 0, "actor");
		v->ticket = shown_member(r->doc, 0, "ticket");
		v->started_at = shown_member(r->doc, 0, "started_at");
	}
	v->duration_ms += int_member(r->doc, 0, "duration_ms");
	if (r->doc->tok[ledger].type == DOC_OBJECT) {
		free(v->ledger_head);
		v->ledger_head = shown_member(r->doc, ledger, "head");
		v->ledger_seq = int_member(r->doc, ledger, "seq");
	}
	char *hash = r->doc->tok[rollback].type == DOC_OBJECT ? shown_member(r->doc, rollback, "plan_hash") : NULL;

	if (hash)
		named_add(&v->undo, hash);
}

static const char *const row_members[NROWS] = {
	[ROWS_ABSENT] = "absent",   [ROWS_ADDED] = "added", [ROWS_CHANGED] = "changed",
	[ROWS_DELETED] = "deleted", [ROWS_LINKS] = "links", [ROWS_SAME] = "same",
};

static void add_rows(struct outcome_view *v, const struct record *r)
{
	uint32_t rows = record_get(r, "rows");

	v->of_rows = v->of_rows || rows != DOC_NONE;
	for (size_t i = 0; i < NROWS && rows != DOC_NONE; i++)
		v->rows[i] += int_member(r->doc, rows, row_members[i]);
}

int outcome_view_add(struct outcome_view *v, const struct record *r, const char *where, struct diag *d)
{
	uint64_t here[NSTATUS] = { 0 };
	bool dry = is_true(r, "dry_run");

	if (header_add(&v->header, r->doc, record_get(r, "header"), where, d) < 0 ||
	    add_steps(v, r->doc, record_get(r, "steps"), here, dry, where, d) < 0)
		return -1;
	v->plans++;
	add_rows(v, r);
	v->dry_run = v->dry_run || dry;
	if (!is_true(r, "ok") && v->plans_failed++ == 0)
		v->code = shown_member(r->doc, 0, "code");
	findings_add(&v->findings, r->doc, record_get(r, "findings"));
	named_add(&v->lines, name_plan(r, here));
	add_circumstances(v, r);
	return 0;
}

/*
 * Every document of the stream once: total = migrated (or restored) +
 * already_current + skipped + failed + undone + not_run.  Steps of plans that
 * were not reached any more have no outcome; the snapshot knows them, but not how
 * many batches of rows they were.
 */
struct totals {
	uint64_t total, migrated, restored, already_current, skipped, failed, rejected, undone, not_run;
};

static struct totals totals_of(const struct outcome_view *v)
{
	const struct header *h = &v->header;
	bool back = header_rollback(h), whole = h->others == 0;
	uint64_t seen = 0;

	for (size_t i = 0; i < NSTATUS; i++)
		seen += v->steps[i];
	struct totals t = { .skipped = v->steps[STEP_SKIPPED], .undone = v->steps[STEP_UNDONE],
	                    .not_run = v->steps[STEP_NOT_RUN], .failed = v->steps[STEP_FAILED] };

	*(back ? &t.restored : &t.migrated) = v->steps[STEP_APPLIED];
	if (whole && !back && !v->of_rows) {
		t.already_current = (uint64_t)h->current;
		t.rejected = (uint64_t)h->rejects;
	}
	if (whole && !v->of_rows && (uint64_t)h->changes > seen)
		t.not_run += (uint64_t)h->changes - seen;
	t.failed += t.rejected;
	t.total = t.migrated + t.restored + t.already_current + t.skipped + t.failed + t.undone + t.not_run;
	return t;
}

static void put_rows(const struct outcome_view *v, struct page *p)
{
	const int64_t *n = v->rows;

	if (header_rollback(&v->header)) {
		page_line(p, 0, "rows      %" PRId64 " put back, %" PRId64 " deleted", n[ROWS_ADDED] + n[ROWS_CHANGED],
		          n[ROWS_DELETED]);
		return;
	}
	page_line(p, 0, "rows      %" PRId64 " put, with %" PRId64 " links",
	          n[ROWS_ADDED] + n[ROWS_CHANGED] + n[ROWS_SAME], n[ROWS_LINKS]);
	page_line(p, 1, "new              %6" PRId64, n[ROWS_ADDED]);
	page_line(p, 1, "changed          %6" PRId64, n[ROWS_CHANGED]);
	page_line(p, 1, "as they were     %6" PRId64, n[ROWS_SAME]);
	if (n[ROWS_DELETED] + n[ROWS_ABSENT])
		page_line(p, 1, "DELETED          %6" PRId64 "  (%" PRId64 " more were not there)", n[ROWS_DELETED],
		          n[ROWS_ABSENT]);
}

static void put_totals(const struct outcome_view *v, struct page *p)
{
	struct totals t = totals_of(v);

	if (v->of_rows)
		put_rows(v, p);
	page_line(p, 0, "%s%" PRIu64, v->of_rows ? "batches   " : "total     ", t.total);
	if (header_rollback(&v->header))
		page_line(p, 1, "restored         %6" PRIu64, t.restored);
	else
		page_line(p, 1, "migrated         %6" PRIu64, t.migrated);
	page_line(p, 1, "already_current  %6" PRIu64, t.already_current);
	page_line(p, 1, "skipped          %6" PRIu64 "%s", t.skipped, v->dry_run ? "  (dry run)" : "");
	if (t.rejected)
		page_line(p, 1, "failed           %6" PRIu64 "  (%" PRIu64 " of them rejected before the plan)",
		          t.failed, t.rejected);
	else
		page_line(p, 1, "failed           %6" PRIu64, t.failed);
	page_line(p, 1, "undone           %6" PRIu64, t.undone);
	page_line(p, 1, "not_run          %6" PRIu64, t.not_run);
}

static void put_rollback(const struct outcome_view *v, struct page *p)
{
	struct buf b = BUF_INIT;

	if (v->undo.n && !v->dry_run && v->steps[STEP_APPLIED] + v->steps[STEP_SKIPPED] > 0) {
		page_heading(p, "ROLLBACK");
		named_page(&v->undo, p, UNDO_SHOWN, "plan_hash ");
		buf_addstr(&b, "mig-plan --rollback --reason TEXT < PLANS | mig-gate ");
		header_flags(&v->header, &b);
		buf_addstr(&b, " --apply | mig-apply --store STORE");
		page_words(p, "how       ", b.s, " \\");
	}
	buf_release(&b);
}

void outcome_view_page(struct outcome_view *v, struct rejects *rejects, struct page *p)
{
	struct buf name = BUF_INIT;

	header_name(&v->header, &name);
	page_heading(p, "%s %s: %s%s", v->dry_run ? "DRY RUN" : "OUTCOME", name.s, v->plans_failed ? "FAILED " : "ok",
	             v->plans_failed ? v->code : "");
	header_page(&v->header, p);
	page_line(p, 0, "by        %s, ticket %s, at %s, %" PRId64 " ms", v->actor, v->ticket ? v->ticket : "none",
	          v->started_at, v->duration_ms);
	if (v->ledger_head)
		page_line(p, 0, "ledger    %s, entry %" PRId64, v->ledger_head, v->ledger_seq);
	put_totals(v, p);
	page_heading(p, "PLANS %" PRIu64, v->plans);
	named_page(&v->lines, p, OUTCOME_NAMED, "");
	if (v->failed.n) {
		page_heading(p, "FAILED %" PRIu64, v->failed.n);
		named_page(&v->failed, p, OUTCOME_NAMED, "");
	}
	findings_page(&v->findings, p);
	rejects_page(rejects, p, OUTCOME_NAMED, COUNT_EXAMPLES);
	if (v->intended.n) {
		page_heading(p, "INTENDED, nothing was written");
		named_page(&v->intended, p, OUTCOME_NAMED, "");
	}
	put_rollback(v, p);
	buf_release(&name);
}

static void totals_json(struct rec *w, const struct outcome_view *v)
{
	struct totals t = totals_of(v);
	struct rec in;

	rec_name(w, "totals");
	rec_open(&in, w->b);
	rec_int(&in, "already_current", (int64_t)t.already_current);
	rec_int(&in, "failed", (int64_t)t.failed);
	rec_int(&in, "migrated", (int64_t)t.migrated);
	rec_int(&in, "not_run", (int64_t)t.not_run);
	rec_int(&in, "rejected", (int64_t)t.rejected);
	rec_int(&in, "restored", (int64_t)t.restored);
	rec_int(&in, "skipped", (int64_t)t.skipped);
	rec_int(&in, "total", (int64_t)t.total);
	rec_int(&in, "undone", (int64_t)t.undone);
	rec_close(&in);
}

void outcome_view_json(const struct outcome_view *v, struct buf *out)
{
	struct rec w, in;

	rec_open(&w, out);
	rec_cstr(&w, "actor", v->actor);
	rec_cstr(&w, "code", v->code ? v->code : "ok");
	rec_bool(&w, "dry_run", v->dry_run);
	rec_int(&w, "duration_ms", v->duration_ms);
	named_json(&w, "failed", &v->failed);
	rec_name(&w, "findings");
	findings_json(&v->findings, out);
	rec_int(&w, "findings_found", (int64_t)(v->findings.errors + v->findings.warnings));
	rec_name(&w, "header");
	header_json(&v->header, out);
	named_json(&w, "intended", &v->intended);
	rec_name(&w, "ledger");
	if (v->ledger_head) {
		rec_open(&in, out);
		rec_cstr(&in, "head", v->ledger_head);
		rec_int(&in, "seq", v->ledger_seq);
		rec_close(&in);
	} else {
		buf_addstr(out, "null");
	}
	rec_bool(&w, "ok", v->plans_failed == 0);
	named_json(&w, "plans", &v->lines);
	named_json(&w, "rollback", &v->undo);
	if (v->of_rows) {
		rec_name(&w, "rows");
		rec_open(&in, out);
		for (size_t i = 0; i < NROWS; i++)
			rec_int(&in, row_members[i], v->rows[i]);
		rec_close(&in);
	}
	rec_cstr(&w, "started_at", v->started_at);
	rec_cstr(&w, "ticket", v->ticket);
	totals_json(&w, v);
	rec_close(&w);
}
