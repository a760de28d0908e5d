/* sql-rows-check.c -- see sql-rows-check.h */
#include "sql-rows-check.h"

#include "sql-batch-show.h"
#include "sql-batch-undo.h"
#include "sql-rows-run.h"

int sql_rows_foresee(struct sql_store *s, const struct plan *p, struct diag *d)
{
	struct sql_rows_run r;

	sql_rows_run_init(&r, s, p, NULL, NULL, d);
	int rc = sql_rows_run_foresee(&r);

	sql_rows_run_release(&r);
	return rc;
}

int sql_rows_restored(struct sql_store *s, const struct plan *p, struct diag *d)
{
	struct sql_rows_run r;
	const struct sql_undone *u = &r.standing.undone;

	sql_rows_run_init(&r, s, p, NULL, NULL, d);
	int rc = sql_standing_recall(&r.standing, d);

	for (size_t i = 0; rc == 0 && i < u->plan.nstep; i++)
		if (u->was[i])
			rc = sql_batch_undone(&r.batches, i, &u->kept[i], d);
	sql_rows_run_release(&r);
	return rc;
}

int sql_rows_look(struct sql_store *s, const struct plan *p, const struct step *st,
                  int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d)
{
	struct sql_batches all = { .db = s->db, .state = &s->state, .tables = &s->tables, .plan = p };
	int rc = sql_batch_show(&all, (size_t)(st - p->step), each, arg, d);

	sql_batches_release(&all);
	return rc;
}
