/* instant-work.c -- see instant-work.h */
#include "instant-work.h"

#include "backoff.h"

#include <stdlib.h>

void instant_work_release(struct instant_work *w)
{
	instant_batch_release(&w->batch);
	instant_goals_release(&w->goals);
	instant_backup_release(&w->backup);
}

static const struct step *step_of(const struct instant_work *w)
{
	return w->batch.step;
}

/* Of a rollback: neither what the batch left nor what it found is there. */
static int drifted(const struct instant_work *w, struct diag *d)
{
	struct text name = step_of(w)->ref;
	char *where = xmemdup(name.s, name.n);

	diag_add(d, MIG_INVALID, "drift", where, "its rows are not as the batch left them: nothing of it is put back");
	free(where);
	return -1;
}

/* Look, and say what leads from there to the goals. */
static int look(struct instant_work *w, struct buf *steps, struct instant_tally *t, struct diag *d)
{
	struct instant_app *a = &w->s->app;

	buf_reset(steps);
	if (instant_batch_look(&w->batch, a, d) < 0 || instant_goals_steps(&w->goals, &w->batch, a, steps, t, d) < 0)
		return -1;
	if (!w->looked)
		w->tally = *t;
	w->looked = true;
	return 0;
}

/* May a rollback go on from what was looked at?  It may be done already: its answer was lost. */
static int may_go_on(const struct instant_work *w, const struct instant_tally *t, struct diag *d)
{
	if (!w->plan || instant_tally_reached(t))
		return 0;
	int holds = instant_batch_holds(&w->batch, &w->s->app, w->plan, w->before, d);

	return holds == 1 ? 0 : holds < 0 ? -1 : drifted(w, d);
}

/* Is the batch where it is to be, going by what was looked at last? */
static int arrived(const struct instant_work *w, const struct instant_tally *t, struct diag *d)
{
	const struct step *s = step_of(w);
	int holds = w->plan ? instant_tally_reached(t)
	                    : instant_batch_holds(&w->batch, &w->s->app, w->batch.plan, s->rows.checks, d);

	if (holds != 0)
		return holds == 1 ? 0 : -1;
	char *where = xmemdup(s->ref.s, s->ref.n);

	diag_add(d, MIG_INVALID, "rows_differ", where,
	         "the server took the batch, but its rows are not what they were to be: "
	         "%zu not there, %zu others, %zu not deleted",
	         t->fresh, t->changed, t->deleted);
	free(where);
	return -1;
}

static int try(struct instant_work *w, struct buf *steps, struct diag *d)
{
	struct instant_tally t;

	if (look(w, steps, &t, d) < 0 || may_go_on(w, &t, d) < 0)
		return -1;
	if (!w->plan && !w->backup.n && instant_backup_keep(&w->backup, &w->s->state, &w->batch, &w->s->app, d) < 0)
		return -1;
	if (!instant_tally_reached(&t) && (instant_transact(&w->s->app, steps->s, steps->len, d) < 0 ||
	                                   look(w, steps, &t, d) < 0))
		return -1;
	return arrived(w, &t, d);
}

/* Call f until it is done, or fails for good. */
static int persist(struct instant_work *w, int (*f)(struct instant_work *w, struct buf *steps, struct diag *d),
                   struct diag *d)
{
	struct buf steps = BUF_INIT;
	size_t first = d->n;
	int rc;

	for (w->attempt = 1; (rc = f(w, &steps, d)) < 0; w->attempt++) {
		if (!instant_may_pass(&w->s->app) || w->attempt > w->c->retries || store_interrupted())
			break;
		diag_truncate(d, first);
		backoff_pause(w->attempt - 1);
		if (store_interrupted()) {
			diag_add(d, MIG_ERROR, "interrupted", NULL, "interrupted between two attempts");
			break;
		}
	}
	buf_release(&steps);
	return rc;
}

static int preview(struct instant_work *w, struct buf *steps, struct diag *d)
{
	struct instant_tally t;

	return look(w, steps, &t, d) < 0 ? -1 : may_go_on(w, &t, d);
}

int instant_work_preview(struct instant_work *w, struct diag *d)
{
	return persist(w, preview, d);
}

int instant_work_do(struct instant_work *w, struct diag *d)
{
	return persist(w, try, d);
}

int instant_look(struct instant_batch *b, struct instant_app *a, unsigned retries, struct diag *d)
{
	size_t first = d->n;
	int rc;

	for (unsigned attempt = 0; (rc = instant_batch_look(b, a, d)) < 0; attempt++) {
		if (!instant_may_pass(a) || attempt >= retries)
			break;
		diag_truncate(d, first);
		backoff_pause(attempt);
	}
	return rc;
}
