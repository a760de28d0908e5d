/* sqlite-live.c -- see sqlite-live.h */
#include "sqlite-live.h"

#include "record.h"
#include "sqlite-catalog.h"

#include <stdlib.h>
#include <strings.h>

static void add_checks(struct ltable *t)
{
	const struct created *c;

	for (size_t i = 0; (c = ltable_created(t, CREATED_CHECK, i)); i++) {
		struct buf json = BUF_INIT;
		struct rec w;

		rec_open(&w, &json);
		rec_cstr(&w, "expression", c->text);
		rec_cstr(&w, "name", c->name);
		rec_close(&w);
		items_add(&t->list[L_CHECKS], c->name, &json);
	}
}

static void put_items(struct rec *w, const char *name, struct items *l)
{
	items_sort(l);
	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_addch(w->b, ',');
		buf_addstr(w->b, l->v[i].json);
	}
	buf_addch(w->b, ']');
}

static void put_table(struct buf *out, struct ltable *t)
{
	struct rec w;

	add_checks(t);
	rec_open(&w, out);
	put_items(&w, "checks", &t->list[L_CHECKS]);
	rec_name(&w, "columns");
	buf_addch(out, '[');
	buf_add(out, t->columns.s, t->columns.len);
	buf_addch(out, ']');
	put_items(&w, "foreign_keys", &t->list[L_FKEYS]);
	put_items(&w, "indexes", &t->list[L_INDEXES]);
	rec_cstr(&w, "name", t->name);
	rec_raw(&w, "policies", "[]", 2);
	rec_name(&w, "primary_key");
	buf_addch(out, '[');
	for (size_t i = 0; i < t->nkey; i++) {
		if (i)
			buf_addch(out, ',');
		canon_string(out, t->key[i] ? t->key[i] : "", t->key[i] ? strlen(t->key[i]) : 0);
	}
	buf_addch(out, ']');
	rec_bool(&w, "rls", false);
	put_items(&w, "triggers", &t->list[L_TRIGGERS]);
	put_items(&w, "uniques", &t->list[L_UNIQUES]);
	rec_close(&w);
}

struct depending {
	const struct catalog *l;
	const struct lview *v;
	bool *table, *view;
};

/* A word that is the name of a table or another view is taken for it. */
static void depend(void *arg, struct text word)
{
	struct depending *p = arg;

	for (size_t i = 0; i < p->l->ntable; i++)
		if (strlen(p->l->table[i].name) == word.n && strncasecmp(p->l->table[i].name, word.s, word.n) == 0)
			p->table[i] = true;
	for (size_t i = 0; i < p->l->nview; i++)
		if (&p->l->view[i] != p->v && strlen(p->l->view[i].name) == word.n &&
		    strncasecmp(p->l->view[i].name, word.s, word.n) == 0)
			p->view[i] = true;
}

/* The names that are marked, tables and views together in order. */
static void put_depends(struct buf *out, const struct depending *p)
{
	size_t t = 0, v = 0, n = 0;

	buf_addch(out, '[');
	for (;;) {
		while (t < p->l->ntable && !p->table[t])
			t++;
		while (v < p->l->nview && !p->view[v])
			v++;
		const char *a = t < p->l->ntable ? p->l->table[t].name : NULL;
		const char *b = v < p->l->nview ? p->l->view[v].name : NULL;

		if (!a && !b)
			break;
		if (n++)
			buf_addch(out, ',');
		const char *first = !b || (a && strcmp(a, b) < 0) ? a : b;

		canon_string(out, first, strlen(first));
		if (first == a)
			t++;
		else
			v++;
	}
	buf_addch(out, ']');
}

static void put_view(struct buf *out, const struct catalog *l, const struct lview *v)
{
	struct depending p = { l, v, xcalloc(l->ntable, 1), xcalloc(l->nview, 1) };
	struct rec w;

	created_words(v->sql, depend, &p);
	rec_open(&w, out);
	rec_cstr(&w, "definition", v->sql);
	rec_name(&w, "depends");
	put_depends(out, &p);
	rec_bool(&w, "materialized", false);
	rec_cstr(&w, "name", v->name);
	rec_close(&w);
	free(p.table);
	free(p.view);
}

static void put_live(struct buf *out, struct catalog *l)
{
	buf_addstr(out, "{\"tables\":[");
	for (size_t i = 0; i < l->ntable; i++) {
		if (i)
			buf_addch(out, ',');
		put_table(out, &l->table[i]);
	}
	buf_addstr(out, "],\"views\":[");
	for (size_t i = 0; i < l->nview; i++) {
		if (i)
			buf_addch(out, ',');
		put_view(out, l, &l->view[i]);
	}
	buf_addstr(out, "]}");
}

int sqlite_live(struct db *db, struct buf *out, struct diag *d)
{
	struct catalog l;
	int rc = catalog_read(&l, db, d);

	if (rc == 0)
		put_live(out, &l);
	catalog_release(&l);
	return rc;
}
