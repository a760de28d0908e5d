/* model-link.c -- see model-link.h */
#include "model-link.h"

#include "model-key.h"
#include "record.h"
#include "sqlname.h"

#include <stdlib.h>

/* A relationship's or foreign key's "onDelete" or "onUpdate", as SQL says it; NULL where it lacks. */
static const char *action_of(struct declared *in, uint32_t obj, const char *member)
{
	static const char *const actions[][2] = { { "cascade", "cascade" },
		                                  { "set-null", "set null" },
		                                  { "restrict", "restrict" },
		                                  { "no-action", "no action" } };
	uint32_t t = declared_member(in, obj, member, IS_STR | MAY_LACK);

	if (t == DOC_NONE)
		return NULL;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (doc_equals(in->doc, t, actions[i][0], strlen(actions[i][0])))
			return actions[i][1];
	declared_wrong(in, t, "schema_relation", "not one of cascade, set-null, restrict, no-action");
	return NULL;
}

static char **one(const char *name)
{
	char **list = xmalloc(sizeof *list);

	*list = xstrdup(name);
	return list;
}

static void free_texts(char **list, size_t n)
{
	while (n)
		free(list[--n]);
	free(list);
}

/* The table that the field's "relatedTable" names, or NULL after a fault. */
static struct table *related(struct draft *b, const struct field *f, size_t *i)
{
	char *name = declared_text(&b->in, f->tok, "relatedTable", 0);
	struct table *t = name ? draft_table(b, name, i) : NULL;

	if (name && !t)
		declared_wrong(&b->in, doc_member(b->in.doc, f->tok, "relatedTable", 12), "schema_relation",
		               "relatedTable \"%s\" does not exist", name);
	free(name);
	return t;
}

static bool is_unique(const struct table *t, const char *column)
{
	if (t->primary.n == 1 && strcmp(t->primary.column[0], column) == 0)
		return true;
	for (size_t i = 0; i < t->nunique; i++)
		if (t->unique[i].n == 1 && strcmp(t->unique[i].column[0], column) == 0)
			return true;
	return false;
}

/* The column that a relationship points at: the primary key, or "relatedField". */
static struct column *target_of(struct draft *b, const struct field *f, const struct table *to)
{
	char *name = declared_text(&b->in, f->tok, "relatedField", MAY_LACK);
	struct column *c = NULL;

	if (name && !is_unique(to, name))
		declared_wrong(&b->in, doc_member(b->in.doc, f->tok, "relatedField", 12), "schema_relation",
		               "relatedField \"%s\" is no unique column of \"%s\"", name, to->name);
	else if (!name && to->primary.n != 1)
		declared_wrong(&b->in, f->tok, "schema_relation",
		               "table \"%s\" has a primary key of several columns: use foreignKeys", to->name);
	else
		c = table_column(to, name ? name : to->primary.column[0]);
	free(name);
	return c;
}

static bool says(const struct declared *in, const struct field *f, const char *type)
{
	uint32_t t = doc_member(in->doc, f->tok, "relationType", 12);

	return t != DOC_NONE && in->doc->tok[t].type == DOC_STRING && doc_equals(in->doc, t, type, strlen(type));
}

static void check_relation_type(struct declared *in, const struct field *f)
{
	uint32_t t = declared_member(in, f->tok, "relationType", IS_STR | MAY_LACK);

	if (t != DOC_NONE && !says(in, f, "many-to-one") && !says(in, f, "one-to-one") && !says(in, f, "one-to-many") &&
	    !says(in, f, "many-to-many"))
		declared_wrong(in, t, "schema_relation",
		               "not one of many-to-one, one-to-one, one-to-many, many-to-many");
}

static struct fkey *add_fkey(struct table *t, const char *column, const char *to, const char *references)
{
	struct fkey *k = &MORE(t->fkey, t->nfkey);
	char *name = draft_name(column, "fk", NULL);

	*k = (struct fkey){ .name = draft_name(t->name, column, "fkey"),
		            .table = xstrdup(to),
		            .column = one(column),
		            .references = one(references),
		            .n = 1 };
	model_index(t, draft_name("idx", t->name, name), one(column), 1);
	free(name);
	return k;
}

