/* schema-live.c -- see schema-live.h */
#include "schema-live.h"

#include <stdlib.h>

static const struct member live_members[] = { { "tables", IS_ARR }, { "views", IS_ARR }, { NULL, 0 } };
static const struct member view_members[] = {
	{ "definition", IS_STR }, { "depends", IS_ARR }, { "materialized", IS_BOOL }, { "name", IS_STR }, { NULL, 0 }
};

void live_release(struct live *l)
{
	names_release(&l->table);
	names_release(&l->views);
	for (size_t i = 0; i < l->nview; i++) {
		for (size_t k = 0; k < l->view[i].ndepends; k++)
			free(l->view[i].depends[k]);
		free(l->view[i].depends);
		free(l->view[i].name);
		free(l->view[i].definition);
	}
	free(l->view);
	for (size_t i = 0; i < l->nowned; i++)
		free(l->owned[i]);
	free(l->owned);
	*l = (struct live)LIVE_INIT;
}

/* A string that lives as long as l does. */
static char *keep(struct live *l, char *s)
{
	if (!(l->nowned & (l->nowned + 1)))
		l->owned = xrealloc(l->owned, l->nowned * 2 + 2, sizeof *l->owned);
	l->owned[l->nowned++] = s;
	return s;
}

static int read_tables(struct live *l, uint32_t tables, const char *where, struct diag *d)
{
	const struct doc *doc = l->doc;
	uint32_t t = tables + 1;

	for (uint32_t i = 0; i < doc->tok[tables].n; i++, t = doc->tok[t].next) {
		char *name = record_dup(doc, doc_member(doc, t, "name", 4));

		if (!name)
			return diag_add(d, MIG_USAGE, "bad_record", where, "a live table has no \"name\"");
		names_add(&l->table, name_text(keep(l, name)), (int32_t)t);
		l->ntable++;
	}
	return 0;
}

static int read_views(struct live *l, uint32_t views, const char *where, struct diag *d)
{
	const struct doc *doc = l->doc;
	uint32_t t = views + 1, tok[4];

	l->view = xcalloc(doc->tok[views].n + 1, sizeof *l->view);
	for (uint32_t i = 0; i < doc->tok[views].n; i++, t = doc->tok[t].next) {
		struct live_view *v = &l->view[l->nview];

		if (shape_check(doc, t, view_members, tok, "a live view", where, d) < 0)
			return -1;
		l->nview++;
		v->definition = record_dup(doc, tok[0]);
		v->materialized = doc->tok[tok[2]].type == DOC_TRUE;
		v->name = record_dup(doc, tok[3]);
		v->depends = xcalloc(doc->tok[tok[1]].n + 1, sizeof *v->depends);
		for (uint32_t e = tok[1] + 1; e < doc->tok[tok[1]].next; e = doc->tok[e].next)
			if (doc->tok[e].type == DOC_STRING)
				v->depends[v->ndepends++] = record_dup(doc, e);
		names_add(&l->views, name_text(v->name), (int32_t)i);
	}
	return 0;
}

int live_read(struct live *l, const struct doc *doc, uint32_t t, uint32_t estimates, const char *where, struct diag *d)
{
	uint32_t tok[2];

	l->doc = doc;
	l->estimates = estimates;
	if (shape_check(doc, t, live_members, tok, "live", where, d) < 0)
		return -1;
	return read_tables(l, tok[0], where, d) < 0 || read_views(l, tok[1], where, d) < 0 ? -1 : 0;
}

uint32_t live_table(const struct live *l, const char *name)
{
	int32_t t = names_get(&l->table, name_text(name));

	return t == NAMES_NONE ? DOC_NONE : (uint32_t)t;
}

int64_t live_rows(const struct live *l, const char *table)
{
	int64_t n;
	uint32_t t = l->estimates == DOC_NONE ? DOC_NONE : doc_member(l->doc, l->estimates, table, strlen(table));

	return t != DOC_NONE && l->doc->tok[t].type == DOC_NUMBER && doc_int(l->doc, t, &n) && n >= 0 ? n : -1;
}

char **live_columns(struct live *l, uint32_t table, size_t *n)
{
	const struct doc *doc = l->doc;
	uint32_t a = doc_member(doc, table, "columns", 7);
	char **v;

	*n = 0;
	if (a == DOC_NONE || doc->tok[a].type != DOC_ARRAY)
		return NULL;
	v = xcalloc(doc->tok[a].n + 1, sizeof *v);
	for (uint32_t e = a + 1; e < doc->tok[a].next; e = doc->tok[e].next) {
		char *s = record_dup(doc, doc_member(doc, e, "name", 4));

		if (s)
			v[(*n)++] = keep(l, s);
	}
	return v;
}

uint32_t live_next(const struct live *l, uint32_t table, const char *member, uint32_t t)
{
	uint32_t a = doc_member(l->doc, table, member, strlen(member));

	if (a == DOC_NONE || l->doc->tok[a].type != DOC_ARRAY)
		return DOC_NONE;
	t = t == DOC_NONE ? a + 1 : l->doc->tok[t].next;
	return t < l->doc->tok[a].next ? t : DOC_NONE;
}
