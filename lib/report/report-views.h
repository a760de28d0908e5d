/*
 * report-views.h -- what a stream was seen to hold, and the whole page of it.
 *
 * Floor 11.
 */
#ifndef MIG_REPORT_VIEWS_H
#define MIG_REPORT_VIEWS_H

#include "report-history.h"
#include "report-outcome.h"
#include "report-plan.h"
#include "report-status.h"
#include "report-verdict.h"
#include "stream.h"

/* The first fault of a stream, fit to be shown; NULL where not given. */
struct shown_fault {
	char *tool, *ref, *code, *reason;
};

/* Records are taken in by report-intake.h. */
struct report_views {
	const struct stream *in; /* borrowed: its end and the exit code of its fault */
	const struct diag *d;    /* borrowed: the first finding is the page's trouble */
	bool status;             /* as report.h's ask, set by the caller: how the store stands, or what is pending, */
	const char *target;      /* to this version, borrowed, or NULL for the set's latest */
	struct plan_view plans;
	struct outcome_view outcomes;
	struct verdict_view verdicts;
	struct tree_view tree;
	struct version_view versions;
	struct history_view history;
	struct status_view standing;
	struct rejects rejects;
	struct shown_fault fault;
};

void report_views_init(struct report_views *v, const struct stream *in, const struct diag *d);
void report_views_release(struct report_views *v);

/* Plans, or what speaks of plans, came. */
bool report_views_plans(const struct report_views *v);

/* Documents are the subject; rejects do not only stand ahead of plans. */
bool report_views_tree(const struct report_views *v);

/* The digest of the end, borrowed, which a page that approves needs; NULL if the stream was not whole. */
const char *report_views_digest(const struct report_views *v);

/* Both after history_view_finish.  The page ends with why it is not the whole truth, if it is not. */
void report_views_page(struct report_views *v, struct page *p);

/* Append the same facts as a JSON object and LF. */
void report_views_json(struct report_views *v, struct buf *out);

#endif
