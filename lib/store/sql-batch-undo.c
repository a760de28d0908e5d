/* sql-batch-undo.c -- see sql-batch-undo.h */
#include "sql-batch-undo.h"

#include "sql-batch-table.h"
#include "sql-restore.h"

#include <inttypes.h>
#include <stdlib.h>

/* A batch on its way back. */
struct undoing {
	struct sql_batch b;
	const struct sql_kepts *kept;
	bool *was; /* of each row, by its place: was it there before the batch? */
};

static int begin(struct undoing *u, struct sql_batches *all, size_t i, const struct sql_kepts *kept, struct diag *d)
{
	u->kept = kept;
	u->was = xcalloc(all->plan->step[i].rows.n, sizeof *u->was);
	return sql_batch_open(&u->b, all, i, d);
}

static void end(struct undoing *u)
{
	sql_batch_close(&u->b);
	free(u->was);
}

/* ---- recalling ---- */

/* The ids that a backup holds, sorted. */
struct ids {
	char **v;
	size_t n, cap;
};

static void add_id(void *arg, struct text id)
{
	struct ids *x = arg;

	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 64;
		x->v = xrealloc(x->v, x->cap, sizeof *x->v);
	}
	x->v[x->n++] = xmemdup(id.s ? id.s : "", id.n);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_id(const struct ids *x, struct text id)
{
	char *key = xmemdup(id.s, id.n);
	bool has = x->n && bsearch(&key, x->v, x->n, sizeof *x->v, by_text);

	free(key);
	return has;
}

static void ids_release(struct ids *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i]);
	free(x->v);
}

/* The backup of the table of which first is the first group, and in u->was which of its rows it holds; or NULL. */
static const struct sql_backup *recall(struct undoing *u, size_t first)
{
	struct sql_batch *b = &u->b;
	const struct row_table *table = b->groups.v[first].table;
	char *name = sql_batch_backup(b, table);
	const struct sql_backup *file = sql_kepts_find(u->kept, name);
	struct ids ids = { .v = NULL };

	if (!file)
		diag_add(b->d, MIG_PRECONDITION, "backup_missing", name, "the ledger knows of no backup of its rows");
	else if (sql_backup_keys(b->all->state, table->key, file, add_id, &ids, b->d) < 0)
		file = NULL;
	free(name);
	if (ids.n)
		qsort(ids.v, ids.n, sizeof *ids.v, by_text);
	for (size_t k = first; file && k < b->groups.n; k = sql_batch_next(b, k)) {
		const struct row_group *g = &b->groups.v[k];

		for (size_t i = 0; i < g->n; i++)
			u->was[g->place[i]] = has_id(&ids, row_action_at(b->work.doc, g->action[i], &b->work.id).id);
	}
	ids_release(&ids);
	return file;
}

/* ---- putting back ---- */

/* Delete the rows that a group has made. */
static int take_back(struct undoing *u, const struct row_group *g)
{
	struct sql_batch *b = &u->b;

	for (size_t i = 0; i < g->n; i++) {
		bool was = u->was[g->place[i]];

		b->need[i] = was ? ROW_NOTHING : ROW_DELETE;
		b->all->tally.deleted += !was;
		b->all->tally.changed += was;
	}
	return b->ops->write(&b->work, g, b->need);
}

/*
 * Bring those rows of a backup back that group i has written, as far as it has, or ask
 * whether they are: found is counted up by those that are.
 */
static int restore(struct undoing *u, size_t i, const struct sql_backup *file, enum sql_restore how, int64_t *found)
{
	struct sql_batch *b = &u->b;
	bool only = sql_batch_is_only(b, i);
	struct sql_rows rows = table_rows(&b->groups.v[i], b->step->rows.deletes);
	int rc = 0;

	rows.where = only ? NULL : sql_batch_where(b, i, i + 1, u->was);
	bool any = (only || rows.where) && (rows.ncolumn || how == RESTORE_COMPARE);

	if (any)
		rc = sql_backup_restore(b->all->state, b->all->db, &rows, file, how, found, b->d);
	table_rows_release(&rows);
	return rc;
}

