/* sql-batch-table.c -- see sql-batch-table.h */
#include "sql-batch-table.h"

#include <stdlib.h>

size_t sql_batch_next(const struct sql_batch *b, size_t i)
{
	const struct row_table *table = b->groups.v[i].table;

	while (++i < b->groups.n && b->groups.v[i].table != table)
		;
	return i;
}

bool sql_batch_is_first(const struct sql_batch *b, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (b->groups.v[k].table == b->groups.v[i].table)
			return false;
	return true;
}

bool sql_batch_is_only(const struct sql_batch *b, size_t i)
{
	return sql_batch_is_first(b, i) && sql_batch_next(b, i) == b->groups.n;
}

struct sql_rows table_rows(const struct row_group *g, bool all)
{
	const struct row_table *t = g->table;
	struct sql_rows r = { .table = t->name, .nkey = 1 };

	r.key = xcalloc(1, sizeof *r.key);
	r.key[0] = t->key;
	r.column = xcalloc(all ? t->n : g->nfield, sizeof *r.column);
	if (all) {
		for (size_t i = 0; i < t->n; i++)
			if (!t->column[i].generated)
				r.column[r.ncolumn++] = t->column[i].name;
	} else {
		for (size_t i = 0; (i = row_field_next(g, i)) < g->nfield; i++)
			r.column[r.ncolumn++] = g->field[i].column->name;
	}
	return r;
}

void table_rows_release(struct sql_rows *r)
{
	free(r->key);
	free(r->column);
	free(r->where);
}

char *sql_batch_where(struct sql_batch *b, size_t i, size_t end, const bool *which)
{
	struct buf sql = BUF_INIT;
	bool any = false;

	db_name(&sql, b->groups.v[i].table->key);
	buf_addstr(&sql, " IN (");
	for (; i < end; i = sql_batch_next(b, i)) {
		const struct row_group *g = &b->groups.v[i];

		for (size_t r = 0; r < g->n; r++) {
			if (!which[g->place[r]])
				continue;
			buf_addstr(&sql, any ? ", " : "");
			db_literal(&sql, row_action_at(b->work.doc, g->action[r], &b->work.id).id);
			any = true;
		}
	}
	buf_addch(&sql, ')');
	if (any)
		return buf_steal(&sql);
	buf_release(&sql);
	return NULL;
}

char *sql_batch_backup(const struct sql_batch *b, const struct row_table *t)
{
	return xasprintf("%.*s:%s", (int)b->step->rows.backup.n, b->step->rows.backup.s, t->name);
}
