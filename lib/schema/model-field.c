/* model-field.c -- see model-field.h */
#include "model-field.h"

#include "model-check.h"
#include "model-default.h"
#include "record.h"
#include "sqlname.h"

#include <stdio.h>
#include <stdlib.h>

/* What any field may say, sorted; what a type makes nothing of is let alone. */
static const char *const field_members[] = {
	"aggregation", "allowMultiple", "currency", "default", "description", "digits", "displayField", "filters",
	"foreignKey", "format", "formula", "fullTextSearch", "id", "indexed", "itemType", "label", "limitToView", "max",
	"maxFiles", "maxItems", "maxLength", "min", "name", "onDelete", "onUpdate", "options", "precision", "prefix",
	"reciprocalField", "relatedField", "relatedTable", "relationType", "relationshipField", "required",
	"resultType", "searchWeight", "startFrom", "storage", "storeMetadata", "type", "unique",
};

enum { PRECISION_MAX = 30 };

/* What primaryKey says, or would say. */
struct primary {
	const char *kind; /* "auto-increment" */
	char **column;    /* its names; NULL: none given, which is id */
	size_t n;
};

static const char *number_type(struct declared *in, uint32_t field, char out[32])
{
	int64_t p;

	if (!declared_int(in, field, "precision", 0, PRECISION_MAX, &p))
		return "NUMERIC";
	snprintf(out, 32, "NUMERIC(%d,%d)", 18 + (int)p, (int)p);
	return out;
}

/* The column that "itemType" or "resultType" asks for. */
static const char *asked_type(struct declared *in, uint32_t field, const char *member, const char *otherwise,
                              const char *(*find)(struct text))
{
	uint32_t t = declared_member(in, field, member, IS_STR | MAY_LACK);
	const char *type = otherwise;

	if (t != DOC_NONE) {
		char *s = declared_dup(in, t);

		type = s ? find((struct text){ s, strlen(s) }) : NULL;
		if (s && !type)
			declared_wrong(in, t, "schema_type", "unknown %s \"%s\"", member, s);
		free(s);
	}
	return type ? type : otherwise;
}

static const char *column_type(struct declared *in, const struct field *f, char out[32])
{
	switch (f->type->class) {
	case FIELD_NUMBER:
		return number_type(in, f->tok, out);
	case FIELD_LIST:
		return asked_type(in, f->tok, "itemType", "TEXT[]", field_type_items);
	case FIELD_FORMULA:
		return asked_type(in, f->tok, "resultType", "TEXT", field_type_result);
	case FIELD_LINK:
		return "";
	default:
		break;
	}
	if (strcmp(f->type->name, "single-attachment") == 0 && declared_flag(in, f->tok, "storeMetadata"))
		return "JSONB";
	return f->type->column;
}

static const struct field_type *field_type(struct declared *in, uint32_t field)
{
	uint32_t t = declared_member(in, field, "type", IS_STR);
	const struct field_type *type = NULL;

	if (t != DOC_NONE) {
		char *s = declared_dup(in, t);

		type = s ? field_type_of((struct text){ s, strlen(s) }) : NULL;
		if (s && !type)
			declared_wrong(in, t, "schema_field_type", "Unknown field type: %s", s);
		free(s);
	}
	return type ? type : field_type_of(TEXT("long-text"));
}

static void check_name(struct declared *in, uint32_t t, const char *name)
{
	if (!sqlname_plain((struct text){ name, strlen(name) }))
		declared_wrong(in, t, "schema_name", "field name \"%s\" is not ^[a-z][a-z0-9_]*$", name);
	else if (strlen(name) > SQLNAME_MAX)
		declared_wrong(in, t, "schema_name", "field name \"%s\" is longer than %d bytes", name, SQLNAME_MAX);
	else if (sqlname_reserved(name))
		declared_wrong(in, t, "schema_reserved_word", "field name \"%s\" is a reserved word of SQL", name);
}

/* A to-many relationship is in the other table, or in one between. */
static bool has_column(struct declared *in, const struct field *f)
{
	uint32_t t;

	if (f->type->class == FIELD_NOTHING)
		return false;
	if (f->type->class != FIELD_LINK)
		return true;
	t = declared_member(in, f->tok, "relationType", IS_STR | MAY_LACK);
	return t == DOC_NONE ||
	       !(doc_equals(in->doc, t, "one-to-many", 11) || doc_equals(in->doc, t, "many-to-many", 12));
}

/* The three of them are ours to fill, also where a field of that type takes their place. */
static bool is_stamp(const struct field *f)
{
	static const char *const stamps[][2] = { { "created_at", "created-at" },
		                                 { "updated_at", "updated-at" },
		                                 { "deleted_at", "deleted-at" } };

	for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
		if (strcmp(f->name, stamps[i][0]) == 0 && strcmp(f->type->name, stamps[i][1]) == 0)
			return true;
	return false;
}

static void read_column(struct declared *in, struct table *t, struct field *f)
{
	char room[32];
	bool stamp = is_stamp(f);
	struct column *c;

	f->column = t->ncolumn;
	c = draft_column(t, xstrdup(f->name), stamp ? "TIMESTAMPTZ" : column_type(in, f, room));
	declared_int(in, f->tok, "id", 1, INT64_MAX, &c->id);
	c->field_type = f->type->name;
	c->not_null = declared_flag(in, f->tok, "required") || (stamp && strcmp(f->name, "deleted_at") != 0);
	model_default(in, f, c);
	model_checks(in, t, f);
}

