/* instant-apply.c -- see instant-apply.h */
#include "instant-apply.h"

#include "backoff.h"
#include "instant-run.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t elapsed_ms(const struct instant_run *r)
{
	return r->c->now ? 0 : moment_since(r->start);
}

/* ---- the ledger ---- */

static void add_entry(struct instant_run *r, const char *event, const struct plan *p, struct text ref,
                      const char *backups)
{
	const char **none = xcalloc(p->nstep, sizeof *none);
	bool ends = strcmp(event, "commit") == 0 || strcmp(event, "rollback") == 0;
	char time[LEDGER_TIME_SIZE];
	struct entry e;

	ledger_time(r->c->now, time);
	entry_init(&e, event, p, r->c->grant, r->s->user, time);
	e.ref = ref;
	e.backups = backups;
	if (ends) {
		e.written = none;
		e.nwritten = p->nstep;
		e.duration_ms = elapsed_ms(r);
	}
	ledger_append(&r->s->ledger, &e);
	free(none);
}

static int sync_entries(struct instant_run *r)
{
	bool unsure;

	if (ledger_sync(&r->s->ledger, r->sent, &unsure, r->d) < 0)
		return -1;
	r->o->ledger_seq = r->s->ledger.seq;
	memcpy(r->o->ledger_head, r->s->ledger.head, HEX_SIZE);
	return 0;
}

static int begin(struct instant_run *r)
{
	char name[HEX_SIZE + 8];
	size_t n;
	const char *text = doc_span(r->p->doc, r->p->root, &n);

	if (r->was.is == INSTANT_BEGUN)
		return 0;
	snprintf(name, sizeof name, "%.64s.json", r->p->hash);
	if (instant_state_put(&r->s->state, "plans", name, text, n, r->d) < 0)
		return -1;
	add_entry(r, "begin", r->p, (struct text){ NULL, 0 }, NULL);
	if (sync_entries(r) < 0)
		return -1;
	instant_standing_release(&r->was);
	r->was = (struct instant_standing){ .is = INSTANT_BEGUN, .seq = r->s->ledger.seq };
	return 0;
}

static int end(struct instant_run *r)
{
	const struct text none = { NULL, 0 };

	/* a plan that was never committed is now not even begun */
	if (instant_run_back(r) && r->undone.was.is == INSTANT_BEGUN)
		add_entry(r, "undo", &r->undone.plan, none, NULL);
	add_entry(r, instant_run_back(r) ? "rollback" : "commit", r->p, none, NULL);
	return sync_entries(r);
}

/* [{"file":"81c2..7f.12.batch-00001.ndjson","hash":H,"name":"batch-00001","rows":200}] */
static int note_step(struct instant_run *r, const struct step *st, const struct instant_work *w)
{
	struct buf b = BUF_INIT;
	struct rec rec;

	if (!instant_run_back(r)) {
		buf_addch(&b, '[');
		rec_open(&rec, &b);
		rec_cstr(&rec, "file", w->backup.name);
		rec_cstr(&rec, "hash", w->backup.hash);
		rec_str(&rec, "name", st->rows.backup);
		rec_int(&rec, "rows", (int64_t)w->backup.n);
		rec_close(&rec);
		buf_addch(&b, ']');
	}
	add_entry(r, "step", r->p, st->step_id, instant_run_back(r) ? NULL : b.s);
	buf_release(&b);
	return sync_entries(r);
}

/* ---- one batch ---- */

/* "200 rows: 150 new, 50 changed, 0 the same; 200 links", "3 rows: 2 deleted, 1 not there" */
static void describe(const struct instant_run *r, size_t i, enum step_status status, const struct instant_work *w)
{
	const struct instant_tally *t = &w->tally;
	const char *would = r->c->grant->dry_run ? "would be " : "";
	struct buf b = BUF_INIT;

	buf_addf(&b, "%zu row%s: ", w->batch.n, w->batch.n == 1 ? "" : "s");
	if (t->fresh + t->changed + t->same || t->deleted + t->gone == 0)
		buf_addf(&b, "%s%zu new, %zu changed, %zu the same", would, t->fresh, t->changed, t->same);
	if (t->deleted + t->gone)
		buf_addf(&b, "%s%s%zu deleted, %zu not there", t->fresh + t->changed + t->same ? "; " : "", would,
		         t->deleted, t->gone);
	if (t->links)
		buf_addf(&b, "; %zu link%s made or cut", t->links, t->links == 1 ? "" : "s");
	if (w->attempt > 1)
		buf_addf(&b, "; at attempt %u", w->attempt);
	outcome_set(r->o, i, status, "%s", b.s);
	buf_release(&b);
}

static void failed(struct instant_run *r, size_t i, size_t first, const struct instant_work *w)
{
	const struct diag own = { .list = r->d->list + first, .n = r->d->n - first };
	const struct finding *f = diag_first(&own);

	outcome_set(r->o, i, STEP_FAILED, "%s; attempt %u", f ? f->message : "failed", w->attempt ? w->attempt : 1);
}

/* What is done is not done again. */
static bool is_done(struct instant_run *r, size_t i)
{
	if (!instant_standing_find(&r->was, r->p->step[i].step_id))
		return false;
	outcome_set(r->o, i, STEP_SKIPPED, "already %s", instant_run_back(r) ? "rolled back" : "applied");
	return true;
}

