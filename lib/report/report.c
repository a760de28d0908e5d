/* report.c -- see report.h */
#include "report.h"

#include "report-outcome.h"
#include "report-plan.h"
#include "report-status.h"
#include "report-tree.h"
#include "report-verdict.h"
#include "shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The first fault of the stream. */
struct shown_fault {
	char *tool, *ref, *code, *reason;
};

struct reporting {
	const struct report_ask *ask;
	struct stream *in;
	struct out *out;
	struct diag *d;
	struct plan plan;
	struct buf arena, line;
	struct tally objects, plans;  /* what the end may speak of */
	bool other;                   /* a kind came whose place in the digest is not known */
	char digest[HEX_SIZE];        /* that the grants name; empty: no permit came */
	struct plan_view plan_view;
	struct outcome_view outcomes;
	struct verdict_view verdicts;
	struct tree_view tree;
	struct version_view versions;
	struct history_view history;
	struct status_view status;
	bool entries;                 /* the stream is that of a ledger */
	struct rejects rejects;
	struct shown_fault fault;
};

static void put_line(struct reporting *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct reporting *r, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	va_end(ap);
	stream_put(r->out, s, strlen(s));
	free(s);
}

/* The first lines: "migration-tool plan", the env line, the scope line. */
static void put_heading_lines(struct reporting *r, const char *mode, const struct header *h)
{
	buf_reset(&r->line);
	buf_addf(&r->line, "migration-tool %s\n", mode);
	header_lines(h, &r->line);
	out_write(r->out, r->line.s, r->line.len);
}

static int add_plan(struct reporting *r, const struct doc *doc, uint32_t t)
{
	struct plan *p = &r->plan;

	if (plan_read(p, doc, t, r->in->where, r->d) < 0)
		return -1;
	tally_plan(&r->plans, p->hash);
	if (plan_view_add(&r->plan_view, p, r->in->where, r->d) < 0)
		return -1;
	if (!r->ask->lines)
		return 0;
	if (r->plan_view.plans == 1)
		put_heading_lines(r, "plan", &r->plan_view.header);
	put_line(r, "plan_hash=%s steps=%zu rollback=%zu", p->hash, p->nstep, p->nundo);
	return 0;
}

/* A grant names the digest of the end that its stream has. */
static int add_permit(struct reporting *r, const struct record *x)
{
	struct grant g;

	if (grant_read(&g, x->doc, record_get(x, "grant"), &r->arena, r->in->where, r->d) < 0)
		return -1;
	if (g.digest.n != HEX_LEN || (*r->digest && memcmp(g.digest.s, r->digest, HEX_LEN) != 0))
		return diag_add(r->d, MIG_INVALID, "foreign_permit", r->in->where,
		                "the permit belongs to another stream of plans");
	memcpy(r->digest, g.digest.s, HEX_LEN);
	plan_view_grant(&r->plan_view, &g, x->doc);
	return add_plan(r, x->doc, record_get(x, "plan"));
}

static int add_outcome(struct reporting *r, const struct record *x)
{
	uint32_t steps = record_get(x, "steps");
	char *hash = record_dup(x->doc, record_get(x, "plan_hash")), *code;

	if (x->kind == KIND_VERDICT && !hash) { /* it is about no plan, and no end counts it */
		verdict_view_add(&r->verdicts, x);
		return 0;
	}
	if (strlen(hash) != HEX_LEN) {
		free(hash);
		return diag_add(r->d, MIG_USAGE, "bad_record", r->in->where, "plan_hash is not 64 hex digits");
	}
	tally_plan(&r->plans, hash);
	int rc = x->kind == KIND_OUTCOME ? outcome_view_add(&r->outcomes, x, r->in->where, r->d) : 0;

	if (x->kind == KIND_VERDICT) {
		verdict_view_add(&r->verdicts, x);
	} else if (rc == 0 && r->ask->lines) {
		if (r->outcomes.plans == 1)
			put_heading_lines(r, "apply", &r->outcomes.header);
		code = shown_member(x->doc, 0, "code");
		put_line(r, "plan_hash=%s ok=%s code=%s outcomes=%u", hash,
		         x->doc->tok[record_get(x, "ok")].type == DOC_TRUE ? "true" : "false", code,
		         x->doc->tok[steps].n);
		free(code);
	}
	free(hash);
	return rc;
}

