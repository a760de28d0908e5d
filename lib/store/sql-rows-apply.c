/* sql-rows-apply.c -- see sql-rows-apply.h */
#include "sql-rows-apply.h"

#include "backoff.h"
#include "invariants.h"
#include "moment.h"
#include "sql-batch-do.h"
#include "sql-batch-show.h"
#include "sql-batch-undo.h"
#include "sql-check.h"
#include "sql-ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum standing { TO_DO, BEGUN, DONE };

/* One plan on its way. */
struct run {
	struct sql_store *s;
	const struct plan *p;
	const struct apply_ctx *c;
	struct outcome *o;
	struct diag *d;
	struct sql_batches w;
	char time[LEDGER_TIME_SIZE];
	int64_t start; /* moment_ticks() */
	/* what the ledger says, as of chain: */
	struct sql_chain chain;
	bool known;
	enum standing is;
	bool *done; /* of each step */
	/* a rollback: */
	char undoes[HEX_SIZE];
	struct doc doc;         /* of the plan that is undone, */
	struct buf text;        /* its text, */
	struct plan forward;    /* itself, */
	bool *was;              /* which of its steps were done, */
	struct sql_kepts *kept; /* and the backups that each made */
};

static struct db *db_of(const struct run *r)
{
	return r->s->db;
}

/* The step of the plan that is undone which step i undoes: they stand in reverse. */
static size_t undone_by(const struct run *r, size_t i)
{
	return r->p->rollback_mode ? r->p->nstep - 1 - i : i;
}

static int64_t elapsed_ms(const struct run *r)
{
	return r->c->now ? 0 : moment_since(r->start);
}

/* ---- what the ledger says ---- */

static void mark(bool *done, const struct plan *p, const struct doc *entry, size_t *at)
{
	char *ref = record_dup(entry, doc_member(entry, 0, "ref", 3));

	for (size_t i = 0; ref && i < p->nstep; i++)
		if (text_is(p->step[i].step_id, ref)) {
			done[i] = true;
			*at = i;
		}
	free(ref);
}

static void mark_done(void *arg, const struct doc *entry)
{
	struct run *r = arg;
	size_t at;

	mark(r->done, r->p, entry, &at);
}

static void mark_was(void *arg, const struct doc *entry)
{
	struct run *r = arg;
	size_t at = r->forward.nstep;

	mark(r->was, &r->forward, entry, &at);
	if (at < r->forward.nstep && r->kept[at].n == 0)
		sql_kepts_read(&r->kept[at], entry, r->d);
}

static int not_applied(struct run *r)
{
	return diag_add(r->d, MIG_PRECONDITION, "not_applied", r->undoes,
	                "the plan to be rolled back is not applied to this database");
}

/* A plan whose rollback was begun is neither applied nor not. */
static int half_undone(struct run *r)
{
	char undoing[HEX_SIZE];
	int rc = sql_ledger_undoing(db_of(r), r->p->hash, undoing, r->d);

	if (rc <= 0)
		return rc;
	diag_hint(r->d, "finish it: mig-extract --applied --plan %s | mig-plan --rollback | mig-gate .. | mig-apply ..",
	          r->p->hash);
	return diag_add(r->d, MIG_PRECONDITION, "unfinished", undoing,
	                "a rollback of this plan was begun and not finished");
}

static int learn_forward(struct run *r)
{
	char event[16];
	int rc = sql_ledger_last(db_of(r), r->p->hash, NULL, event, r->d);

	if (rc < 0)
		return -1;
	r->is = rc == 0 || strcmp(event, "begin") != 0 ? TO_DO : BEGUN;
	if (rc && strcmp(event, "commit") == 0)
		r->is = DONE;
	if (r->is == TO_DO)
		return 0;
	if (half_undone(r) < 0)
		return -1;
	return r->is == BEGUN ? sql_ledger_steps(db_of(r), r->p->hash, mark_done, r, r->d) : 0;
}

static int learn_backward(struct run *r)
{
	char own[16], event[16];
	int rc = sql_ledger_last(db_of(r), r->p->hash, NULL, own, r->d),
	    of = rc < 0 ? -1 : sql_ledger_last(db_of(r), r->undoes, NULL, event, r->d);
	size_t before = r->d->n;

	if (of <= 0)
		return of < 0 ? -1 : not_applied(r);
	if (strcmp(event, "rollback") == 0) {
		r->is = DONE;
		return 0;
	}
	if (strcmp(event, "undo") == 0)
		return not_applied(r);
	r->is = rc && strcmp(own, "begin") == 0 ? BEGUN : TO_DO;
	if (r->is == BEGUN && sql_ledger_steps(db_of(r), r->p->hash, mark_done, r, r->d) < 0)
		return -1;
	return sql_ledger_steps(db_of(r), r->undoes, mark_was, r, r->d) < 0 || r->d->n > before ? -1 : 0;
}

