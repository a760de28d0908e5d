/* model-key.c -- see model-key.h */
#include "model-key.h"

#include "record.h"
#include "sqlname.h"

#include <stdlib.h>

enum { UNIQUE_NAME_MAX = 60 };

static const char *method_of(const struct table *t, const char *column)
{
	const struct column *c = table_column(t, column);
	size_t n = c ? strlen(c->type) : 0;

	if (c && strcmp(c->type, "POINT") == 0)
		return "gist";
	if (c && (strcmp(c->type, "JSONB") == 0 || (n > 2 && strcmp(c->type + n - 2, "[]") == 0)))
		return "gin";
	return "btree";
}

struct index *model_index(struct table *t, char *name, char **column, size_t n)
{
	struct index *x = &MORE(t->index, t->nindex);
	const char *method = n ? method_of(t, column[0]) : "btree";

	/* one GIN index may serve several lists, but not a list and a number */
	for (size_t i = 1; i < n; i++)
		if (strcmp(method_of(t, column[i]), method) != 0)
			method = "btree";
	*x = (struct index){ .name = name, .method = xstrdup(method), .column = column, .n = n };
	return x;
}

static char **one(const char *column)
{
	char **list = xmalloc(sizeof *list);

	*list = xstrdup(column);
	return list;
}

void model_unique_column(struct table *t, const char *column)
{
	for (size_t i = 0; i < t->nunique; i++)
		if (t->unique[i].n == 1 && strcmp(t->unique[i].column[0], column) == 0)
			return;
	MORE(t->unique, t->nunique) = (struct key){ draft_name(t->name, column, "key"), one(column), 1 };
}

/* Are all of these columns?  What is "index", for the message. */
static bool columns_exist(struct declared *in, const struct table *t, uint32_t at, char **column, size_t n,
                          const char *what)
{
	bool good = n > 0;

	for (size_t i = 0; i < n; i++) {
		if (!table_column(t, column[i])) {
			declared_wrong(in, at, "schema_index", "%s references non-existent column \"%s\"", what,
			               column[i]);
			good = false;
		}
		for (size_t j = 0; j < i && j < 32; j++) /* an index has at most 32 columns */
			if (strcmp(column[j], column[i]) == 0) {
				declared_wrong(in, at, "schema_index", "%s names column \"%s\" twice", what, column[i]);
				good = false;
			}
	}
	if (n > 32) {
		declared_wrong(in, at, "schema_index", "%s has more than 32 columns", what);
		good = false;
	}
	return good;
}

static void free_columns(char **column, size_t n)
{
	while (n)
		free(column[--n]);
	free(column);
}

/* The names of "fields", new, if all of them are columns. */
static char **read_columns(struct declared *in, const struct table *t, uint32_t obj, const char *what, size_t *n)
{
	char **list = declared_texts(in, obj, "fields", 0, n);
	uint32_t at = doc_member(in->doc, obj, "fields", 6);

	if (list && columns_exist(in, t, at, list, *n, what))
		return list;
	free_columns(list, *n);
	return NULL;
}

/* "uq_orders_customer_number__2", or without the count: "uq_orders_customer_number".  New. */
static char *unique_name(const struct table *t, char *const *column, size_t n, bool count)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "uq_%s", t->name);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "_%s", column[i]);
	if (count)
		buf_addf(&b, "__%zu", n);
	return sqlname_fit(&b, UNIQUE_NAME_MAX);
}

static char *read_name(struct declared *in, uint32_t obj, const char *what, int must_or_may)
{
	char *name = declared_text(in, obj, "name", must_or_may);

	if (!name)
		return NULL;
	if (!sqlname_plain((struct text){ name, strlen(name) }) || strlen(name) > SQLNAME_MAX)
		declared_wrong(in, doc_member(in->doc, obj, "name", 4), "schema_name",
		               "%s name \"%s\" is not ^[a-z][a-z0-9_]*$ of at most %d bytes", what, name, SQLNAME_MAX);
	return name;
}

