/* model.c -- see model.h */
#include "model.h"

#include <stdlib.h>

static void free_texts(char **list, size_t n)
{
	while (n)
		free(list[--n]);
	free(list);
}

static void free_keys(struct table *t)
{
	for (size_t i = 0; i < t->nunique; i++) {
		free(t->unique[i].name);
		free_texts(t->unique[i].column, t->unique[i].n);
	}
	for (size_t i = 0; i < t->nfkey; i++) {
		free(t->fkey[i].name);
		free(t->fkey[i].table);
		free_texts(t->fkey[i].column, t->fkey[i].n);
		free_texts(t->fkey[i].references, t->fkey[i].n);
	}
	for (size_t i = 0; i < t->nindex; i++) {
		free(t->index[i].name);
		free(t->index[i].method);
		free(t->index[i].where);
		free_texts(t->index[i].column, t->index[i].n);
	}
	free(t->primary.name);
	free_texts(t->primary.column, t->primary.n);
	free(t->unique);
	free(t->fkey);
	free(t->index);
}

static void free_checks(struct table *t)
{
	for (size_t i = 0; i < t->ncheck; i++) {
		struct check *c = &t->check[i];

		free(c->name);
		free(c->column);
		free(c->min);
		free(c->max);
		free(c->text);
		free_texts(c->option, c->noption);
	}
	free(t->check);
}

static void free_table(struct table *t)
{
	for (size_t i = 0; i < t->ncolumn; i++) {
		free(t->column[i].name);
		free(t->column[i].type);
		free(t->column[i].def_text);
	}
	for (size_t i = 0; i < t->npolicy; i++) {
		free(t->policy[i].name);
		free(t->policy[i].using_);
		free(t->policy[i].with_check);
	}
	for (size_t i = 0; i < t->nview; i++) {
		free(t->view[i].name);
		free(t->view[i].query);
	}
	free_keys(t);
	free_checks(t);
	free(t->column);
	free(t->policy);
	free(t->view);
	free(t->name);
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->ntable; i++)
		free_table(&m->table[i]);
	free(m->table);
	free(m->name);
	free(m->schema);
	free(m);
}

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

char *model_type(const char *type, enum dialect dialect)
{
	size_t n = strlen(type);

	if (dialect == DIALECT_POSTGRESQL)
		return xstrdup(type);
	if (n > 2 && strcmp(type + n - 2, "[]") == 0)
		return xstrdup("TEXT");
	if (begins(type, "NUMERIC") || begins(type, "DECIMAL"))
		return xstrdup("NUMERIC");
	if (strcmp(type, "INTEGER") == 0 || strcmp(type, "BIGINT") == 0 || strcmp(type, "SERIAL") == 0 ||
	    strcmp(type, "BIGSERIAL") == 0 || strcmp(type, "BOOLEAN") == 0 || strcmp(type, "INTERVAL") == 0)
		return xstrdup("INTEGER");
	return xstrdup("TEXT");
}