/* The plan that is undone has the rows: the rollback plan only names its batches. */
static int read_forward(struct run *r)
{
	int rc = r->forward.doc ? 1 : sql_ledger_get_plan(db_of(r), r->undoes, &r->text, r->d);

	if (rc <= 0 || r->forward.doc)
		return rc < 0 ? -1 : rc == 0 ? not_applied(r) : 0;
	if (doc_parse(&r->doc, r->text.s, r->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(r->d, MIG_INVALID, "plan_hash_integrity_failed", r->undoes,
		                "the stored plan is damaged: %s", r->doc.err.reason);
	if (plan_read(&r->forward, &r->doc, 0, "the stored plan", r->d) < 0)
		return -1;
	if (!plan_of_rows(&r->forward) || r->forward.nstep != r->p->nstep)
		return diag_add(r->d, MIG_INVALID, "foreign_plan", r->undoes, "the stored plan is another one");
	r->was = xcalloc(r->forward.nstep, sizeof *r->was);
	r->kept = xcalloc(r->forward.nstep, sizeof *r->kept);
	r->w.plan = &r->forward;
	return 0;
}

/* Inside a transaction: ask the ledger, unless nobody has written to it since. */
static int learn(struct run *r)
{
	struct sql_chain now;

	if (sql_chain_read(&now, db_of(r), r->d) < 0)
		return -1;
	if (r->known && now.seq == r->chain.seq && strcmp(now.head, r->chain.head) == 0)
		return 0;
	r->chain = now;
	memset(r->done, 0, r->p->nstep * sizeof *r->done);
	if (r->p->rollback_mode ? read_forward(r) < 0 || learn_backward(r) < 0 : learn_forward(r) < 0)
		return -1;
	r->known = true;
	return 0;
}

/* ---- what goes into it ---- */

static int note(struct run *r, const char *event, struct text ref)
{
	struct buf backups = BUF_INIT;
	bool step = strcmp(event, "step") == 0;
	struct entry e;

	entry_init(&e, event, r->p, r->c->grant, r->s->user, r->time);
	e.ref = ref;
	if (step && r->w.kept.n) {
		sql_kepts_write(&backups, &r->w.kept);
		e.backups = backups.s;
	}
	if (!step && strcmp(event, "begin") != 0)
		e.duration_ms = elapsed_ms(r);
	int rc = sql_chain_add(&r->chain, db_of(r), &e, r->d);

	buf_release(&backups);
	return rc;
}

static bool nothing_to_do(const struct run *r, size_t i)
{
	return r->is == DONE || r->done[i] || (r->p->rollback_mode && !r->was[undone_by(r, i)]);
}

/* Is there a step from i on that is still to be done? */
static bool more_to_do(const struct run *r, size_t i)
{
	while (i < r->p->nstep && nothing_to_do(r, i))
		i++;
	return i < r->p->nstep;
}

/* What the ledger gets with step i. */
static int write_down(struct run *r, size_t i)
{
	const struct text none = { NULL, 0 };
	size_t n;
	const char *text = doc_span(r->p->doc, r->p->root, &n);

	if (r->is == TO_DO && (db_of(r)->ops->prepare(db_of(r), r->d) < 0 ||
	                       sql_ledger_put_plan(db_of(r), r->p->hash, (struct text){ text, n }, r->d) < 0 ||
	                       note(r, "begin", none) < 0))
		return -1;
	if (note(r, "step", r->p->step[i].step_id) < 0)
		return -1;
	return more_to_do(r, i + 1) ? 0 : note(r, r->p->rollback_mode ? "rollback" : "commit", none);
}

/* ---- a batch ---- */

static void describe(struct run *r, size_t i)
{
	const struct rows_tally *t = &r->w.tally;
	const char *would = r->c->grant->dry_run ? "would " : "";
	enum step_status s = r->c->grant->dry_run ? STEP_SKIPPED : STEP_APPLIED;
	bool deletes = r->w.plan->step[undone_by(r, i)].rows.deletes;

	if (r->p->rollback_mode)
		outcome_set(r->o, i, s, "%sput %" PRId64 " rows back, delete %" PRId64, would, t->added + t->changed,
		            t->deleted);
	else if (deletes)
		outcome_set(r->o, i, s, "%sdelete %" PRId64 " rows; %" PRId64 " were not there", would, t->deleted,
		            t->absent);
	else
		outcome_set(r->o, i, s,
		            "%sput %" PRId64 " rows: %" PRId64 " new, %" PRId64 " changed, %" PRId64 " as they were",
		            would, t->added + t->changed + t->same, t->added, t->changed, t->same);
	rows_tally_add(&r->o->rows, t);
}

/* What the plan says must hold behind step i. */
static int ask_invariants(struct run *r, size_t i)
{
	const struct doc *doc = r->p->doc;
	uint32_t list = r->p->rows.invariants;
	bool end = i + 1 == r->p->nstep && r->p->part == r->p->parts;
	struct invariant v;

	for (uint32_t t = list + 1; list && t < doc->tok[list].next; t = doc->tok[t].next)
		if (invariant_read(&v, doc, t, "header.rows.invariants", NULL, r->d) < 0 ||
		    (invariant_is_for(&v, doc, db_of(r)->ops->dialect) && (v.each_batch || end) &&
		     sql_check_query(db_of(r), doc, t, "invariant", r->d) < 0))
			return -1;
	return 0;
}

static int act(struct run *r, size_t i)
{
	size_t of = undone_by(r, i);

	if (r->p->rollback_mode)
		return sql_batch_undo(&r->w, of, &r->kept[of], r->d);
	return sql_batch_do(&r->w, of, r->d) < 0 ? -1 : ask_invariants(r, i);
}

static void confirm(struct run *r)
{
	r->o->ledger_seq = r->chain.seq;
	memcpy(r->o->ledger_head, r->chain.head, HEX_SIZE);
}

static void drop_backups(struct run *r)
{
	for (size_t i = 0; i < r->w.kept.n; i++)
		if (r->w.kept.v[i].file.rows)
			sql_backup_drop(&r->s->state, &r->w.kept.v[i].file);
	sql_kepts_release(&r->w.kept);
}

/* What a failed COMMIT says of a foreign key does not say which. */
static void name_orphans(struct run *r, size_t first)
{
	struct db *db = db_of(r);

	if (db->ops->trouble(db) != DB_CONSTRAINT)
		return;
	struct diag more = DIAG_INIT;

	if (db->ops->orphans(db, &more) < 0) {
		diag_truncate(r->d, first);
		for (size_t i = 0; i < more.n; i++)
			diag_add(r->d, more.list[i].exit, more.list[i].rule, more.list[i].where, "%s",
			         more.list[i].message);
	}
	diag_release(&more);
}

/* Step i in a transaction; 1: it was done before, or is not to be undone. */
static int attempt(struct run *r, size_t i)
{
	struct db *db = db_of(r);
	size_t first = r->d->n;

	if (db->ops->begin_rows(db, r->d) < 0 || learn(r) < 0)
		return -1;
	if (nothing_to_do(r, i)) {
		db->ops->rollback(db);
		return 1;
	}
	if (act(r, i) < 0 || write_down(r, i) < 0)
		return -1;
	if (db->ops->commit(db, r->d) < 0) {
		name_orphans(r, first);
		return -1;
	}
	confirm(r);
	r->is = BEGUN;
	r->done[i] = true;
	return 0;
}

/* May the same go well in a moment? */
static bool may_pass(struct run *r, size_t first)
{
	enum db_trouble t = db_of(r)->ops->trouble(db_of(r));

	for (size_t i = first; i < r->d->n; i++)
		if (strcmp(r->d->list[i].rule, "changed") == 0 || strcmp(r->d->list[i].rule, "locked") == 0)
			return true;
	return t == DB_TRANSIENT || t == DB_LOST;
}

/* Until it is done, or cannot be, or was tried often enough. */
static int insist(struct run *r, size_t i)
{
	struct db *db = db_of(r);
	size_t first = r->d->n;
	int rc;

	for (unsigned n = 0; (rc = attempt(r, i)) < 0; n++) {
		bool lost = db->ops->trouble(db) == DB_LOST, again = n < r->c->retries && may_pass(r, first);

		db->ops->rollback(db);
		/* a commit that was not answered may have been done, and then its backup is wanted */
		if (!lost)
			drop_backups(r);
		r->known = false;
		if (!again || store_interrupted())
			return -1;
		diag_truncate(r->d, first);
		backoff_pause(n);
	}
	return rc;
}

static int stop_if_told(struct run *r)
{
	return store_interrupted() ? diag_add(r->d, MIG_ERROR, "interrupted", NULL, "stopped by a signal") : 0;
}

static int do_steps(struct run *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->p->nstep; i++) {
		size_t first = r->d->n;

		if (stop_if_told(r) < 0)
			return -1;
		if ((rc = insist(r, i)) < 0) {
			outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
			return -1;
		}
		if (rc == 0)
			describe(r, i);
		else
			outcome_set(r->o, i, STEP_SKIPPED, "%s",
			            r->p->rollback_mode && r->is != DONE && !r->done[i] ? "was never applied"
			            : r->p->rollback_mode                               ? "already rolled back"
			                                                                : "already applied");
		if (rc == 0 && r->c->batch_delay && i + 1 < r->p->nstep)
			backoff_wait(r->c->batch_delay);
	}
	return 0;
}

/* ---- a preview ---- */

static int preview_steps(struct run *r)
{
	struct db *db = db_of(r);

	if (learn(r) < 0)
		return -1;
	for (size_t i = 0; i < r->p->nstep; i++) {
		size_t first = r->d->n;

		if (nothing_to_do(r, i)) {
			outcome_set(r->o, i, STEP_SKIPPED, "%s", "nothing to do");
			continue;
		}
		if (stop_if_told(r) < 0 || act(r, i) < 0) {
			outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
			return -1;
		}
		describe(r, i);
	}
	return r->p->part == r->p->parts ? db->ops->orphans(db, r->d) : 0;
}

static int preview(struct run *r)
{
	struct db *db = db_of(r);

	if (!r->s->preview && db->ops->begin_rows(db, r->d) < 0)
		return -1;
	r->s->preview = true;
	r->w.dry = true;
	if (preview_steps(r) == 0)
		return 0;
	db->ops->rollback(db);
	r->s->preview = false;
	return -1;
}

/* ---- all of it ---- */

static void run_init(struct run *r, struct sql_store *s, const struct plan *p, struct diag *d)
{
	*r = (struct run){ .s = s, .p = p, .d = d, .start = moment_ticks(), .doc = DOC_INIT, .forward = PLAN_INIT };
	r->w = (struct sql_batches){ .db = s->db, .state = &s->state, .tables = &s->tables, .plan = p };
	r->done = xcalloc(p->nstep, sizeof *r->done);
	snprintf(r->undoes, sizeof r->undoes, "%.*s", (int)p->undoes.n, p->undoes.n ? p->undoes.s : "");
}

static void run_release(struct run *r)
{
	for (size_t i = 0; r->kept && i < r->forward.nstep; i++)
		sql_kepts_release(&r->kept[i]);
	free(r->kept);
	free(r->was);
	free(r->done);
	sql_batches_release(&r->w);
	plan_release(&r->forward);
	doc_release(&r->doc);
	buf_release(&r->text);
}

/* A rollback that is to be done as a whole: no row of it may have changed since. */
static int check_undoable(struct run *r)
{
	int rc = learn(r);

	for (size_t i = 0; i < r->p->nstep && rc == 0 && r->is != DONE; i++)
		if (!r->done[i] && r->was[undone_by(r, i)])
			rc = sql_batch_undoable(&r->w, undone_by(r, i), r->d);
	return rc;
}

static int foresee(struct run *r)
{
	struct db *db = db_of(r);

	if (!r->p->rollback_mode)
		return 0;
	int rc = db->ops->begin(db, false, r->d);

	if (rc == 0)
		rc = check_undoable(r);
	db->ops->rollback(db);
	r->known = false;
	return rc;
}

int sql_rows_foresee(struct sql_store *s, const struct plan *p, struct diag *d)
{
	struct run r;

	run_init(&r, s, p, d);
	int rc = foresee(&r);

	run_release(&r);
	return rc;
}

int sql_rows_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                   struct diag *d)
{
	struct run r;

	s->chain.seq = 0; /* what follows moves its end */
	run_init(&r, s, p, d);
	r.c = c;
	r.o = o;
	ledger_time(c->now, r.time);
	o->dry_run = c->grant->dry_run;
	o->started_at = xstrdup(r.time);
	int rc = c->grant->dry_run ? preview(&r) : foresee(&r) < 0 ? -1 : do_steps(&r);

	o->duration_ms = elapsed_ms(&r);
	run_release(&r);
	return rc;
}

int sql_rows_restored(struct sql_store *s, const struct plan *p, struct diag *d)
{
	struct run r;

	run_init(&r, s, p, d);
	int rc = read_forward(&r);

	if (rc == 0)
		rc = sql_ledger_steps(db_of(&r), r.undoes, mark_was, &r, d);
	for (size_t i = 0; i < r.forward.nstep && rc == 0; i++)
		if (r.was[i])
			rc = sql_batch_undone(&r.w, i, &r.kept[i], d);
	run_release(&r);
	return rc;
}

int sql_rows_show(struct sql_store *s, const struct plan *p, const struct step *st,
                  int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d)
{
	struct sql_batches w = { .db = s->db, .state = &s->state, .tables = &s->tables, .plan = p };
	int rc = sql_batch_show(&w, (size_t)(st - p->step), each, arg, d);

	sql_batches_release(&w);
	return rc;
}