/* Give one relationship's column its type.  1: done; 0: what it points at has none yet. */
static int link_column(struct draft *b, size_t i, const struct field *f)
{
	size_t k;
	struct column *c = &b->m->table[i].column[f->column], *to;
	struct table *t;

	if (*c->type)
		return 1;
	t = related(b, f, &k);
	to = t ? target_of(b, f, t) : NULL;
	if (to && !*to->type)
		return 0;
	free(c->type);
	c->type = xstrdup(to ? to->type : "INTEGER"); /* a fault has been said */
	if (!to)
		return 1;
	struct fkey *key = add_fkey(&b->m->table[i], f->name, t->name, to->name);

	key->on_delete = action_of(&b->in, f->tok, "onDelete");
	key->on_update = action_of(&b->in, f->tok, "onUpdate");
	key->optional = !c->not_null;
	if (key->on_delete && strcmp(key->on_delete, "set null") == 0 && c->not_null)
		declared_wrong(&b->in, f->tok, "schema_relation", "onDelete is set-null, but the field is required");
	return 1;
}

/* A key may be a relationship itself, so its type may come a round later. */
static void link_columns(struct draft *b)
{
	size_t todo, before = SIZE_MAX;

	do {
		todo = 0;
		for (size_t i = 0; i < b->m->ntable; i++) {
			for (size_t k = 0; k < b->table[i].nfield; k++) {
				const struct field *f = &b->table[i].field[k];

				if (f->type->class != FIELD_LINK || f->column == NO_COLUMN || link_column(b, i, f))
					continue;
				if (todo == before)
					declared_wrong(&b->in, f->tok, "schema_cycle",
					               "it points at a key that points back at it");
				todo++;
			}
		}
		if (todo == before)
			return;
		before = todo;
	} while (todo);
}

/* {"fields":["a","b"],"name":..,"referencedFields":["c","d"],"referencedTable":"t","onDelete"?,"onUpdate"?} */
static void read_fkey(struct draft *b, struct table *t, uint32_t e)
{
	static const char *const known[] = { "fields",           "name",           "onDelete", "onUpdate",
		                             "referencedFields", "referencedTable" };
	struct declared *in = &b->in;
	struct fkey *k = &MORE(t->fkey, t->nfkey);
	size_t i, n;
	char *to = declared_text(in, e, "referencedTable", 0);
	struct table *other = to ? draft_table(b, to, &i) : NULL;

	declared_known(in, e, known, sizeof known / sizeof *known, "foreign key");
	k->name = declared_text(in, e, "name", MAY_LACK);
	k->column = declared_texts(in, e, "fields", 0, &k->n);
	k->references = declared_texts(in, e, "referencedFields", 0, &n);
	k->on_delete = action_of(in, e, "onDelete");
	k->on_update = action_of(in, e, "onUpdate");
	if (to && !other)
		declared_wrong(in, e, "schema_relation", "referencedTable \"%s\" does not exist", to);
	free(to);
	if (n != k->n)
		declared_wrong(in, e, "schema_relation", "fields and referencedFields differ in number");
	for (i = 0; i < k->n; i++) {
		const struct column *c = table_column(t, k->column[i]);

		if (!c)
			declared_wrong(in, e, "schema_relation", "foreign key references non-existent column \"%s\"",
			               k->column[i]);
		k->optional |= c && !c->not_null;
	}
	for (i = 0; other && i < n; i++)
		if (!table_column(other, k->references[i]))
			declared_wrong(in, e, "schema_relation", "foreign key references non-existent column \"%s.%s\"",
			               other->name, k->references[i]);
	if (!other || n != k->n || !k->n) { /* a fault has been said: only what model_free can free stays */
		free_texts(k->references, n);
		free_texts(k->column, k->n);
		free(k->name);
		t->nfkey--;
		return;
	}
	k->table = xstrdup(other->name);
	if (!k->name)
		k->name = draft_name(t->name, k->column[0], "fkey");
	else if (!sqlname_plain((struct text){ k->name, strlen(k->name) }) || strlen(k->name) > SQLNAME_MAX)
		declared_wrong(in, e, "schema_name", "foreign key name \"%s\" is not ^[a-z][a-z0-9_]*$", k->name);
}

