/*
 * report-outcome.h -- what became of plans.
 *
 * Floor 10.
 */
#ifndef MIG_REPORT_OUTCOME_H
#define MIG_REPORT_OUTCOME_H

#include "findings.h"
#include "header.h"
#include "outcome.h"
#include "rejects.h"

enum { OUTCOME_NAMED = 20, NSTATUS = STEP_UNDONE + 1 };

/* The first texts of a list, and how many there were. */
struct named {
	char *v[OUTCOME_NAMED];
	uint64_t n;
};

/* The members of an outcome's rows that are shown, in canonical order. */
enum { ROWS_ABSENT, ROWS_ADDED, ROWS_CHANGED, ROWS_DELETED, ROWS_LINKS, ROWS_SAME, NROWS };

struct outcome_view {
	struct header header;
	uint64_t steps[NSTATUS], plans, plans_failed;
	struct named lines;          /* a plan each */
	struct named failed, intended; /* STEP_ID LF MESSAGE */
	struct named undo;           /* hashes of the plans that can be rolled back */
	struct findings findings;
	bool of_rows;                /* its steps are batches, and what became of their rows is this: */
	int64_t rows[NROWS];
	bool dry_run;
	char *code;                  /* of the first plan that failed; NULL: none */
	char *actor, *ticket, *started_at, *ledger_head;
	int64_t ledger_seq, duration_ms;
};

void outcome_view_init(struct outcome_view *v);
void outcome_view_release(struct outcome_view *v);

/* 0, or -1 after a finding of MIG_USAGE "bad_record" at where. */
int outcome_view_add(struct outcome_view *v, const struct record *r, const char *where, struct diag *d);

void outcome_view_page(struct outcome_view *v, struct rejects *rejects, struct page *p);
void outcome_view_json(const struct outcome_view *v, struct buf *out);

#endif
