/* report-views.c -- see report-views.h */
#include "report-views.h"

#include "shown.h"

#include <stdlib.h>

void report_views_init(struct report_views *v, const struct stream *in, const struct diag *d)
{
	*v = (struct report_views){ .in = in, .d = d };
	plan_view_init(&v->plans);
	outcome_view_init(&v->outcomes);
	verdict_view_init(&v->verdicts);
	tree_view_init(&v->tree);
	history_view_init(&v->history);
	rejects_init(&v->rejects);
}

void report_views_release(struct report_views *v)
{
	plan_view_release(&v->plans);
	outcome_view_release(&v->outcomes);
	verdict_view_release(&v->verdicts);
	tree_view_release(&v->tree);
	version_view_release(&v->versions);
	history_view_release(&v->history);
	status_view_release(&v->standing);
	rejects_release(&v->rejects);
	free(v->fault.tool);
	free(v->fault.ref);
	free(v->fault.code);
	free(v->fault.reason);
}

bool report_views_plans(const struct report_views *v)
{
	return v->plans.plans || v->outcomes.plans || v->verdicts.plans;
}

bool report_views_tree(const struct report_views *v)
{
	return v->tree.kinds.total > v->rejects.codes.total;
}

const char *report_views_digest(const struct report_views *v)
{
	return v->in->end && !v->in->fault && !v->d->n ? v->in->end_digest : NULL;
}

static const char *view_name(const struct report_views *v)
{
	if (v->verdicts.any)
		return "verify";
	if (v->outcomes.plans)
		return "outcome";
	if (v->plans.plans)
		return v->plans.grant.any ? "permit" : "plan";
	if (v->status)
		return v->versions.any ? "pending" : "status";
	if (v->history.entries)
		return "history";
	if (v->versions.any)
		return "versions";
	if (report_views_tree(v))
		return "stream";
	return v->rejects.codes.total ? "rejects" : "nothing";
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
static void put_trouble(const struct report_views *v, struct page *p)
{
	const struct finding *f = diag_first(v->d);
	struct buf b = BUF_INIT;

	if (v->in->fault) {
		buf_addf(&b, "FAILED: %s", v->fault.tool);
		put_cause(p, &b, v->fault.ref, v->fault.reason, v->in->fault_exit);
	}
	if (f) {
		buf_reset(&b);
		buf_addstr(&b, f->exit == MIG_PRECONDITION ? "INCOMPLETE" : "BROKEN");
		put_cause(p, &b, f->where, f->message, f->exit);
	}
	buf_release(&b);
}

static void put_trouble_size(const struct report_views *v, size_t *lines)
{
	struct page p = PAGE_INIT;

	page_line(&p, 0, " ");
	put_trouble(v, &p);
	*lines -= p.nline - 1;
	page_release(&p);
}

static bool shows_nothing(const struct report_views *v)
{
	return !report_views_plans(v) && !report_views_tree(v) && !v->versions.any && !v->status &&
	       !v->history.entries && !v->verdicts.any && report_views_digest(v);
}

/* Where the ledger was not read, nothing is known of what is applied. */
static bool unknown_status(const struct report_views *v)
{
	return v->in->fault && !v->standing.head;
}

void report_views_page(struct report_views *v, struct page *p)
{
	struct rejects none;
	size_t lines = PAGE_LINES;
	bool rest = true; /* rejects are shown once */

	rejects_init(&none);
	put_trouble_size(v, &lines);
	if (v->plans.plans) {
		plan_view_page(&v->plans, &v->rejects, report_views_digest(v), p, lines);
		rest = false;
	}
	if (v->outcomes.plans) {
		outcome_view_page(&v->outcomes, rest ? &v->rejects : &none, p);
		rest = false;
	}
	if (v->verdicts.any)
		verdict_view_page(&v->verdicts, p);
	if (v->versions.any && v->status)
		status_pending_page(&v->versions, v->target, p);
	else if (v->versions.any)
		version_view_page(&v->versions, p);
	else if (v->status && !unknown_status(v))
		status_view_page(&v->standing, p);
	if (v->history.entries)
		history_view_page(&v->history, p);
	if (report_views_tree(v)) {
		tree_view_page(&v->tree, rest ? &v->rejects : &none, p);
		rest = false;
	}
	if (shows_nothing(v))
		page_heading(p, "Nothing to do");
	if (rest)
		rejects_page(&v->rejects, p, PAGE_LINES / 4, COUNT_EXAMPLES);
	put_trouble(v, p);
	rejects_release(&none);
}

static void fault_json(struct rec *w, const struct report_views *v)
{
	struct rec in;

	rec_name(w, "fault");
	if (!v->in->fault) {
		buf_addstr(w->b, "null");
		return;
	}
	rec_open(&in, w->b);
	rec_cstr(&in, "code", v->fault.code);
	rec_int(&in, "exit", v->in->fault_exit);
	rec_cstr(&in, "reason", v->fault.reason);
	rec_cstr(&in, "ref", v->fault.ref);
	rec_cstr(&in, "tool", v->fault.tool);
	rec_close(&in);
}

static void trouble_json(struct rec *w, const struct report_views *v)
{
	const struct finding *f = diag_first(v->d);
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

void report_views_json(struct report_views *v, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "digest", v->in->end ? v->in->end_digest : NULL);
	fault_json(&w, v);
	if (v->history.entries) {
		rec_name(&w, "history");
		history_view_json(&v->history, out);
	}
	rec_cstr(&w, "kind", "report");
	if (v->outcomes.plans) {
		rec_name(&w, "outcome");
		outcome_view_json(&v->outcomes, out);
	}
	if (v->plans.plans) {
		rec_name(&w, "plan");
		plan_view_json(&v->plans, out);
	}
	rec_name(&w, "rejected");
	rejects_json(&v->rejects, out);
	if (v->status && !v->versions.any) {
		rec_name(&w, "status");
		status_view_json(&v->standing, out);
	}
	if (report_views_tree(v)) {
		rec_name(&w, "stream");
		tree_view_json(&v->tree, out);
	}
	trouble_json(&w, v);
	if (v->verdicts.any) {
		rec_name(&w, "verify");
		verdict_view_json(&v->verdicts, out);
	}
	if (v->versions.any) {
		rec_name(&w, "versions");
		version_view_json(&v->versions, out);
	}
	rec_cstr(&w, "view", view_name(v));
	rec_bool(&w, "whole", report_views_digest(v) != NULL);
	rec_close(&w);
	buf_addch(out, '\n');
}
