/* sql-rows-run.c -- see sql-rows-run.h */
#include "sql-rows-run.h"

#include "invariants.h"
#include "sql-batch-do.h"
#include "sql-batch-undo.h"
#include "sql-check.h"

#include <inttypes.h>

void sql_rows_run_init(struct sql_rows_run *r, struct sql_store *s, const struct plan *p, const struct apply_ctx *c,
                       struct outcome *o, struct diag *d)
{
	*r = (struct sql_rows_run){ .s = s, .p = p, .c = c, .o = o, .d = d };
	sql_standing_init(&r->standing, s->db, p);
	r->batches = (struct sql_batches){
		.db = s->db,
		.state = &s->state,
		.tables = &s->tables,
		.plan = sql_standing_plan(&r->standing),
		.dry = c && c->grant->dry_run,
	};
}

void sql_rows_run_release(struct sql_rows_run *r)
{
	sql_batches_release(&r->batches);
	sql_standing_release(&r->standing);
}

/* ---- a step ---- */

/* What the plan says must hold behind step i. */
static int ask_invariants(struct sql_rows_run *r, size_t i)
{
	const struct doc *doc = r->p->doc;
	uint32_t list = r->p->rows.invariants;
	bool end = i + 1 == r->p->nstep && r->p->part == r->p->parts;
	struct db *db = r->s->db;
	struct invariant v;

	for (uint32_t t = list + 1; list && t < doc->tok[list].next; t = doc->tok[t].next)
		if (invariant_read(&v, doc, t, "header.rows.invariants", NULL, r->d) < 0 ||
		    (invariant_is_for(&v, doc, db->ops->dialect) && (v.each_batch || end) &&
		     sql_check_query(db, doc, t, "invariant", r->d) < 0))
			return -1;
	return 0;
}

int sql_rows_run_step(struct sql_rows_run *r, size_t i)
{
	size_t at = sql_standing_at(&r->standing, i);

	if (r->p->rollback_mode)
		return sql_batch_undo(&r->batches, at, &r->standing.undone.kept[at], r->d);
	return sql_batch_do(&r->batches, at, r->d) < 0 ? -1 : ask_invariants(r, i);
}

void sql_rows_run_tell(struct sql_rows_run *r, size_t i)
{
	const struct rows_tally *t = &r->batches.tally;
	const char *would = r->c->grant->dry_run ? "would " : "";
	enum step_status s = r->c->grant->dry_run ? STEP_SKIPPED : STEP_APPLIED;

	if (r->p->rollback_mode)
		outcome_set(r->o, i, s, "%sput %" PRId64 " rows back, delete %" PRId64, would, t->added + t->changed,
		            t->deleted);
	else if (r->p->step[i].rows.deletes)
		outcome_set(r->o, i, s, "%sdelete %" PRId64 " rows; %" PRId64 " were not there", would, t->deleted,
		            t->absent);
	else
		outcome_set(r->o, i, s,
		            "%sput %" PRId64 " rows: %" PRId64 " new, %" PRId64 " changed, %" PRId64 " as they were",
		            would, t->added + t->changed + t->same, t->added, t->changed, t->same);
	rows_tally_add(&r->o->rows, t);
}

void sql_rows_run_failed(struct sql_rows_run *r, size_t i, size_t first)
{
	outcome_set(r->o, i, STEP_FAILED, "%s", r->d->list[first].message);
}

int sql_rows_run_may_go_on(struct sql_rows_run *r)
{
	return store_interrupted() ? diag_add(r->d, MIG_ERROR, "interrupted", NULL, "stopped by a signal") : 0;
}

/* ---- all steps ---- */

static int check_undoable(struct sql_rows_run *r)
{
	struct sql_standing *s = &r->standing;
	int rc = sql_standing_learn(s, r->d);

	for (size_t i = 0; i < r->p->nstep && rc == 0; i++)
		if (!sql_standing_idle(s, i))
			rc = sql_batch_undoable(&r->batches, sql_standing_at(s, i), r->d);
	return rc;
}

int sql_rows_run_foresee(struct sql_rows_run *r)
{
	struct db *db = r->s->db;

	if (!r->p->rollback_mode)
		return 0;
	int rc = db->ops->begin(db, false, r->d) < 0 ? -1 : check_undoable(r);

	db->ops->rollback(db);
	sql_standing_forget(&r->standing);
	return rc;
}
