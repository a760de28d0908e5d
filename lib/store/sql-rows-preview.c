/* sql-rows-preview.c -- see sql-rows-preview.h */
#include "sql-rows-preview.h"

static int preview_step(struct sql_rows_run *r, size_t i)
{
	size_t first = r->d->n;

	if (sql_standing_idle(&r->standing, i)) {
		outcome_set(r->o, i, STEP_SKIPPED, "%s", "nothing to do");
		return 0;
	}
	if (sql_rows_run_may_go_on(r) < 0 || sql_rows_run_step(r, i) < 0) {
		sql_rows_run_failed(r, i, first);
		return -1;
	}
	sql_rows_run_tell(r, i);
	return 0;
}

static int preview_steps(struct sql_rows_run *r)
{
	struct db *db = r->s->db;

	if (sql_standing_learn(&r->standing, r->d) < 0)
		return -1;
	for (size_t i = 0; i < r->p->nstep; i++)
		if (preview_step(r, i) < 0)
			return -1;
	/* parts may link to those after them */
	return r->p->part == r->p->parts ? db->ops->orphans(db, r->d) : 0;
}

int sql_rows_preview(struct sql_rows_run *r)
{
	struct db *db = r->s->db;

	if (!r->s->preview && db->ops->begin_rows(db, r->d) < 0)
		return -1;
	r->s->preview = true;
	if (preview_steps(r) == 0)
		return 0;
	db->ops->rollback(db);
	r->s->preview = false;
	return -1;
}
