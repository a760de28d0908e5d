/* row-work.c -- what the dialects of row-work.h share */
#include "row-work.h"

#include "rowref.h"

#include <stdlib.h>

const struct row_ops *row_ops_of(const struct db *db)
{
	return strcmp(db->ops->dialect, "postgresql") == 0 ? &row_postgresql : &row_sqlite;
}

void row_work_release(struct row_work *w)
{
	buf_release(&w->sql);
	buf_release(&w->arena);
	buf_release(&w->id);
	buf_release(&w->json);
	free(w->value);
	w->value = NULL;
	w->room = 0;
}

int row_work_values(struct row_work *w, const struct row_group *g, size_t i)
{
	if (g->nfield > w->room) {
		w->room = g->nfield;
		w->value = xrealloc(w->value, w->room, sizeof *w->value);
	}
	return row_group_values(g, w->doc, g->action[i], w->value, w->d);
}

size_t row_field_next(const struct row_group *g, size_t i)
{
	while (i < g->nfield && !g->field[i].column)
		i++;
	return i;
}

int row_bad_id(struct row_work *w, const struct row_group *g, size_t i, struct text is)
{
	struct buf arena = BUF_INIT, ref = BUF_INIT;
	struct row_action a = row_action_at(w->doc, g->action[i], &arena);

	rowref_write(&ref, a.entity, a.id);
	diag_add(w->d, MIG_INVALID, "bad_id", ref.s, "the key of the table spells this id %.*s", (int)is.n,
	         is.n ? is.s : "");
	buf_release(&arena);
	buf_release(&ref);
	return -1;
}
