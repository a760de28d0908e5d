/* sql-apply.c -- see sql-apply.h */
#include "sql-apply.h"

#include "moment.h"
#include "sql-record.h"
#include "sql-work.h"

#include <stdio.h>
#include <stdlib.h>

/* One plan on its way. */
struct run {
	struct sql_store *s;
	const struct plan *p;
	const struct apply_ctx *c;
	struct outcome *o;
	struct diag *d;
	struct sql_work w;
	struct sql_chain chain;
	char time[LEDGER_TIME_SIZE];
	int64_t start; /* moment_ticks() */
	bool doubt;    /* whether the database committed is not known */
	size_t alone;  /* steps that cannot be in a transaction */
	bool *done;    /* those of them that the ledger says were done */
};

static int64_t elapsed_ms(const struct run *r)
{
	return r->c->now ? 0 : moment_since(r->start);
}

/* An entry about the plan, inside the transaction. */
static int note(struct run *r, const char *event, struct text ref)
{
	struct buf backups = BUF_INIT;
	bool ends = strcmp(event, "commit") == 0 || strcmp(event, "rollback") == 0;
	struct entry e;

	entry_init(&e, event, r->p, r->c->grant, r->s->user, r->time);
	e.ref = ref;
	if (r->w.kept.n && strcmp(event, "step") != 0) {
		sql_kepts_write(&backups, &r->w.kept);
		e.backups = backups.s;
	}
	const char **written = xcalloc(r->p->nstep, sizeof *written);

	if (ends) {
		e.written = written;
		e.nwritten = r->p->nstep;
		e.duration_ms = elapsed_ms(r);
	}
	int rc = sql_chain_add(&r->chain, r->s->db, &e, r->d);

	free(written);
	buf_release(&backups);
	return rc;
}

static const char *last_event(const struct run *r)
{
	return r->p->rollback_mode ? "rollback" : "commit";
}

/* The chain has reached the disk. */
static void confirm(struct run *r)
{
	r->s->chain = r->chain;
	r->o->ledger_seq = r->chain.seq;
	memcpy(r->o->ledger_head, r->chain.head, HEX_SIZE);
}

enum standing { TO_DO, BEGUN, DONE };

/*
 * What the ledger says of the plan: what the plan did or, of one that rolls back,
 * what was done to the plan that it undoes.  Reads the end of the chain as well.
 */
static int look_up(struct run *r, enum standing *is)
{
	char event[16];

	r->chain = r->s->chain;
	int rc = sql_ledger_stand(r->s->db, r->p->hash, event, &r->chain, r->d);

	*is = TO_DO;
	if (rc < 0)
		return -1;
	if (rc && strcmp(event, "begin") == 0) {
		*is = BEGUN;
		return 0;
	}
	if (!r->p->rollback_mode) {
		*is = rc && strcmp(event, "commit") == 0 ? DONE : TO_DO;
		return 0;
	}
	if ((rc = sql_ledger_last(r->s->db, r->w.undoes, NULL, event, r->d)) < 0)
		return -1;
	if (rc == 0)
		return diag_add(r->d, MIG_PRECONDITION, "not_applied", r->w.undoes,
		                "the plan to be rolled back is not applied to this database");
	*is = strcmp(event, "rollback") == 0 ? DONE : TO_DO;
	return 0;
}

static void all_skipped(struct run *r, const char *why)
{
	for (size_t i = 0; i < r->o->n; i++)
		outcome_set(r->o, i, STEP_SKIPPED, "%s", why);
}

static void step_is_bad(void *arg, size_t i, const char *message)
{
	struct run *r = arg;

	outcome_set(r->o, i, STEP_FAILED, "%s", message);
}

static int read_backups(struct run *r, struct buf *entry)
{
	struct doc e = DOC_INIT;
	int rc = doc_parse(&e, entry->s, entry->len, RECORD_MAX_DEPTH);

	if (rc < 0)
		diag_add(r->d, MIG_INVALID, "ledger_broken", "ledger", "an entry does not read");
	else
		rc = sql_kepts_read(&r->w.known, &e, r->d);
	doc_release(&e);
	return rc;
}

/* The backups that the undone plan made, from its entry. */
static int know_backups(struct run *r)
{
	struct buf entry = BUF_INIT;
	int rc = 0;

	if (!r->p->rollback_mode)
		return 0;
	/* the entry of its transaction, which is the first where steps came after it */
	rc = sql_ledger_find(r->s->db, r->w.undoes, "begin", &entry, r->d);
	if (rc == 0)
		rc = sql_ledger_find(r->s->db, r->w.undoes, "commit", &entry, r->d);
	if (rc == 1)
		rc = read_backups(r, &entry);
	buf_release(&entry);
	return rc < 0 ? -1 : 0;
}

