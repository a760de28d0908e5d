/*
 * stored-plan.h -- a plan that a store keeps, read once more.
 *
 * Floor 11.  Reads the store.
 */
#ifndef MIG_STORED_PLAN_H
#define MIG_STORED_PLAN_H

#include "plan.h"
#include "store.h"

struct stored_plan {
	struct buf text;
	struct doc doc;   /* of text */
	struct plan plan; /* of doc */
};

#define STORED_PLAN_INIT { BUF_INIT, DOC_INIT, PLAN_INIT }

void stored_plan_release(struct stored_plan *p);

/*
 * Read the plan of that hash in the place of the one before it: 0, or -1 after a
 * finding: the store's own, MIG_INVALID "plan_hash_integrity_failed" for a text
 * that is no JSON, or those of plan_read.
 */
int stored_plan_read(struct stored_plan *p, struct store *s, const char *hash, struct diag *d);

#endif