/* A document, change, current or reject: its sum holds, and it counts for the end. */
static int add_object(struct reporting *r, const struct record *x)
{
	char want[HEX_SIZE], is[HEX_SIZE];
	struct buf ref = BUF_INIT, hash = BUF_INIT;
	uint32_t source, t;
	bool first = record_source(x, &source, &t);

	if (x->kind != KIND_DOCUMENT && !record_sum_holds(x->doc, 0, "sum", want, is))
		return diag_add(r->d, MIG_INVALID, "sum_mismatch", r->in->where,
		                "the record was edited: its sum says %s, it has %s", want, is);
	struct text a = record_text(x->doc, source, &ref), b = { "", 0 };

	if (x->doc->tok[t].type == DOC_STRING)
		b = record_text(x->doc, t, &hash);
	if (first)
		tally_object(&r->objects, a, b);
	buf_release(&ref);
	buf_release(&hash);
	if (x->kind == KIND_REJECT)
		rejects_add(&r->rejects, x);
	tree_view_add(&r->tree, x);
	return 0;
}

/* An entry or a step of a ledger, as mig-extract counts them. */
static int add_entry(struct reporting *r, const struct record *x)
{
	bool entry = x->kind == KIND_ENTRY;
	char want[HEX_SIZE], is[HEX_SIZE];
	struct buf ref = BUF_INIT, hash = BUF_INIT;
	size_t n;

	r->entries = true;
	if (entry && !record_sum_holds(x->doc, 0, "hash", want, is))
		return diag_add(r->d, MIG_INVALID, "entry_mismatch", r->in->where,
		                "the entry was edited: its hash says %s, it has %s", want, is);
	const char *seq = entry ? doc_span(x->doc, record_get(x, "seq"), &n) : NULL;

	tally_object(&r->objects,
	             entry ? (struct text){ seq, n } : record_text(x->doc, record_get(x, "ref"), &ref),
	             record_text(x->doc, record_get(x, entry ? "hash" : "step_id"), &hash));
	buf_release(&ref);
	buf_release(&hash);
	if (r->ask->status)
		status_view_add(&r->status, x);
	else
		history_view_add(&r->history, x);
	return 0;
}

/* Rows leave as soon as they are finished. */
static void put_rows(struct reporting *r)
{
	if (r->ask->lines && r->history.lines.len)
		out_write(r->out, r->history.lines.s, r->history.lines.len);
	buf_reset(&r->history.lines);
}

static void keep_fault(struct reporting *r, const struct record *x)
{
	if (r->fault.tool)
		return;
	r->fault.tool = shown_member(x->doc, 0, "tool");
	r->fault.ref = shown_member(x->doc, 0, "ref");
	r->fault.code = shown_member(x->doc, 0, "code");
	r->fault.reason = shown_member(x->doc, 0, "reason");
}

static int add(struct reporting *r, const struct record *x)
{
	switch (x->kind) {
	case KIND_PLAN: return add_plan(r, x->doc, 0);
	case KIND_PERMIT: return add_permit(r, x);
	case KIND_OUTCOME:
	case KIND_VERDICT: return add_outcome(r, x);
	case KIND_DOCUMENT:
	case KIND_CHANGE:
	case KIND_CURRENT:
	case KIND_REJECT: return add_object(r, x);
	case KIND_VERSIONS: r->other = true; return version_view_add(&r->versions, x, r->in->where, r->d);
	case KIND_FAULT: keep_fault(r, x); return 0;
	case KIND_ENTRY:
	case KIND_STEP: return add_entry(r, x);
	case KIND_SNAPSHOT: return stream_check_sum(r->in, x, r->d);
	case KIND_END: return 0;
	case KIND_SCHEMA:
	case KIND_OTHER: break;
	}
	r->other = true;
	tree_view_add(&r->tree, x);
	return 0;
}

static bool has_plans(const struct reporting *r)
{
	return r->plans.n > 0;
}

/* Are documents the subject, or do rejects only stand ahead of plans? */
static bool has_tree(const struct reporting *r)
{
	return r->tree.kinds.total > r->rejects.codes.total;
}

/*
 * Compare the end with what came.  Rejects alone come from mig-extract, whose
 * end counts them, or from mig-plan, whose end counts plans.
 */
static int check_end(struct reporting *r, bool objects)
{
	const struct stream *in = r->in;

	if (r->other)
		return 0;
	if (stream_verify_end(in, objects ? &r->objects : &r->plans, r->d) < 0)
		return -1;
	if (*r->digest && strcmp(r->digest, in->end_digest) != 0)
		return diag_add(r->d, MIG_INVALID, "foreign_permit", NULL,
		                "the permits belong to another stream of plans");
	return 0;
}

/* Is the stream's end that of documents?  Only a stream of rejects alone leaves it open. */
static bool ends_objects(const struct reporting *r)
{
	if (has_plans(r) || has_tree(r) || r->entries)
		return !has_plans(r);
	return r->rejects.codes.total == r->in->end_records && r->in->end_records > 0;
}

/* A page that approves must come from a stream that was whole. */
static const char *approved_digest(const struct reporting *r)
{
	return r->in->end && !r->in->fault && !r->d->n ? r->in->end_digest : NULL;
}