static int undo_deletes(struct undoing *u, size_t first, const struct sql_backup *file)
{
	u->b.all->tally.added += file->rows;
	return restore(u, first, file, RESTORE_INSERT, NULL);
}

static int undo_puts(struct undoing *u, size_t first, const struct sql_backup *file)
{
	struct sql_batch *b = &u->b;
	int rc = 0;

	for (size_t k = b->groups.n; k-- > first && rc == 0;)
		if (b->groups.v[k].table == b->groups.v[first].table)
			rc = take_back(u, &b->groups.v[k]);
	for (size_t k = first; k < b->groups.n && rc == 0; k = sql_batch_next(b, k))
		rc = restore(u, k, file, RESTORE_UPDATE, NULL);
	return rc;
}

/* ---- looking whether they are back ---- */

/* What was there before must hold again what the backup says. */
static int expect_back(struct undoing *u, size_t first, const struct sql_backup *file)
{
	const struct sql_batch *b = &u->b;
	int64_t found = 0;

	for (size_t k = first; k < b->groups.n; k = sql_batch_next(b, k))
		if (restore(u, k, file, RESTORE_COMPARE, &found) < 0)
			return -1;
	if (found == file->rows)
		return 0;
	return diag_add(b->d, MIG_INVALID, "not_restored", b->groups.v[first].table->name,
	                "%" PRId64 " of %" PRId64 " rows are not what the backup holds", file->rows - found,
	                file->rows);
}

/* What was not there before must be gone. */
static int expect_gone(struct undoing *u)
{
	size_t n = u->b.step->rows.n, wrong = 0;

	if (sql_batch_look(&u->b, false) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		wrong += u->was[i] != u->b.there[i];
	if (wrong == 0)
		return 0;
	return diag_add(u->b.d, MIG_INVALID, "not_restored", NULL, "%zu rows are not as they were before the batch",
	                wrong);
}

/* ---- all of it ---- */

/* Table by table, the last one first; only_look: change nothing. */
static int go_back(struct undoing *u, bool only_look)
{
	struct sql_batch *b = &u->b;
	int rc = 0;

	for (size_t k = b->groups.n; k-- > 0 && rc == 0;) {
		if (!sql_batch_is_first(b, k))
			continue;
		const struct sql_backup *file = recall(u, k);

		if (!file)
			return -1;
		if (!only_look)
			rc = b->step->rows.deletes ? undo_deletes(u, k, file) : undo_puts(u, k, file);
		if (rc == 0)
			rc = expect_back(u, k, file);
	}
	return rc < 0 ? -1 : expect_gone(u);
}

static int expect_left(struct sql_batch *b, bool hold)
{
	return sql_batch_look(b, hold) < 0 ? -1 : sql_batch_expect(b, "drift", "left it");
}

int sql_batch_undoable(struct sql_batches *all, size_t i, struct diag *d)
{
	struct sql_batch b;
	int rc = sql_batch_open(&b, all, i, d) < 0 ? -1 : expect_left(&b, false);

	sql_batch_close(&b);
	return rc;
}

int sql_batch_undo(struct sql_batches *all, size_t i, const struct sql_kepts *kept, struct diag *d)
{
	struct undoing u;
	int rc = begin(&u, all, i, kept, d);

	if (rc == 0)
		rc = expect_left(&u.b, true);
	if (rc == 0)
		rc = go_back(&u, false);
	end(&u);
	return rc;
}

int sql_batch_undone(struct sql_batches *all, size_t i, const struct sql_kepts *kept, struct diag *d)
{
	struct undoing u;
	int rc = begin(&u, all, i, kept, d) < 0 ? -1 : go_back(&u, true);

	end(&u);
	return rc;
}