/* Everything up to the commit. */
static int in_transaction(struct run *r)
{
	struct db *db = r->s->db;
	size_t n;
	const char *text = doc_span(r->p->doc, r->p->root, &n);
	char live[HEX_SIZE] = "";

	/* to read all that is there takes longer than most plans: only the first of a stream asks for it */
	if ((sql_asks_live(&r->w) && sql_live_hash(db, NULL, live, r->d) < 0) || db->ops->prepare(db, r->d) < 0 ||
	    know_backups(r) < 0)
		return -1;
	r->w.at = r->w.n;
	if (sql_work_ask(&r->w, live, step_is_bad, r, r->d) < 0) {
		r->w.at = r->w.n; /* none was begun */
		return -1;
	}
	if (sql_work_do(&r->w, r->d) < 0)
		return -1;
	r->w.at = r->w.n;
	if (r->p->rollback_mode && r->w.from) {
		char *reason =
			xmemdup(r->p->reason.n ? r->p->reason.s : "rollback", r->p->reason.n ? r->p->reason.n : 8);
		int rc = sql_log(db, r->w.from, r->w.to, reason, r->time, r->d);

		free(reason);
		if (rc < 0)
			return -1;
	}
	if (sql_ledger_put_plan(db, r->p->hash, (struct text){ text, n }, r->d) < 0)
		return -1;
	return note(r, r->alone ? "begin" : last_event(r), (struct text){ NULL, 0 });
}

/* What a failed run leaves: one row that says why. */
static void log_failure(struct run *r, size_t first)
{
	struct db *db = r->s->db;
	struct diag unseen = DIAG_INIT;
	struct diag own = { .list = r->d->list + first, .n = r->d->n - first };
	const struct finding *why = diag_first(&own);
	int64_t now = 0;

	/* a database that cannot be written to now does not take this row either */
	if (r->c->grant->dry_run || !why || why->exit == MIG_PRECONDITION || db->ops->begin(db, true, &unseen) < 0) {
		diag_release(&unseen);
		return;
	}
	if (db->ops->prepare(db, &unseen) < 0 || sql_version(db, &now, &unseen) < 0 ||
	    sql_log(db, r->w.from ? r->w.to : 0, now, why->message, r->time, &unseen) < 0 ||
	    db->ops->commit(db, &unseen) < 0)
		db->ops->rollback(db);
	diag_release(&unseen);
}

static void drop_backups(struct run *r)
{
	for (size_t i = 0; i < r->w.kept.n; i++)
		sql_backup_drop(&r->s->state, &r->w.kept.v[i].file);
}

static void undone(struct run *r, size_t first)
{
	for (size_t i = 0; i < r->o->n && r->w.at < r->w.n; i++) {
		if (i < r->w.at && !sql_alone(&r->w, i))
			outcome_set(r->o, i, STEP_UNDONE, "the transaction was rolled back");
		else if (i == r->w.at && r->d->n > first)
			outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
	}
}

static void describe(struct run *r, size_t i)
{
	size_t n = sql_statements(&r->w, i);

	if (sql_alone(&r->w, i))
		outcome_set(r->o, i, STEP_SKIPPED, "would run %zu statement%s outside of the transaction", n,
		            n == 1 ? "" : "s");
	else
		outcome_set(r->o, i, STEP_SKIPPED, "would run %zu statement%s", n, n == 1 ? "" : "s");
}

/*
 * The connection went while the server was to commit.  Only the server knows
 * whether it did, and only once the lock is ours again: until then the session
 * that held it may still be at work.
 */
static bool was_committed(struct run *r, size_t first)
{
	struct db *db = r->s->db;
	enum standing is = TO_DO;
	bool known = db->ops->begin(db, true, r->d) == 0;

	if (known) {
		known = look_up(r, &is) == 0;
		db->ops->rollback(db);
	}
	r->doubt = !known;
	diag_hint(r->d, "run it again: what is applied is not applied twice");
	if (known && is != TO_DO) {
		diag_truncate(r->d, first);
		diag_warn(r->d, "reconnected", NULL, "the connection was lost; the plan is applied, says the database");
		return true;
	}
	diag_add(r->d, MIG_PRECONDITION, "connection_lost", NULL,
	         known ? "nothing of the plan was applied, says the database"
	               : "whether the plan was applied is not known");
	return false;
}

/* The transaction itself; it has begun. */
static int transact(struct run *r)
{
	struct db *db = r->s->db;
	size_t first = r->d->n;
	int rc = in_transaction(r);

	/* what was to be done later is to be tried as well */
	if (rc == 0 && r->c->grant->dry_run && db->ops->query(db, "SELECT 1", NULL, 0, NULL, NULL, r->d) < 0)
		rc = -1;
	if (rc == 0 && r->c->grant->dry_run) {
		r->s->preview = true;
		for (size_t i = 0; i < r->o->n; i++)
			describe(r, i);
		return 0;
	}
	if (rc == 0 && ((rc = db->ops->commit(db, r->d)) == 0 ||
	                (db->ops->trouble(db) == DB_LOST && was_committed(r, first)))) {
		confirm(r);
		for (size_t i = 0; i < r->o->n; i++)
			if (!sql_alone(&r->w, i))
				outcome_set(r->o, i, STEP_APPLIED, NULL);
		return 0;
	}
	db->ops->rollback(db);
	r->s->preview = false;
	if (!r->doubt)
		drop_backups(r);
	undone(r, first);
	log_failure(r, first);
	return -1;
}

