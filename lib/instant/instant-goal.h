/*
 * instant-goal.h -- what the rows of a batch are to be, and the transaction that makes them so.
 *
 * Floor 11.
 */
#ifndef MIG_INSTANT_GOAL_H
#define MIG_INSTANT_GOAL_H

#include "instant-backup.h"

/* A row each: {"data":{..},"links":{"author":["7e.."]}}, or null: it is not to be there. */
struct instant_goals {
	struct buf text;  /* one array */
	struct doc doc;
	uint32_t *row;    /* tokens */
	size_t n;
	bool more;        /* links beyond those wanted may stay: their other ends may have come since */
};

#define INSTANT_GOALS_INIT { .doc = DOC_INIT }

void instant_goals_release(struct instant_goals *g);

/* What the actions of b say: 0, or -1 after a finding. */
int instant_goals_plan(struct instant_goals *g, const struct instant_batch *b, struct diag *d);

/*
 * What b found: of a put the members and labels that it names, null for a member that was not
 * there, as InstantDB has no unset; of a delete all of the row.
 */
int instant_goals_undo(struct instant_goals *g, const struct instant_batch *b, const struct instant_backup *k,
                       struct diag *d);

/* How the rows of a batch differ from their goals. */
struct instant_tally {
	size_t fresh, changed, same, deleted, gone; /* gone: to be deleted, and not there */
	size_t links;                               /* made or cut */
};

/*
 * Append the array of steps that lead from what is there to the goals, and count
 * in t; what is as it should be gets none, so that doing it twice does it once.
 * 0 and t->fresh + t->changed + t->deleted steps of rows, or -1 after MIG_INVALID "bad_answer".
 */
int instant_goals_steps(const struct instant_goals *g, const struct instant_batch *b, const struct instant_app *a,
                        struct buf *steps, struct instant_tally *t, struct diag *d);

/* Do the counts say that nothing is to be done? */
bool instant_tally_reached(const struct instant_tally *t);

#endif
