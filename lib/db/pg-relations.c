/* pg-relations.c -- see pg-relations.h */
#include "pg-relations.h"

#include "record.h"

#include <stdlib.h>

struct column {
	long number; /* those that were dropped leave gaps */
	char *name;
};

struct pg_relation {
	unsigned long oid;
	char *name, *definition;
	bool flag;
	struct column *column;
	size_t ncolumn;
	struct buf part[PART_N]; /* elements of its lists, parted by commas */
};

static struct text text_of(const struct db_value *v)
{
	return (struct text){ v->s, v->n };
}

static char *copy(const struct db_value *v)
{
	return xmemdup(v->n ? v->s : "", v->n);
}

static bool is_true(const struct db_value *v)
{
	return v->s && *v->s == 't';
}

static void add_relation(struct pg_relations *r, const struct db_value *v, bool table)
{
	r->v = xrealloc(r->v, r->n + 1, sizeof *r->v);
	r->v[r->n++] = (struct pg_relation){ .oid = strtoul(v[1].s, NULL, 10), .name = copy(&v[3]),
		                             .definition = copy(&v[4]), .flag = is_true(&v[6]) };
	r->ntable += table;
}

static int by_oid(const void *a, const void *b)
{
	const struct pg_relation *const *x = a, *const *y = b;

	return (*x)->oid < (*y)->oid ? -1 : (*x)->oid > (*y)->oid;
}

static struct pg_relation *find(struct pg_relations *r, const struct db_value *oid)
{
	struct pg_relation key = { .oid = strtoul(oid->s, NULL, 10) }, *const p = &key;

	if (!r->n)
		return NULL;
	if (!r->by_oid) {
		r->by_oid = xcalloc(r->n, sizeof *r->by_oid);
		for (size_t i = 0; i < r->n; i++)
			r->by_oid[i] = &r->v[i];
		qsort(r->by_oid, r->n, sizeof *r->by_oid, by_oid);
	}
	struct pg_relation **found = bsearch(&p, r->by_oid, r->n, sizeof *r->by_oid, by_oid);

	return found ? *found : NULL;
}

static void add_column(struct pg_relation *t, const struct db_value *v, struct rec *w)
{
	t->column = xrealloc(t->column, t->ncolumn + 1, sizeof *t->column);
	t->column[t->ncolumn++] = (struct column){ strtol(v[2].s, NULL, 10), copy(&v[3]) };
	rec_str(w, "default", text_of(&v[4]));
	rec_str(w, "name", text_of(&v[3]));
	rec_bool(w, "not_null", is_true(&v[6]));
	rec_str(w, "type", text_of(&v[5]));
}

/* ["b","a"] for {2,1} */
static void put_columns(struct buf *out, const struct pg_relation *t, const struct db_value *numbers)
{
	size_t n = 0;

	buf_addch(out, '[');
	for (const char *s = numbers->s; s && *s && *s != '}';) {
		char *end;
		long number = strtol(++s, &end, 10);

		for (size_t i = 0; i < t->ncolumn; i++)
			if (t->column[i].number == number) {
				if (n++)
					buf_addch(out, ',');
				canon_string(out, t->column[i].name, strlen(t->column[i].name));
			}
		s = end;
	}
	buf_addch(out, ']');
}

/* {"definition":"CREATE ..","name":"by_x"} */
static void put_named(struct rec *w, const char *what, const struct db_value *v)
{
	rec_str(w, what, text_of(&v[4]));
	rec_str(w, "name", text_of(&v[3]));
}

static void put_object(struct buf *b, struct pg_relation *t, enum pg_part part, const struct db_value *v)
{
	struct rec w;

	rec_open(&w, b);
	switch (part) {
	case PART_COLUMN:
		add_column(t, v, &w);
		break;
	case PART_UNIQUE:
		rec_name(&w, "columns");
		put_columns(b, t, &v[4]);
		rec_str(&w, "name", text_of(&v[3]));
		break;
	case PART_CHECK:
		put_named(&w, "expression", v);
		break;
	default:
		put_named(&w, "definition", v);
		if (part == PART_INDEX)
			rec_bool(&w, "unique", is_true(&v[6]));
		break;
	}
	rec_close(&w);
}

static void add_part(struct pg_relation *t, enum pg_part part, const struct db_value *v)
{
	struct buf *b = &t->part[part];

	if (b->len)
		buf_addch(b, ',');
	if (part == PART_KEY)
		put_columns(b, t, &v[4]);
	else if (part == PART_FKEY || part == PART_POLICY)
		buf_add(b, v[4].s, v[4].n);
	else if (part == PART_DEPEND)
		canon_string(b, v[3].s, v[3].n);
	else
		put_object(b, t, part, v);
}

int pg_relations_take(void *arg, const struct db_value *v, size_t n)
{
	struct pg_relations *r = arg;

	if (n != 7)
		return 0;
	unsigned long part = strtoul(v[0].s, NULL, 10);

	if (part <= PART_VIEW) {
		add_relation(r, v, part == PART_TABLE);
		return 0;
	}
	struct pg_relation *t = find(r, &v[1]);

	if (t && part < PART_N)
		add_part(t, (enum pg_part)part, v);
	return 0;
}

static void put_list(struct rec *w, const char *name, const struct buf *b)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	buf_add(w->b, b->s, b->len);
	buf_addch(w->b, ']');
}

static void put_table(struct buf *out, const struct pg_relation *t)
{
	const struct buf *key = &t->part[PART_KEY];
	struct rec w;

	rec_open(&w, out);
	put_list(&w, "checks", &t->part[PART_CHECK]);
	put_list(&w, "columns", &t->part[PART_COLUMN]);
	put_list(&w, "foreign_keys", &t->part[PART_FKEY]);
	put_list(&w, "indexes", &t->part[PART_INDEX]);
	rec_cstr(&w, "name", t->name);
	put_list(&w, "policies", &t->part[PART_POLICY]);
	rec_raw(&w, "primary_key", key->len ? key->s : "[]", key->len ? key->len : 2);
	rec_bool(&w, "rls", t->flag);
	put_list(&w, "triggers", &t->part[PART_TRIGGER]);
	put_list(&w, "uniques", &t->part[PART_UNIQUE]);
	rec_close(&w);
}

static void put_view(struct buf *out, const struct pg_relation *v)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "definition", v->definition);
	put_list(&w, "depends", &v->part[PART_DEPEND]);
	rec_bool(&w, "materialized", v->flag);
	rec_cstr(&w, "name", v->name);
	rec_close(&w);
}

void pg_relations_write(struct buf *out, const struct pg_relations *r)
{
	buf_addstr(out, "{\"tables\":[");
	for (size_t i = 0; i < r->n; i++) {
		if (i == r->ntable)
			buf_addstr(out, "],\"views\":[");
		else if (i)
			buf_addch(out, ',');
		if (i < r->ntable)
			put_table(out, &r->v[i]);
		else
			put_view(out, &r->v[i]);
	}
	buf_addstr(out, r->n == r->ntable ? "],\"views\":[]}" : "]}");
}

void pg_relations_release(struct pg_relations *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct pg_relation *t = &r->v[i];

		for (size_t k = 0; k < t->ncolumn; k++)
			free(t->column[k].name);
		for (size_t k = 0; k < PART_N; k++)
			buf_release(&t->part[k]);
		free(t->column);
		free(t->name);
		free(t->definition);
	}
	free(r->v);
	free(r->by_oid);
	*r = (struct pg_relations)PG_RELATIONS_INIT;
}