static void read_fkeys(struct draft *b, size_t i)
{
	uint32_t a = declared_member(&b->in, b->table[i].tok, "foreignKeys", IS_ARR | MAY_LACK);

	for (uint32_t e = declared_first(&b->in, a); e; e = declared_next(&b->in, a, e)) {
		if (b->in.doc->tok[e].type == DOC_OBJECT)
			read_fkey(b, &b->m->table[i], e);
		else
			declared_wrong(&b->in, e, "schema_shape", "not an object");
	}
}

/* One side of a junction: posts_tags has post_id of posts. */
static void junction_side(struct table *j, const char *prefix, const struct table *to)
{
	char *singular = sqlname_singular(to->name),
	     *base = draft_name(prefix ? prefix : singular, prefix ? singular : "id", prefix ? "id" : NULL);
	const char *key = to->primary.column[0];
	struct column *c;

	free(singular);
	c = draft_column(j, xstrdup(base), table_column(to, key)->type);
	c->not_null = true;
	MORE(j->primary.column, j->primary.n) = xstrdup(base);
	add_fkey(j, base, to->name, key)->on_delete = "cascade";
	free(base);
}

/* Has the other side of this relationship made the junction already? */
static bool is_reciprocal(const struct draft *b, size_t from, const struct field *f, size_t to)
{
	const struct declared *in = &b->in;
	uint32_t mine = doc_member(in->doc, f->tok, "reciprocalField", 15);

	for (size_t k = 0; to < from && k < b->table[to].nfield; k++) {
		const struct field *g = &b->table[to].field[k];
		uint32_t theirs = doc_member(in->doc, g->tok, "reciprocalField", 15);

		if (g->type->class != FIELD_LINK || !says(in, g, "many-to-many"))
			continue;
		if ((mine && doc_equals(in->doc, mine, g->name, strlen(g->name))) ||
		    (theirs && doc_equals(in->doc, theirs, f->name, strlen(f->name))))
			return true;
	}
	return false;
}

static void add_junction(struct draft *b, size_t from, const struct field *f, size_t to)
{
	struct model *m = b->m;
	size_t i, n = m->ntable;
	char *name = draft_name(m->table[from].name, m->table[to].name, NULL);

	for (i = 0; i < n; i++)
		if (strcmp(m->table[i].name, name) == 0) {
			declared_wrong(&b->in, f->tok, "schema_duplicate", "junction table \"%s\" exists already",
			               name);
			free(name);
			return;
		}
	if (m->table[from].primary.n != 1 || m->table[to].primary.n != 1 ||
	    !table_column(&m->table[from], m->table[from].primary.column[0]) ||
	    !table_column(&m->table[to], m->table[to].primary.column[0])) {
		declared_wrong(&b->in, f->tok, "schema_relation", "many-to-many needs primary keys of one column");
		free(name);
		return;
	}
	MORE(b->table, n) = (struct table_draft){ .tok = DOC_NONE };
	struct table *j = &MORE(m->table, m->ntable);

	j->name = name;
	j->primary.name = draft_name(name, "pkey", NULL);
	junction_side(j, NULL, &m->table[from]);
	junction_side(j, from == to ? "related" : NULL, &m->table[to]);
}

static void add_junctions(struct draft *b, size_t i)
{
	for (size_t k = 0; k < b->table[i].nfield; k++) {
		const struct field f = b->table[i].field[k]; /* adding moves the tables */
		size_t to;

		if (f.type->class == FIELD_LINK)
			check_relation_type(&b->in, &f);
		if (f.type->class != FIELD_LINK || f.column != NO_COLUMN || !related(b, &f, &to))
			continue;
		if (says(&b->in, &f, "many-to-many") && !is_reciprocal(b, i, &f, to))
			add_junction(b, i, &f, to);
	}
}

void model_links(struct draft *b)
{
	size_t declared = b->m->ntable;

	for (size_t i = 0; i < declared; i++)
		for (size_t k = 0; k < b->table[i].nfield; k++)
			if (b->table[i].field[k].type->class == FIELD_LINK &&
			    says(&b->in, &b->table[i].field[k], "one-to-one") &&
			    b->table[i].field[k].column != NO_COLUMN)
				model_unique_column(&b->m->table[i], b->table[i].field[k].name);
	link_columns(b);
	for (size_t i = 0; i < declared; i++) {
		read_fkeys(b, i);
		add_junctions(b, i);
	}
}