static const char *view_name(const struct reporting *r)
{
	if (r->verdicts.any)
		return "verify";
	if (r->outcomes.plans)
		return "outcome";
	if (r->plan_view.plans)
		return r->plan_view.grant.any ? "permit" : "plan";
	if (r->ask->status)
		return r->versions.any ? "pending" : "status";
	if (r->history.entries)
		return "history";
	if (r->versions.any)
		return "versions";
	if (has_tree(r))
		return "stream";
	return r->rejects.codes.total ? "rejects" : "nothing";
}

/* "FAILED: mig-transform: ref: reason (exit 4)", or the reason below it where that is too long. */
static void put_cause(struct page *p, struct buf *b, const char *where, const char *reason, int code)
{
	size_t n = strlen(reason) + sizeof " (exit 4)", prefix = b->len;

	buf_addf(b, ": %s%s", where ? where : "", where ? ": " : "");
	if (b->len + n <= PAGE_COLUMNS) {
		page_heading(p, "%s%s (exit %d)", b->s, reason, code);
		return;
	}
	bool beside = where && strlen(where) < PAGE_COLUMNS / 2;

	buf_setlen(b, prefix);
	page_heading(p, "%s%s%s (exit %d)", b->s, beside ? ": " : "", beside ? where : "", code);
	if (where && !beside)
		page_line(p, 0, "%s", where);
	page_wrap(p, 0, reason);
}

/* The last lines of a page: why it is not the whole truth. */
static void put_trouble(const struct reporting *r, struct page *p)
{
	const struct finding *f = diag_first(r->d);
	struct buf b = BUF_INIT;

	if (r->in->fault) {
		buf_addf(&b, "FAILED: %s", r->fault.tool);
		put_cause(p, &b, r->fault.ref, r->fault.reason, r->in->fault_exit);
	}
	if (f) {
		buf_reset(&b);
		buf_addstr(&b, f->exit == MIG_PRECONDITION ? "INCOMPLETE" : "BROKEN");
		put_cause(p, &b, f->where, f->message, f->exit);
	}
	buf_release(&b);
}

static void put_trouble_size(const struct reporting *r, size_t *lines)
{
	struct page p = PAGE_INIT;

	page_line(&p, 0, " ");
	put_trouble(r, &p);
	*lines -= p.nline - 1;
	page_release(&p);
}

static bool shows_nothing(const struct reporting *r)
{
	return !has_plans(r) && !has_tree(r) && !r->versions.any && !r->ask->status && !r->history.entries &&
	       !r->verdicts.any && approved_digest(r);
}

/* Where the ledger was not read, nothing is known of what is applied. */
static bool unknown_status(const struct reporting *r)
{
	return r->in->fault && !r->status.head;
}

static void make_page(struct reporting *r, struct page *p)
{
	struct rejects none;
	size_t lines = PAGE_LINES;
	bool rest = true; /* rejects are shown once */

	rejects_init(&none);
	put_trouble_size(r, &lines);
	if (r->plan_view.plans) {
		plan_view_page(&r->plan_view, &r->rejects, approved_digest(r), p, lines);
		rest = false;
	}
	if (r->outcomes.plans) {
		outcome_view_page(&r->outcomes, rest ? &r->rejects : &none, p);
		rest = false;
	}
	if (r->verdicts.any)
		verdict_view_page(&r->verdicts, p);
	if (r->versions.any && r->ask->status)
		status_pending_page(&r->versions, r->ask->target, p);
	else if (r->versions.any)
		version_view_page(&r->versions, p);
	else if (r->ask->status && !unknown_status(r))
		status_view_page(&r->status, p);
	if (r->history.entries)
		history_view_page(&r->history, p);
	if (has_tree(r)) {
		tree_view_page(&r->tree, rest ? &r->rejects : &none, p);
		rest = false;
	}
	if (shows_nothing(r))
		page_heading(p, "Nothing to do");
	if (rest)
		rejects_page(&r->rejects, p, PAGE_LINES / 4, COUNT_EXAMPLES);
	put_trouble(r, p);
	rejects_release(&none);
}

static void fault_json(struct rec *w, const struct reporting *r)
{
	struct rec in;

	rec_name(w, "fault");
	if (!r->in->fault) {
		buf_addstr(w->b, "null");
		return;
	}
	rec_open(&in, w->b);
	rec_cstr(&in, "code", r->fault.code);
	rec_int(&in, "exit", r->in->fault_exit);
	rec_cstr(&in, "reason", r->fault.reason);
	rec_cstr(&in, "ref", r->fault.ref);
	rec_cstr(&in, "tool", r->fault.tool);
	rec_close(&in);
}

