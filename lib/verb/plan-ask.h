/*
 * plan-ask.h -- what mig-plan was asked for, by whatever way it plans.
 *
 * Floor 8.
 */
#ifndef MIG_PLAN_ASK_H
#define MIG_PLAN_ASK_H

#include "set.h"

struct plan_ask {
	const char *env, *migration_id, *target_version;
	const char *tenant, *project; /* or NULL */
	int64_t batch;                /* steps a plan at most; of rows: rows a step */
	int64_t max_rejects;
	const struct set *set;        /* of rows, for its invariants; or NULL */
};

enum { PLAN_BATCH = 500, PLAN_BATCH_MAX = 10000, PLAN_BYTES = 8 << 20 };

#endif
