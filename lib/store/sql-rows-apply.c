/* sql-rows-apply.c -- see sql-rows-apply.h */
#include "sql-rows-apply.h"

#include "backoff.h"
#include "moment.h"
#include "sql-rows-preview.h"

/* A run that writes. */
struct applying {
	struct sql_rows_run r;
	char time[LEDGER_TIME_SIZE];
	int64_t start; /* moment_ticks() */
};

static int64_t elapsed_ms(const struct applying *a)
{
	return a->r.c->now ? 0 : moment_since(a->start);
}

/* ---- what goes into the ledger ---- */

static void init_entry(const struct applying *a, struct entry *e, const char *event)
{
	entry_init(e, event, a->r.p, a->r.c->grant, a->r.s->user, a->time);
}

static int add_entry(struct applying *a, const struct entry *e)
{
	return sql_chain_add(&a->r.standing.chain, a->r.s->db, e, a->r.d);
}

/* The plan, and that it was begun. */
static int note_begin(struct applying *a)
{
	const struct plan *p = a->r.p;
	struct db *db = a->r.s->db;
	struct text text;
	struct entry e;

	text.s = doc_span(p->doc, p->root, &text.n);
	init_entry(a, &e, "begin");
	if (db->ops->prepare(db, a->r.d) < 0 || sql_ledger_put_plan(db, p->hash, text, a->r.d) < 0)
		return -1;
	return add_entry(a, &e);
}

static int note_step(struct applying *a, size_t i)
{
	const struct sql_kepts *kept = &a->r.batches.kept;
	struct buf backups = BUF_INIT;
	struct entry e;

	init_entry(a, &e, "step");
	e.ref = a->r.p->step[i].step_id;
	if (kept->n) {
		sql_kepts_write(&backups, kept);
		e.backups = backups.s;
	}
	int rc = add_entry(a, &e);

	buf_release(&backups);
	return rc;
}

static int note_end(struct applying *a)
{
	struct entry e;

	init_entry(a, &e, a->r.p->rollback_mode ? "rollback" : "commit");
	e.duration_ms = elapsed_ms(a);
	return add_entry(a, &e);
}

/* Is nothing to be done behind step i? */
static bool is_last(const struct applying *a, size_t i)
{
	do
		i++;
	while (i < a->r.p->nstep && sql_standing_idle(&a->r.standing, i));
	return i == a->r.p->nstep;
}

static int write_down(struct applying *a, size_t i)
{
	if (a->r.standing.is == SQL_TO_DO && note_begin(a) < 0)
		return -1;
	if (note_step(a, i) < 0)
		return -1;
	return is_last(a, i) ? note_end(a) : 0;
}

/* ---- a batch ---- */

/* What a failed COMMIT says of a foreign key does not say which. */
static void name_orphans(struct sql_rows_run *r, size_t first)
{
	struct db *db = r->s->db;
	struct diag more = DIAG_INIT;

	if (db->ops->trouble(db) != DB_CONSTRAINT)
		return;
	if (db->ops->orphans(db, &more) < 0) {
		diag_truncate(r->d, first);
		for (size_t i = 0; i < more.n; i++)
			diag_add(r->d, more.list[i].exit, more.list[i].rule, more.list[i].where, "%s",
			         more.list[i].message);
	}
	diag_release(&more);
}

/* The ledger has reached the disk. */
static void confirm(struct sql_rows_run *r, size_t i)
{
	sql_standing_did(&r->standing, i);
	r->o->ledger_seq = r->standing.chain.seq;
	memcpy(r->o->ledger_head, r->standing.chain.head, HEX_SIZE);
}

/* Step i in a transaction; 1: it was done before, or is not to be undone. */
static int attempt(struct applying *a, size_t i)
{
	struct sql_rows_run *r = &a->r;
	struct db *db = r->s->db;
	size_t first = r->d->n;

	if (db->ops->begin_rows(db, r->d) < 0 || sql_standing_learn(&r->standing, r->d) < 0)
		return -1;
	if (sql_standing_idle(&r->standing, i)) {
		db->ops->rollback(db);
		return 1;
	}
	if (sql_rows_run_step(r, i) < 0 || write_down(a, i) < 0)
		return -1;
	if (db->ops->commit(db, r->d) < 0) {
		name_orphans(r, first);
		return -1;
	}
	confirm(r, i);
	return 0;
}

/* May the same go well in a moment? */
static bool may_pass(const struct sql_rows_run *r, size_t first)
{
	enum db_trouble t = r->s->db->ops->trouble(r->s->db);

	for (size_t i = first; i < r->d->n; i++)
		if (strcmp(r->d->list[i].rule, "changed") == 0 || strcmp(r->d->list[i].rule, "locked") == 0)
			return true;
	return t == DB_TRANSIENT || t == DB_LOST;
}

static void drop_backups(struct sql_rows_run *r)
{
	struct sql_kepts *kept = &r->batches.kept;

	for (size_t i = 0; i < kept->n; i++)
		if (kept->v[i].file.rows)
			sql_backup_drop(&r->s->state, &kept->v[i].file);
	sql_kepts_release(kept);
}

/* Until it is done, or cannot be, or was tried often enough. */
static int insist(struct applying *a, size_t i)
{
	struct sql_rows_run *r = &a->r;
	struct db *db = r->s->db;
	size_t first = r->d->n;
	int rc;

	for (unsigned n = 0; (rc = attempt(a, i)) < 0; n++) {
		bool lost = db->ops->trouble(db) == DB_LOST, again = n < r->c->retries && may_pass(r, first);

		db->ops->rollback(db);
		/* a commit that was not answered may have been done, and then its backup is wanted */
		if (!lost)
			drop_backups(r);
		sql_standing_forget(&r->standing);
		if (!again || store_interrupted())
			return -1;
		diag_truncate(r->d, first);
		backoff_pause(n);
	}
	return rc;
}

/* ---- all of them ---- */

static const char *why_idle(const struct sql_rows_run *r, size_t i)
{
	if (!r->p->rollback_mode)
		return "already applied";
	return r->standing.is == SQL_DONE || r->standing.done[i] ? "already rolled back" : "was never applied";
}

static int do_step(struct applying *a, size_t i)
{
	struct sql_rows_run *r = &a->r;
	size_t first = r->d->n;

	if (sql_rows_run_may_go_on(r) < 0)
		return -1;
	int rc = insist(a, i);

	if (rc < 0) {
		sql_rows_run_failed(r, i, first);
		return -1;
	}
	if (rc > 0) {
		outcome_set(r->o, i, STEP_SKIPPED, "%s", why_idle(r, i));
		return 0;
	}
	sql_rows_run_tell(r, i);
	if (r->c->batch_delay && i + 1 < r->p->nstep)
		backoff_wait(r->c->batch_delay);
	return 0;
}

static int do_steps(struct applying *a)
{
	/* drift under one batch means that none is put back */
	if (sql_rows_run_foresee(&a->r) < 0)
		return -1;
	for (size_t i = 0; i < a->r.p->nstep; i++)
		if (do_step(a, i) < 0)
			return -1;
	return 0;
}

int sql_rows_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                   struct diag *d)
{
	struct applying a = { .start = moment_ticks() };

	s->chain.seq = 0; /* what follows moves its end */
	sql_rows_run_init(&a.r, s, p, c, o, d);
	ledger_time(c->now, a.time);
	o->dry_run = c->grant->dry_run;
	o->started_at = xstrdup(a.time);
	int rc = o->dry_run ? sql_rows_preview(&a.r) : do_steps(&a);

	o->duration_ms = elapsed_ms(&a);
	sql_rows_run_release(&a.r);
	return rc;
}