static void trouble_json(struct rec *w, const struct reporting *r)
{
	const struct finding *f = diag_first(r->d);
	struct rec in;

	rec_name(w, "trouble");
	if (!f) {
		buf_addstr(w->b, "null");
		return;
	}
	char *reason = shown_text((struct text){ f->message, strlen(f->message) });
	char *where = shown_text((struct text){ f->where, f->where ? strlen(f->where) : 0 });

	rec_open(&in, w->b);
	rec_cstr(&in, "code", f->rule);
	rec_int(&in, "exit", f->exit);
	rec_cstr(&in, "reason", reason);
	rec_cstr(&in, "where", where);
	rec_close(&in);
	free(reason);
	free(where);
}

static void make_json(struct reporting *r, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "digest", r->in->end ? r->in->end_digest : NULL);
	fault_json(&w, r);
	if (r->history.entries) {
		rec_name(&w, "history");
		history_view_json(&r->history, out);
	}
	rec_cstr(&w, "kind", "report");
	if (r->outcomes.plans) {
		rec_name(&w, "outcome");
		outcome_view_json(&r->outcomes, out);
	}
	if (r->plan_view.plans) {
		rec_name(&w, "plan");
		plan_view_json(&r->plan_view, out);
	}
	rec_name(&w, "rejected");
	rejects_json(&r->rejects, out);
	if (r->ask->status && !r->versions.any) {
		rec_name(&w, "status");
		status_view_json(&r->status, out);
	}
	if (has_tree(r)) {
		rec_name(&w, "stream");
		tree_view_json(&r->tree, out);
	}
	trouble_json(&w, r);
	if (r->verdicts.any) {
		rec_name(&w, "verify");
		verdict_view_json(&r->verdicts, out);
	}
	if (r->versions.any) {
		rec_name(&w, "versions");
		version_view_json(&r->versions, out);
	}
	rec_cstr(&w, "view", view_name(r));
	rec_bool(&w, "whole", approved_digest(r) != NULL);
	rec_close(&w);
	buf_addch(out, '\n');
}

/* What --lines says once all has been read. */
static void put_last_line(struct reporting *r)
{
	const char *first = r->verdicts.findings.first;

	if (r->verdicts.failed)
		put_line(r, "verify validation_failed %s", first ? first : "unknown");
	else if (r->in->fault && strcmp(r->fault.tool, "mig-verify") == 0)
		put_line(r, "verify %s %s", exit_name(r->in->fault_exit), r->fault.code);
	else if (r->verdicts.any && approved_digest(r))
		put_line(r, "verify ok");
	else if (!has_plans(r) && !r->history.entries && approved_digest(r))
		put_line(r, "nothing to do");
}

static void put_report(struct reporting *r)
{
	struct page p = PAGE_INIT;
	struct buf out = BUF_INIT;

	history_view_finish(&r->history);
	put_rows(r);
	if (r->ask->lines) {
		put_last_line(r);
		return;
	}
	if (r->ask->format == REPORT_JSON) {
		make_json(r, &out);
	} else {
		make_page(r, &p);
		if (r->ask->format == REPORT_HTML)
			page_html(&out, &p, "migtools report");
		else
			page_text(&out, &p, r->ask->bold);
	}
	out_write(r->out, out.s, out.len);
	page_release(&p);
	buf_release(&out);
}

static void reporting_init(struct reporting *r, const struct report_ask *ask, struct stream *in, struct out *out,
                           struct diag *d)
{
	*r = (struct reporting){ .ask = ask, .in = in, .out = out, .d = d, .plan = PLAN_INIT };
	tally_init(&r->objects);
	tally_init(&r->plans);
	plan_view_init(&r->plan_view);
	outcome_view_init(&r->outcomes);
	verdict_view_init(&r->verdicts);
	tree_view_init(&r->tree);
	history_view_init(&r->history);
	rejects_init(&r->rejects);
}

static void reporting_release(struct reporting *r)
{
	tally_release(&r->objects);
	tally_release(&r->plans);
	plan_release(&r->plan);
	buf_release(&r->arena);
	buf_release(&r->line);
	plan_view_release(&r->plan_view);
	outcome_view_release(&r->outcomes);
	verdict_view_release(&r->verdicts);
	tree_view_release(&r->tree);
	version_view_release(&r->versions);
	history_view_release(&r->history);
	status_view_release(&r->status);
	rejects_release(&r->rejects);
	free(r->fault.tool);
	free(r->fault.ref);
	free(r->fault.code);
	free(r->fault.reason);
}

int report_run(const struct report_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct reporting r;
	struct record x;
	int rc;

	reporting_init(&r, ask, in, out, d);
	while ((rc = stream_next(in, &x, d)) > 0) {
		if ((rc = add(&r, &x)) < 0)
			break;
		put_rows(&r);
	}
	if (rc == 0 && !in->fault)
		rc = check_end(&r, ends_objects(&r));
	put_report(&r);
	reporting_release(&r);
	return rc;
}