/* [{"fields":["a","b"]}]: one field is a constraint, several are a unique index */
static void read_unique(struct declared *in, struct table *t, uint32_t e)
{
	static const char *const known[] = { "fields" };
	size_t n;
	char **column = read_columns(in, t, e, "unique", &n);

	declared_known(in, e, known, 1, "unique");
	if (!column)
		return;
	if (n == 1) {
		model_unique_column(t, column[0]);
		free_columns(column, n);
		return;
	}
	struct index *x = model_index(t, unique_name(t, column, n, true), column, n);

	x->unique = true;
}

static void read_constraint(struct declared *in, struct table *t, uint32_t e)
{
	static const char *const known[] = { "fields", "name" };
	size_t n;
	char *name = read_name(in, e, "unique constraint", MAY_LACK), **column;

	declared_known(in, e, known, sizeof known / sizeof *known, "unique constraint");
	column = read_columns(in, t, e, "unique constraint", &n);
	if (!column) {
		free(name);
		return;
	}
	if (!name)
		name = unique_name(t, column, n, false);
	MORE(t->unique, t->nunique) = (struct key){ name, column, n };
}

static void read_index(struct declared *in, struct table *t, uint32_t e)
{
	static const char *const known[] = { "concurrently", "fields", "name", "unique", "where" };
	size_t n;
	char *name = read_name(in, e, "index", 0), *where = declared_text(in, e, "where", MAY_LACK), **column;
	bool unique = declared_flag(in, e, "unique"), concurrent = declared_flag(in, e, "concurrently");

	declared_known(in, e, known, sizeof known / sizeof *known, "index");
	column = read_columns(in, t, e, "index", &n);
	if (!column || !name) {
		free_columns(column, column ? n : 0);
		free(name);
		free(where);
		return;
	}
	struct index *x = model_index(t, name, column, n);

	x->unique = unique;
	x->where = where;
	x->concurrent = concurrent && in->dialect == DIALECT_POSTGRESQL;
}

static void each(struct declared *in, struct table *t, uint32_t table, const char *member,
                 void (*read)(struct declared *, struct table *, uint32_t))
{
	uint32_t a = declared_member(in, table, member, IS_ARR | MAY_LACK);

	for (uint32_t e = declared_first(in, a); e; e = declared_next(in, a, e)) {
		if (in->doc->tok[e].type == DOC_OBJECT)
			read(in, t, e);
		else
			declared_wrong(in, e, "schema_shape", "not an object");
	}
}

/* idx_orders_customer, but a table's first status field has idx_orders_status whatever its name. */
static void field_index(struct declared *in, struct table *t, const struct field *f, bool *status)
{
	bool first = strcmp(f->type->name, "status") == 0 && !*status;

	if (f->type->class == FIELD_COUNTER && strcmp(t->primary.n ? t->primary.column[0] : "", f->name) != 0) {
		char *column = draft_name(f->name, "unique", NULL);

		model_index(t, draft_name("idx", t->name, column), one(f->name), 1)->unique = true;
		free(column);
	}
	if (!declared_flag(in, f->tok, "indexed") || f->type->class == FIELD_LINK)
		return;
	*status |= first;
	model_index(t, draft_name("idx", t->name, first ? "status" : f->name), one(f->name), 1);
}

void model_keys(struct draft *b, size_t i)
{
	struct declared *in = &b->in;
	struct table *t = &b->m->table[i];
	const struct table_draft *td = &b->table[i];
	const struct column *deleted = table_column(t, "deleted_at");
	bool status = false;

	for (size_t k = 0; k < td->nfield; k++) {
		const struct field *f = &td->field[k];

		if (f->column == NO_COLUMN)
			continue;
		if (declared_flag(in, f->tok, "unique"))
			model_unique_column(t, f->name);
		if (&t->column[f->column] != deleted)
			field_index(in, t, f, &status);
	}
	if (deleted)
		model_index(t, draft_name("idx", t->name, "deleted_at"), one("deleted_at"), 1);
	each(in, t, td->tok, "unique", read_unique);
	each(in, t, td->tok, "uniqueConstraints", read_constraint);
	each(in, t, td->tok, "indexes", read_index);
}
