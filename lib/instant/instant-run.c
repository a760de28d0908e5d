/* instant-run.c -- see instant-run.h */
#include "instant-run.h"

#include "moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int prepare_back(struct instant_run *r, struct instant_work *w, const struct step *st)
{
	const struct step *was = instant_stored_step(&r->undone, st->step_id);
	const struct instant_done *done = instant_standing_find(&r->undone.was, st->step_id);

	if (!was)
		return diag_add(r->d, MIG_INVALID, "foreign_plan", r->undoes, "the plan has no such batch to undo");
	if (instant_batch_read(&w->batch, &r->undone.plan, was, r->d) < 0)
		return -1;
	if (done)
		memcpy(w->backup.name, done->file, sizeof w->backup.name);
	else
		instant_backup_name(w->backup.name, r->undoes, r->undone.was.seq, st->rows.backup);
	int rc = instant_backup_read(&w->backup, &r->s->state, &w->batch, done ? done->hash : NULL, r->d);

	if (rc == 0 && done) {
		diag_hint(r->d, "--state DIR names the folder that the plan was applied with");
		return diag_add(r->d, MIG_PRECONDITION, "backup_missing", w->backup.name,
		                "what the batch replaced is not there");
	}
	w->plan = r->p->doc;
	w->before = st->rows.checks;
	return rc <= 0 ? rc : instant_goals_undo(&w->goals, &w->batch, &w->backup, r->d) < 0 ? -1 : 1;
}

static int prepare_forward(struct instant_run *r, struct instant_work *w, const struct step *st)
{
	if (instant_batch_read(&w->batch, r->p, st, r->d) < 0 || instant_goals_plan(&w->goals, &w->batch, r->d) < 0)
		return -1;
	instant_backup_name(w->backup.name, r->p->hash, r->was.seq, st->rows.backup);
	return 1;
}

int instant_run_prepare(struct instant_run *r, struct instant_work *w, const struct step *st)
{
	*w = (struct instant_work)INSTANT_WORK_INIT;
	w->s = r->s;
	w->c = r->c;
	return instant_run_back(r) ? prepare_back(r, w, st) : prepare_forward(r, w, st);
}

int instant_run_ledger(struct instant_run *r, int *fd)
{
	size_t first = r->d->n;

	*fd = instant_state_ledger(&r->s->state, false, r->d);
	return *fd < 0 && r->d->n > first ? -1 : 0;
}

void instant_run_init(struct instant_run *r, struct instant *s, const struct plan *p, const struct apply_ctx *c,
                     struct outcome *o, struct diag *d)
{
	*r = (struct instant_run){ .s = s, .p = p, .c = c, .o = o, .d = d, .start = moment_ticks(),
		           .undone = INSTANT_STORED_INIT };
	snprintf(r->undoes, sizeof r->undoes, "%.*s", (int)p->undoes.n, p->undoes.n ? p->undoes.s : "");
}

void instant_run_release(struct instant_run *r)
{
	instant_standing_release(&r->was);
	instant_stored_release(&r->undone);
}

/* Is the batch that entry st undoes as it was found? */
static int check_restored(struct instant_run *r, const struct step *st)
{
	struct instant_work w;
	int rc = instant_run_prepare(r, &w, st);

	w.plan = NULL; /* what was there before the rollback does not matter any more */
	if (rc > 0)
		rc = instant_work_preview(&w, r->d);
	if (rc == 0 && w.looked && !instant_tally_reached(&w.tally)) {
		char *where = xmemdup(st->ref.s, st->ref.n);

		rc = diag_add(r->d, MIG_INVALID, "not_restored", where,
		              "its rows are not what the batch found: %zu lack, %zu are others, %zu are still there",
		              w.tally.fresh, w.tally.changed, w.tally.deleted);
		free(where);
	}
	instant_work_release(&w);
	return rc;
}

int instant_restored(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct diag *d)
{
	struct outcome unused = { .n = 0 };
	struct instant_run r;
	int fd, rc;

	instant_run_init(&r, s, p, c, &unused, d);
	rc = instant_run_ledger(&r, &fd);
	if (rc == 0)
		rc = instant_standing_read(&r.undone.was, fd, r.undoes, NULL, d);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		rc = instant_stored_read(&r.undone, &s->state, r.undoes, d);
	for (size_t i = 0; i < p->nstep && rc == 0; i++)
		rc = check_restored(&r, &p->step[i]);
	instant_run_release(&r);
	return rc;
}
