/* draft.c -- see draft.h */
#include "draft.h"

#include "sqlname.h"

#include <stdlib.h>

static int compare_table(const void *name, const void *entry)
{
	return strcmp(name, ((const struct table_name *)entry)->name);
}

struct table *draft_table(const struct draft *b, const char *name, size_t *i)
{
	char *snake = sqlname_snake((struct text){ name, strlen(name) });
	const struct table_name *found =
		b->nnames ? bsearch(snake, b->by_name, b->nnames, sizeof *b->by_name, compare_table) : NULL;

	free(snake);
	if (!found)
		return NULL;
	*i = found->table;
	return &b->m->table[found->table];
}

struct column *table_column(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		if (strcmp(t->column[i].name, name) == 0)
			return &t->column[i];
	return NULL;
}

char *draft_name(const char *a, const char *b, const char *c)
{
	struct buf name = BUF_INIT;

	buf_addstr(&name, a);
	for (size_t i = 0; i < 2; i++) {
		const char *part = i ? c : b;

		if (!part)
			continue;
		buf_addch(&name, '_');
		buf_addstr(&name, part);
	}
	return sqlname_fit(&name, SQLNAME_MAX);
}

struct column *draft_column(struct table *t, char *name, const char *type)
{
	struct column *c = &MORE(t->column, t->ncolumn);

	*c = (struct column){ .name = name, .field_type = "", .type = xstrdup(type) };
	return c;
}
