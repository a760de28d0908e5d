/* sql-batch.c -- see sql-batch.h */
#include "sql-batch.h"

#include "rowref.h"

#include <stdlib.h>

void sql_batches_release(struct sql_batches *all)
{
	sql_kepts_release(&all->kept);
}

int sql_batch_open(struct sql_batch *b, struct sql_batches *all, size_t i, struct diag *d)
{
	const struct step *s = &all->plan->step[i];

	*b = (struct sql_batch){ .all = all, .d = d, .step = s, .ops = row_ops_of(all->db) };
	b->work = (struct row_work){ .db = all->db, .doc = all->plan->doc, .d = d };
	b->need = xcalloc(s->rows.n, sizeof *b->need);
	b->there = xcalloc(s->rows.n, sizeof *b->there);
	b->same = xcalloc(s->rows.n, sizeof *b->same);
	all->tally = (struct rows_tally){ .added = 0 };
	sql_kepts_release(&all->kept);
	return row_groups_make(&b->groups, all->tables, all->db, all->plan->doc, &s->rows, d);
}

void sql_batch_close(struct sql_batch *b)
{
	row_groups_release(&b->groups);
	row_work_release(&b->work);
	buf_release(&b->differs);
	free(b->need);
	free(b->there);
	free(b->same);
}

/* ---- looking ---- */

static void name_fields(struct sql_batch *b, size_t place, const struct row_seen *seen)
{
	b->differs_at = place;
	for (size_t k = 0; k < b->g->nfield; k++)
		if (!seen->same[k])
			buf_addf(&b->differs, "%s%.*s", b->differs.len ? ", " : "", (int)b->g->field[k].name.n,
			         b->g->field[k].name.s);
}

static int take_seen(void *arg, size_t i, const struct row_seen *seen)
{
	struct sql_batch *b = arg;
	size_t place = b->g->place[i];
	bool same = seen->there;

	for (size_t k = 0; k < b->g->nfield && same; k++)
		same = seen->same[k];
	b->there[place] = seen->there;
	b->same[place] = same;
	if (seen->there && !same && !b->differs.len)
		name_fields(b, place, seen);
	return 0;
}

int sql_batch_look(struct sql_batch *b, bool hold)
{
	buf_reset(&b->differs);
	for (size_t i = 0; i < b->groups.n; i++) {
		b->g = &b->groups.v[i];
		if ((hold && b->ops->hold(&b->work, b->g) < 0) || b->ops->look(&b->work, b->g, false, take_seen, b) < 0)
			return -1;
	}
	return 0;
}

/* ---- expecting ---- */

/* The row that is not as it should be, and in what. */
static int complain(const struct sql_batch *b, uint32_t action, size_t place, const char *rule, const char *said)
{
	const char *is = b->step->rows.deletes ? "is still there"
	                 : !b->there[place]    ? "is not there"
	                                       : "holds another value";
	bool named = !b->step->rows.deletes && b->there[place] && place == b->differs_at;
	struct buf arena = BUF_INIT, ref = BUF_INIT;
	struct row_action a = row_action_at(b->work.doc, action, &arena);

	rowref_write(&ref, a.entity, a.id);
	if (named)
		diag_add(b->d, MIG_INVALID, rule, ref.s, "the row %s (%s), not as the plan %s", is, b->differs.s, said);
	else
		diag_add(b->d, MIG_INVALID, rule, ref.s, "the row %s, not as the plan %s", is, said);
	buf_release(&arena);
	buf_release(&ref);
	return -1;
}

int sql_batch_expect(const struct sql_batch *b, const char *rule, const char *said)
{
	for (size_t i = 0; i < b->groups.n; i++) {
		const struct row_group *g = &b->groups.v[i];

		for (size_t k = 0; k < g->n; k++) {
			size_t place = g->place[k];

			if (b->step->rows.deletes ? b->there[place] : !b->same[place])
				return complain(b, g->action[k], place, rule, said);
		}
	}
	return 0;
}