static void mark_done(void *arg, const struct doc *entry)
{
	struct run *r = arg;
	char *ref = record_dup(entry, doc_member(entry, 0, "ref", 3));

	for (size_t i = 0; ref && i < r->p->nstep; i++)
		if (text_is(r->p->step[i].step_id, ref))
			r->done[i] = true;
	free(ref);
}

/* What was recorded in the transaction lacks what came after it. */
static int all_done(struct run *r)
{
	struct db *db = r->s->db;
	int64_t version;

	if (sql_version(db, &version, r->d) < 0 || sql_refresh(db, version, r->d) < 0)
		return -1;
	return note(r, last_event(r), (struct text){ NULL, 0 });
}

/* One step outside of the transaction, and then its entry; the last one brings the plan's. */
static int step_alone(struct run *r, size_t i, bool last)
{
	struct db *db = r->s->db;

	if (!r->done[i] && (sql_work_step(&r->w, i, r->d) < 0 || sql_work_after(&r->w, i, r->d) < 0))
		return -1;
	if (r->done[i] && !last)
		return 0;
	if (db->ops->begin(db, true, r->d) < 0)
		return -1;
	if ((r->done[i] || note(r, "step", r->p->step[i].step_id) == 0) && (!last || all_done(r) == 0) &&
	    db->ops->commit(db, r->d) == 0) {
		confirm(r);
		return 0;
	}
	db->ops->rollback(db);
	return -1;
}

/* What is left to do outside of the transaction, after it or after a run that was killed. */
static int go_on_alone(struct run *r)
{
	size_t left = r->alone, first = r->d->n;
	int rc = sql_ledger_steps(r->s->db, r->p->hash, mark_done, r, r->d);

	if (rc == 0)
		rc = sql_chain_read(&r->chain, r->s->db, r->d);
	for (size_t i = 0; i < r->p->nstep && rc == 0; i++) {
		if (!sql_alone(&r->w, i))
			continue;
		if ((rc = step_alone(r, i, --left == 0)) == 0)
			outcome_set(r->o, i, r->done[i] ? STEP_SKIPPED : STEP_APPLIED, "%s",
			            r->done[i] ? "already applied" : "");
		else
			outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
	}
	if (rc < 0)
		log_failure(r, first);
	return rc;
}

static int work(struct run *r)
{
	struct db *db = r->s->db;
	enum standing is;

	/* the plans of a dry run find what those before them leave */
	if ((r->s->preview ? db->ops->resettle(db, r->d) : db->ops->begin(db, true, r->d)) < 0)
		return -1;
	if (look_up(r, &is) < 0 || is != TO_DO) {
		if (!r->s->preview)
			db->ops->rollback(db);
		if (r->d->n && diag_exit(r->d) != MIG_OK)
			return -1;
		all_skipped(r, r->p->rollback_mode ? "already rolled back" : "already applied");
		return is == BEGUN && !r->c->grant->dry_run ? go_on_alone(r) : 0;
	}
	if (transact(r) < 0)
		return -1;
	return r->alone && !r->c->grant->dry_run ? go_on_alone(r) : 0;
}

int sql_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	char undoes[HEX_SIZE];
	struct run r = { .s = s, .p = p, .c = c, .o = o, .d = d, .start = moment_ticks() };

	snprintf(undoes, sizeof undoes, "%.*s", (int)p->undoes.n, p->undoes.n ? p->undoes.s : "");
	ledger_time(c->now, r.time);
	r.w = (struct sql_work){
		.db = s->db,
		.state = &s->state,
		.doc = p->doc,
		.step = p->step,
		.n = p->nstep,
		.hash = p->hash,
		.undoes = p->rollback_mode ? undoes : NULL,
		.dry = c->grant->dry_run,
		.time = r.time,
		.stop = store_interrupted,
	};
	for (size_t i = 0; i < p->nstep; i++)
		r.alone += sql_alone(&r.w, i);
	r.done = xcalloc(p->nstep, sizeof *r.done);
	o->dry_run = c->grant->dry_run;
	o->started_at = xstrdup(r.time);
	int rc = work(&r);

	o->duration_ms = elapsed_ms(&r);
	sql_kepts_release(&r.w.kept);
	sql_kepts_release(&r.w.known);
	free(r.done);
	return rc;
}
