/*
 * instant-work.h -- one batch of rows, brought to where it is to be and seen there.
 *
 * Floor 12.  Nothing passes because a server said 200: what counts is what it
 * gives when it is asked afterwards.
 */
#ifndef MIG_INSTANT_WORK_H
#define MIG_INSTANT_WORK_H

#include "instant-goal.h"
#include "store.h"

/* An app as a store. */
struct instant {
	struct instant_app app;
	struct instant_state state;
	struct ledger ledger;
	char *user; /* of this process, for the ledger */
};

/* A batch at work. */
struct instant_work {
	struct instant *s;
	const struct apply_ctx *c;
	struct instant_batch batch;
	struct instant_goals goals;
	struct instant_backup backup;
	struct instant_tally tally; /* of what was there when it was first looked at */
	bool looked;
	unsigned attempt;           /* from 1 */
	/* of a rollback: */
	const struct doc *plan;     /* the rollback plan, NULL going forward */
	uint32_t before;            /* its "rows" checks: what must be there, */
	const char *hash;           /* and what hash the backup must have, or NULL */
};

#define INSTANT_WORK_INIT { .goals = INSTANT_GOALS_INIT, .backup = INSTANT_BACKUP_INIT }

void instant_work_release(struct instant_work *w);

/* instant_batch_look, tried again as often as retries where its failure may pass. */
int instant_look(struct instant_batch *b, struct instant_app *a, unsigned retries, struct diag *d);

/*
 * Count what would be done, and do nothing; of a rollback, what is there must be what the batch
 * left, or what it found.  0, or -1 after a finding (MIG_INVALID "drift").
 */
int instant_work_preview(struct instant_work *w, struct diag *d);

/*
 * Keep what is there, change it in one transaction and look.  What may pass is
 * tried again as often as c says: whether a transaction whose answer was lost was
 * taken, the next look tells.  0, or -1 after a finding: MIG_INVALID "rows_differ"
 * where the server says that it is done and it is not.
 */
int instant_work_do(struct instant_work *w, struct diag *d);

#endif
