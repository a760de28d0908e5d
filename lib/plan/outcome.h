/*
 * outcome.h -- what became of a plan.
 *
 * Floor 9.
 */
#ifndef MIG_OUTCOME_H
#define MIG_OUTCOME_H

#include "plan.h"

enum step_status { STEP_NOT_RUN, STEP_APPLIED, STEP_SKIPPED, STEP_FAILED, STEP_UNDONE };

struct step_outcome {
	enum step_status status;
	char *message; /* new, or NULL */
};

/* What became of the rows of a plan, or would. */
struct rows_tally {
	int64_t added, changed, same; /* puts: new rows, others, and those that were as planned */
	int64_t deleted, absent;      /* deletes: absent ones were not there */
	int64_t links;
};

void rows_tally_add(struct rows_tally *to, const struct rows_tally *more);

struct outcome {
	struct step_outcome *step; /* as many as the plan has steps */
	size_t n;
	bool dry_run;
	char *started_at;          /* RFC 3339, UTC */
	int64_t duration_ms;
	int64_t ledger_seq;        /* of the last entry; -1: none was written */
	char ledger_head[HEX_SIZE];
	struct rows_tally rows;    /* of a plan of rows */
};

void outcome_init(struct outcome *o, size_t nsteps);
void outcome_release(struct outcome *o);
void outcome_set(struct outcome *o, size_t i, enum step_status s, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Append the outcome record of plan p: ok and code follow from its findings, those of d from index first on. */
void outcome_write(struct buf *out, const struct outcome *o, const struct plan *p, struct text actor,
                   struct text ticket, const struct diag *d, size_t first);

/* "ok", "general_error", "invalid_args", "precondition_failed", "validation_failed", "unsafe_operation". */
const char *exit_name(enum mig_exit e);

/* Append findings of d from index first on as a JSON array of {rule_id, severity, component, message, ref?}. */
void findings_write(struct buf *out, const struct diag *d, size_t first, const char *component);

#endif
