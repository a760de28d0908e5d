/*
 * instant-stored.h -- plans as they were begun.
 *
 * Floor 13.
 */
#ifndef MIG_INSTANT_STORED_H
#define MIG_INSTANT_STORED_H

#include "instant-standing.h"
#include "instant-work.h"

/* A plan that is stored, and what the ledger says of it. */
struct instant_stored {
	struct buf text;
	struct doc doc;
	struct plan plan;
	struct instant_standing was;
};

#define INSTANT_STORED_INIT { .doc = DOC_INIT, .plan = PLAN_INIT }

/* Read a plan by its hash: 0, or -1 after MIG_PRECONDITION "missing_plan", MIG_INVALID "plan_hash_integrity_failed". */
int instant_stored_read(struct instant_stored *u, const struct instant_state *s, const char *hash, struct diag *d);
void instant_stored_release(struct instant_stored *u);

/* The step of the plan with the id of a rollback's entry, or NULL. */
const struct step *instant_stored_step(const struct instant_stored *u, struct text step_id);

#endif