static void read_field(struct draft *b, size_t i, uint32_t tok)
{
	struct declared *in = &b->in;
	struct table_draft *td = &b->table[i];
	char *name = declared_text(in, tok, "name", 0);
	int64_t id;

	if (!name)
		return;
	struct field *f = &MORE(td->field, td->nfield);

	*f = (struct field){ .tok = tok, .name = name, .column = NO_COLUMN };
	check_name(in, doc_member(in->doc, tok, "name", 4), name);
	declared_known(in, tok, field_members, sizeof field_members / sizeof *field_members, "field");
	f->type = field_type(in, tok);
	if (has_column(in, f))
		read_column(in, &b->m->table[i], f);
	else
		declared_int(in, tok, "id", 1, INT64_MAX, &id);
}

/* The field that is named name, or DOC_NONE. */
static uint32_t find_field(const struct declared *in, uint32_t fields, const char *name)
{
	for (uint32_t e = declared_first(in, fields); e; e = declared_next(in, fields, e)) {
		uint32_t t = doc_member(in->doc, e, "name", 4);

		if (t != DOC_NONE && in->doc->tok[t].type == DOC_STRING && doc_equals(in->doc, t, name, strlen(name)))
			return e;
	}
	return DOC_NONE;
}

static void read_primary(struct declared *in, uint32_t table, struct primary *p)
{
	static const char *const kinds[] = { "auto-increment", "uuid", "bigserial", "text", "composite" };
	uint32_t t = declared_member(in, table, "primaryKey", IS_OBJ | MAY_LACK), k;

	*p = (struct primary){ .kind = NULL };
	if (t == DOC_NONE || (k = declared_member(in, t, "type", IS_STR)) == DOC_NONE)
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (doc_equals(in->doc, k, kinds[i], strlen(kinds[i])))
			p->kind = kinds[i];
	if (!p->kind) {
		declared_wrong(in, k, "schema_primary_key",
		               "not one of auto-increment, uuid, bigserial, text, composite");
	} else if (strcmp(p->kind, "composite") == 0) {
		p->column = declared_texts(in, t, "fields", 0, &p->n);
	} else {
		char *field = declared_text(in, t, "field", MAY_LACK);

		if (field) {
			check_name(in, doc_member(in->doc, t, "field", 5), field);
			MORE(p->column, p->n) = field;
		}
	}
}

/* Make c a key that fills itself in, as its kind says. */
static void fill_in(struct column *c, const char *kind)
{
	static const struct {
		const char *kind, *type;
		enum default_kind def;
	} kinds[] = { { "auto-increment", "INTEGER", DEFAULT_SERIAL },
		      { "bigserial", "BIGINT", DEFAULT_SERIAL },
		      { "uuid", "UUID", DEFAULT_UUID },
		      { "text", "TEXT", DEFAULT_NONE } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kind, kinds[i].kind) != 0)
			continue;
		free(c->type);
		c->type = xstrdup(kinds[i].type);
		if (c->def == DEFAULT_NONE)
			c->def = kinds[i].def;
	}
}

static void system_column(struct table *t, const char *name, const char *type, bool not_null, enum default_kind def)
{
	struct column *c = draft_column(t, xstrdup(name), type);

	c->not_null = not_null;
	c->def = def;
	c->system = true;
}

static void stamps(const struct declared *in, uint32_t fields, struct table *t)
{
	static const char *const names[] = { "created_at", "updated_at", "deleted_at" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (find_field(in, fields, names[i]) == DOC_NONE)
			system_column(t, names[i], "TIMESTAMPTZ", i < 2, i < 2 ? DEFAULT_NOW : DEFAULT_NONE);
}

/* The key's columns are there by now: name it, and make them what its kind says. */
static void set_primary(struct declared *in, struct table *t, uint32_t tok, struct primary *p)
{
	bool composite = p->kind && strcmp(p->kind, "composite") == 0;

	if (!p->n && !composite)
		MORE(p->column, p->n) = xstrdup("id");
	for (size_t i = 0; i < p->n; i++) {
		struct column *c = table_column(t, p->column[i]);

		if (!c) {
			declared_wrong(in, doc_member(in->doc, tok, "primaryKey", 10), "schema_primary_key",
			               "primary key references non-existent column \"%s\"", p->column[i]);
			continue;
		}
		c->not_null = true;
		if (composite)
			continue;
		if (p->kind)
			fill_in(c, p->kind);
		else if (c->def == DEFAULT_NONE && strcmp(c->type, "INTEGER") == 0)
			fill_in(c, "auto-increment");
	}
	t->primary = (struct key){ draft_name(t->name, "pkey", NULL), p->column, p->n };
}

void model_columns(struct draft *b, size_t i)
{
	struct declared *in = &b->in;
	struct table *t = &b->m->table[i];
	uint32_t tok = b->table[i].tok, fields = declared_member(in, tok, "fields", IS_ARR), id;
	struct primary p;

	read_primary(in, tok, &p);
	id = find_field(in, fields, "id");
	if (id != DOC_NONE)
		read_field(b, i, id);
	else if (!p.n)
		system_column(t, "id", "INTEGER", true, DEFAULT_NONE);
	else if (strcmp(p.kind, "composite") != 0 && find_field(in, fields, p.column[0]) == DOC_NONE)
		system_column(t, p.column[0], "INTEGER", true, DEFAULT_NONE);
	stamps(in, fields, t);
	for (uint32_t e = declared_first(in, fields); e; e = declared_next(in, fields, e)) {
		if (in->doc->tok[e].type != DOC_OBJECT)
			declared_wrong(in, e, "schema_shape", "not an object");
		else if (e != id)
			read_field(b, i, e);
	}
	set_primary(in, t, tok, &p);
}