/* Hand the batch of step i to act, unless a rollback has none to undo. */
static int with_batch(struct instant_run *r, size_t i,
                      int (*act)(struct instant_run *r, size_t i, struct instant_work *w))
{
	struct instant_work w;
	size_t first = r->d->n;
	int rc = instant_run_prepare(r, &w, &r->p->step[i]);

	if (rc == 0)
		outcome_set(r->o, i, STEP_SKIPPED, "was not applied");
	else if (rc > 0)
		rc = act(r, i, &w);
	if (rc < 0)
		failed(r, i, first, &w);
	instant_work_release(&w);
	return rc;
}

static int do_batch(struct instant_run *r, size_t i, struct instant_work *w)
{
	r->sent = true;
	if (instant_work_do(w, r->d) < 0 || note_step(r, &r->p->step[i], w) < 0)
		return -1;
	describe(r, i, STEP_APPLIED, w);
	return 0;
}

static int foresee_batch(struct instant_run *r, size_t i, struct instant_work *w)
{
	if (instant_work_preview(w, r->d) < 0)
		return -1;
	if (r->c->grant->dry_run)
		describe(r, i, STEP_SKIPPED, w);
	return 0;
}

/* The rest between two batches, where a run may be stopped. */
static int rest(struct instant_run *r, size_t i)
{
	if (r->sent && r->c->batch_delay)
		backoff_wait(r->c->batch_delay);
	if (!store_interrupted())
		return 0;
	outcome_set(r->o, i, STEP_NOT_RUN, "interrupted");
	return diag_add(r->d, MIG_ERROR, "interrupted", NULL, "interrupted between batches");
}

/* ---- a plan ---- */

static void all_skipped(struct instant_run *r, const char *why)
{
	for (size_t i = 0; i < r->o->n; i++)
		outcome_set(r->o, i, STEP_SKIPPED, "%s", why);
}

/* Could the app hold all of it?  Before anybody is asked. */
static int check_payload(struct instant_run *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->p->nstep && !instant_run_back(r) && rc == 0; i++) {
		struct instant_batch b;
		size_t first = r->d->n;

		rc = instant_batch_read(&b, r->p, &r->p->step[i], r->d);
		if (rc < 0)
			outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
		instant_batch_release(&b);
	}
	return rc;
}

/* What the ledger says of the plan and of the one that it undoes: 1 to go on, 0 if all is done, -1. */
static int look_up(struct instant_run *r)
{
	const char *other = instant_run_back(r) ? r->undoes : NULL;
	int fd, rc = instant_run_ledger(r, &fd);

	if (rc == 0)
		rc = instant_standing_read(&r->was, fd, r->p->hash, other, r->d);
	if (rc == 0 && instant_run_back(r))
		rc = instant_standing_read(&r->undone.was, fd, r->undoes, NULL, r->d);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return -1;
	enum instant_is is = instant_run_back(r) ? r->undone.was.is : r->was.is;

	if (instant_run_back(r) && is == INSTANT_NOT)
		return diag_add(r->d, MIG_PRECONDITION, "not_applied", r->undoes,
		                "the plan to be rolled back is not applied to this app");
	if (!instant_run_back(r) && is == INSTANT_BACKING)
		return diag_add(r->d, MIG_PRECONDITION, "rollback_begun", NULL,
		                "a rollback of this plan was begun and not ended: end it first");
	if (is == (instant_run_back(r) ? INSTANT_BACK : INSTANT_DONE)) {
		all_skipped(r, instant_run_back(r) ? "already rolled back" : "already applied");
		return 0;
	}
	return 1;
}

/* Without a look at the app: is it a plan for it, and is there something to do?  1, 0, -1. */
static int open_run(struct instant_run *r)
{
	if (!plan_of_rows(r->p))
		return diag_add(r->d, MIG_INVALID, "foreign_plan", NULL,
		                "an InstantDB app holds rows: this store takes plans of rows");
	if (check_payload(r) < 0 || instant_app_ready(&r->s->app, r->d) < 0)
		return -1;
	int rc = look_up(r);

	if (rc > 0 && instant_run_back(r) && instant_stored_read(&r->undone, &r->s->state, r->undoes, r->d) < 0)
		rc = -1;
	return rc;
}

/* Every batch, as it stands now; a finding at the first that cannot be done. */
static int foresee(struct instant_run *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->p->nstep && rc == 0; i++)
		if (!is_done(r, i))
			rc = with_batch(r, i, foresee_batch);
	return rc;
}

static int carry_out(struct instant_run *r)
{
	int rc = instant_run_back(r) ? foresee(r) : 0; /* drift under one batch means that none is put back */

	if (rc == 0)
		rc = begin(r);
	for (size_t i = 0; i < r->p->nstep && rc == 0; i++)
		if (!is_done(r, i))
			rc = rest(r, i) < 0 ? -1 : with_batch(r, i, do_batch);
	if (rc == 0)
		return end(r);
	if (r->sent)
		diag_hint(r->d, "run the same permits again: what is done is not done twice");
	return -1;
}

int instant_apply(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                  struct diag *d)
{
	char time[LEDGER_TIME_SIZE];
	struct instant_run r;

	instant_run_init(&r, s, p, c, o, d);
	ledger_time(c->now, time);
	o->dry_run = c->grant->dry_run;
	o->started_at = xstrdup(time);
	int rc = open_run(&r);

	if (rc > 0)
		rc = c->grant->dry_run ? foresee(&r) : carry_out(&r);
	o->duration_ms = elapsed_ms(&r);
	instant_run_release(&r);
	return rc;
}

/* What plans of another run ahead of it leave, only doing them can tell. */
int instant_check(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                  struct diag *d)
{
	struct instant_run r;

	instant_run_init(&r, s, p, c, o, d);
	int rc = open_run(&r);

	if (rc > 0)
		rc = c->restores ? 0 : foresee(&r);
	instant_run_release(&r);
	return rc;
}
