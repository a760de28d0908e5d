/*
 * report-verdict.h -- does the store hold what plans promised, and documents record?
 *
 * Floor 8.
 */
#ifndef MIG_REPORT_VERDICT_H
#define MIG_REPORT_VERDICT_H

#include "findings.h"

enum { VERDICT_UNDO = 3 };

struct verdict_view {
	bool any;
	uint64_t failed; /* verdicts of any kind */
	uint64_t plans, plans_failed;
	uint64_t checks; /* verdicts over evidence, and what they covered: */
	int64_t documents, files, unverifiable;
	bool ledger;     /* the verdict on a ledger is among them: */
	char *head;      /* how far its chain holds */
	int64_t seq;
	struct findings findings;
	char *undo[VERDICT_UNDO]; /* hashes of failed plans that can be rolled back */
	uint64_t nundo;
};

void verdict_view_init(struct verdict_view *v);
void verdict_view_release(struct verdict_view *v);
void verdict_view_add(struct verdict_view *v, const struct record *r);
void verdict_view_page(const struct verdict_view *v, struct page *p);
void verdict_view_json(const struct verdict_view *v, struct buf *out);

#endif
