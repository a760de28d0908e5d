/*
 * verify-rows.h -- are the rows of a plan in a store as it left them?
 *
 * Floor 12.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_ROWS_H
#define MIG_VERIFY_ROWS_H

#include "complaint.h"
#include "invariant-jq.h"
#include "store.h"

/* What is the same for all plans of a stream. */
struct rows_verify {
	struct store *s;
	struct out *out; /* where a program that must be ended leaves its fault */
	struct complaints *found;
	struct diag *d;
	struct invariant_jq jq;
	/* reused */
	struct buf want, line, arena, value;
	struct doc row;
};

void rows_verify_release(struct rows_verify *v);

/*
 * Complaints about the plan: "not_applied", "unfinished"; "drift" for each of the
 * first rows that do not hold what the plan gave them, or are gone, or still
 * there, "count_mismatch" for each entity of such; "invariant".  Where all of an
 * entity's rows are as planned a note "rows" says how many they are.  Of a rollback
 * plan "not_restored".  0, or -1 after a finding of another kind.
 */
int verify_rows_plan(struct rows_verify *v, const struct plan *p);

#endif
