/* sql-batch-do.c -- see sql-batch-do.h */
#include "sql-batch-do.h"

#include "sql-batch-table.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- keeping ---- */

/* What is there of the rows of i's table goes into a file; where nothing is, there is no file. */
static int keep_table(struct sql_batch *b, size_t i, unsigned number)
{
	struct sql_batches *all = b->all;
	const struct row_group *g = &b->groups.v[i];
	struct sql_rows rows = table_rows(g, true);
	struct sql_backup file = { .rows = 0 };
	int rc = 0;

	snprintf(file.name, sizeof file.name, "%.16s.%" PRId64 ".%u.ndjson", all->plan->hash, b->step->index, number);
	digest_hex("", 0, file.hash);
	rows.where = sql_batch_where(b, i, b->groups.n, b->there);
	if (rows.where)
		rc = sql_backup_write(all->state, all->db, &rows, &file, false, b->d);
	table_rows_release(&rows);
	if (rc == 0)
		sql_kepts_add(&all->kept, &file, sql_batch_backup(b, g->table));
	return rc;
}

static int keep(struct sql_batch *b)
{
	unsigned number = 0;

	for (size_t i = 0; i < b->groups.n; i++)
		if (sql_batch_is_first(b, i) && keep_table(b, i, ++number) < 0)
			return -1;
	return 0;
}

/* ---- writing ---- */

static enum row_need need_of(const struct sql_batch *b, size_t place)
{
	if (b->step->rows.deletes)
		return b->there[place] ? ROW_DELETE : ROW_NOTHING;
	return !b->there[place] ? ROW_INSERT : b->same[place] ? ROW_NOTHING : ROW_UPDATE;
}

static void count(struct rows_tally *t, bool deletes, enum row_need need)
{
	if (deletes) {
		t->deleted += need == ROW_DELETE;
		t->absent += need == ROW_NOTHING;
	} else {
		t->added += need == ROW_INSERT;
		t->changed += need == ROW_UPDATE;
		t->same += need == ROW_NOTHING;
	}
}

static int write_group(struct sql_batch *b, const struct row_group *g)
{
	struct rows_tally *t = &b->all->tally;

	for (size_t i = 0; i < g->n; i++) {
		b->need[i] = need_of(b, g->place[i]);
		count(t, b->step->rows.deletes, b->need[i]);
	}
	for (size_t k = 0; k < g->nfield; k++)
		t->links += g->field[k].link ? (int64_t)g->n : 0;
	return b->ops->write(&b->work, g, b->need);
}

/* ---- all of it ---- */

static bool any_there(const struct sql_batch *b)
{
	for (size_t i = 0; i < b->step->rows.n; i++)
		if (b->there[i])
			return true;
	return false;
}

static int do_rows(struct sql_batch *b)
{
	if (sql_batch_look(b, false) < 0)
		return -1;
	/* what is there is held, and may have changed until then; what comes meanwhile is noticed as it is written */
	if (any_there(b) && sql_batch_look(b, true) < 0)
		return -1;
	if (!b->all->dry && keep(b) < 0)
		return -1;
	for (size_t i = 0; i < b->groups.n; i++)
		if (write_group(b, &b->groups.v[i]) < 0)
			return -1;
	return sql_batch_look(b, false) < 0 ? -1 : sql_batch_expect(b, "not_as_planned", "has it");
}

int sql_batch_do(struct sql_batches *all, size_t i, struct diag *d)
{
	struct sql_batch b;
	int rc = sql_batch_open(&b, all, i, d) < 0 ? -1 : do_rows(&b);

	sql_batch_close(&b);
	return rc;
}
