/*
 * instant-run.h -- a plan of rows on its way into an app, or back out of it.
 *
 * Floor 14.
 */
#ifndef MIG_INSTANT_RUN_H
#define MIG_INSTANT_RUN_H

#include "instant-stored.h"

struct instant_run {
	struct instant *s;
	const struct plan *p;
	const struct apply_ctx *c;
	struct outcome *o;
	struct diag *d;
	struct instant_standing was;  /* of the plan */
	struct instant_stored undone; /* of a rollback: the plan that it undoes, */
	char undoes[HEX_SIZE];        /* and its hash */
	int64_t start;                /* moment_ticks() */
	bool sent;                    /* a batch was at work in this run */
};

static inline bool instant_run_back(const struct instant_run *r)
{
	return r->p->rollback_mode;
}

/* Borrows all of it. */
void instant_run_init(struct instant_run *r, struct instant *s, const struct plan *p, const struct apply_ctx *c,
                      struct outcome *o, struct diag *d);
void instant_run_release(struct instant_run *r);

/* The ledger for reading: *fd is -1 where there is none.  0, or -1 after a finding. */
int instant_run_ledger(struct instant_run *r, int *fd);

/*
 * Rows, goals and backup of step st: 1, 0 if it is of a rollback and its batch
 * was never begun, or -1 after a finding (MIG_PRECONDITION "backup_missing",
 * MIG_INVALID "backup_damaged").  w needs instant_work_release whatever comes.
 */
int instant_run_prepare(struct instant_run *r, struct instant_work *w, const struct step *st);

/* See restored of struct store_ops. */
int instant_restored(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct diag *d);

#endif
