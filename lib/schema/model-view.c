/* model-view.c -- see model-view.h */
#include "model-view.h"

#include "number.h"
#include "record.h"
#include "sqlname.h"

#include <stdlib.h>

/* The names of columns were checked; nothing in them needs escaping. */
static void put_column(struct buf *q, const char *name)
{
	buf_addf(q, "\"%s\"", name);
}

/* A column that a member of obj names; NULL after a fault. */
static const struct column *column_of(struct declared *in, const struct table *t, uint32_t tok, const char *what)
{
	const struct column *c = NULL;
	char *name = in->doc->tok[tok].type == DOC_STRING ? declared_dup(in, tok) : NULL;

	if (name && !(c = table_column(t, name)))
		declared_wrong(in, tok, "schema_view", "%s references non-existent column \"%s\"", what, name);
	else if (!name)
		declared_wrong(in, tok, "schema_shape", "not a text");
	free(name);
	return c;
}

static void put_literal(struct declared *in, struct buf *q, uint32_t t)
{
	char out[NUMBER_SIZE];
	size_t n;
	const char *span = doc_span(in->doc, t, &n);
	char *s;

	switch (in->doc->tok[t].type) {
	case DOC_STRING:
		s = declared_dup(in, t);
		buf_addch(q, '\'');
		for (const char *p = s ? s : ""; *p; p++)
			buf_addstr(q, *p == '\'' ? "''" : (char[]){ *p, 0 });
		buf_addch(q, '\'');
		free(s);
		break;
	case DOC_NUMBER:
		buf_add(q, out, number_canonical(span, n, out));
		break;
	case DOC_TRUE:
	case DOC_FALSE:
		buf_addstr(q, in->doc->tok[t].type == DOC_TRUE ? "TRUE" : "FALSE");
		break;
	default:
		declared_wrong(in, t, "schema_view", "a filter's value is a text, a number, true or false");
	}
}

static const struct {
	const char *name, *sql; /* sql NULL: IN (..) */
	bool value;
} operators[] = { { "equals", " = ", true },
	          { "eq", " = ", true },
	          { "notEquals", " <> ", true },
	          { "neq", " <> ", true },
	          { "greaterThan", " > ", true },
	          { "gt", " > ", true },
	          { "greaterThanOrEqual", " >= ", true },
	          { "gte", " >= ", true },
	          { "lessThan", " < ", true },
	          { "lt", " < ", true },
	          { "lessThanOrEqual", " <= ", true },
	          { "lte", " <= ", true },
	          { "isNull", " IS NULL", false },
	          { "isEmpty", " IS NULL", false },
	          { "isNotNull", " IS NOT NULL", false },
	          { "isNotEmpty", " IS NOT NULL", false },
	          { "in", NULL, true } };

static void put_in(struct declared *in, struct buf *q, uint32_t value)
{
	if (value == DOC_NONE || in->doc->tok[value].type != DOC_ARRAY || !in->doc->tok[value].n) {
		declared_wrong(in, value ? value : in->root, "schema_view",
		               "the value of \"in\" is an array of values");
		return;
	}
	buf_addstr(q, " IN (");
	for (uint32_t e = declared_first(in, value); e; e = declared_next(in, value, e)) {
		if (e != value + 1)
			buf_addstr(q, ", ");
		put_literal(in, q, e);
	}
	buf_addch(q, ')');
}

/* {"field":"status","operator":"equals","value":"open"} */
static void put_condition(struct declared *in, const struct table *t, struct buf *q, uint32_t f)
{
	uint32_t field = declared_member(in, f, "field", IS_STR), op = declared_member(in, f, "operator", IS_STR);
	uint32_t value = doc_member(in->doc, f, "value", 5);
	const struct column *c = field ? column_of(in, t, field, "filter") : NULL;
	size_t i = 0, n = sizeof operators / sizeof *operators;

	if (!c || !op)
		return;
	while (i < n && !doc_equals(in->doc, op, operators[i].name, strlen(operators[i].name)))
		i++;
	if (i == n) {
		declared_wrong(in, op, "schema_view", "unknown operator of a filter");
		return;
	}
	if (operators[i].value && value == DOC_NONE) {
		declared_wrong(in, f, "schema_shape", "\"value\" is missing");
		return;
	}
	put_column(q, c->name);
	if (!operators[i].sql) {
		put_in(in, q, value);
		return;
	}
	buf_addstr(q, operators[i].sql);
	if (operators[i].value)
		put_literal(in, q, value);
}

/* A condition, or {"and":[..]} or {"or":[..]} of them. */
static void put_filter(struct declared *in, const struct table *t, struct buf *q, uint32_t f)
{
	uint32_t and, or, list;

	if (in->doc->tok[f].type != DOC_OBJECT) {
		declared_wrong(in, f, "schema_shape", "not an object");
		return;
	}
	and = declared_member(in, f, "and", IS_ARR | MAY_LACK);
	or = declared_member(in, f, "or", IS_ARR | MAY_LACK);
	list = and? and : or ;
	if (!list) {
		put_condition(in, t, q, f);
		return;
	}
	if (!in->doc->tok[list].n)
		declared_wrong(in, list, "schema_shape", "it is empty");
	buf_addch(q, '(');
	for (uint32_t e = declared_first(in, list); e; e = declared_next(in, list, e)) {
		if (e != list + 1)
			buf_addstr(q, and? " AND " : " OR ");
		put_filter(in, t, q, e);
	}
	buf_addch(q, ')');
}

static void put_sorts(struct declared *in, const struct table *t, struct buf *q, uint32_t sorts)
{
	for (uint32_t e = declared_first(in, sorts); e; e = declared_next(in, sorts, e)) {
		uint32_t field = DOC_NONE, way = DOC_NONE;
		const struct column *c = NULL;

		if (in->doc->tok[e].type == DOC_OBJECT) {
			field = declared_member(in, e, "field", IS_STR);
			way = declared_member(in, e, "direction", IS_STR | MAY_LACK);
		} else {
			declared_wrong(in, e, "schema_shape", "not an object");
		}
		if (field)
			c = column_of(in, t, field, "sort");
		if (!c)
			continue;
		if (way && !doc_equals(in->doc, way, "asc", 3) && !doc_equals(in->doc, way, "desc", 4))
			declared_wrong(in, way, "schema_view", "not asc or desc");
		buf_addstr(q, e == sorts + 1 ? " ORDER BY " : ", ");
		put_column(q, c->name);
		if (way && doc_equals(in->doc, way, "desc", 4))
			buf_addstr(q, " DESC");
	}
}

/* SELECT "id", "name" FROM "users" WHERE ("active" = TRUE) ORDER BY "name"; new */
static char *made_query(struct declared *in, const struct table *t, uint32_t view)
{
	uint32_t fields = declared_member(in, view, "fields", IS_ARR | MAY_LACK);
	uint32_t filters = declared_member(in, view, "filters", IS_OBJ | MAY_LACK);
	uint32_t sorts = declared_member(in, view, "sorts", IS_ARR | MAY_LACK);
	struct buf q = BUF_INIT;

	buf_addstr(&q, "SELECT ");
	for (uint32_t e = declared_first(in, fields); e; e = declared_next(in, fields, e)) {
		const struct column *c = column_of(in, t, e, "view");

		if (e != fields + 1)
			buf_addstr(&q, ", ");
		if (c)
			put_column(&q, c->name);
	}
	if (!declared_first(in, fields))
		buf_addch(&q, '*');
	buf_addf(&q, " FROM \"%s\"", t->name);
	if (filters) {
		buf_addstr(&q, " WHERE ");
		put_filter(in, t, &q, filters);
	}
	put_sorts(in, t, &q, sorts);
	return buf_steal(&q);
}

static bool view_name_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && !s[n] && n <= SQLNAME_MAX;
}

/* A text id is the name; behind a number it is the view's own name.  NULL after a fault. */
static char *view_name(struct declared *in, uint32_t view, uint32_t id)
{
	char *name = NULL, *label;

	if (in->doc->tok[id].type == DOC_STRING)
		return declared_dup(in, id);
	label = declared_text(in, view, "name", 0);
	if (label)
		name = sqlname_snake((struct text){ label, strlen(label) });
	free(label);
	return name;
}

static void read_view(struct declared *in, struct table *t, uint32_t e)
{
	static const char *const known[] = { "fields",       "filters", "groupBy",     "id",    "isDefault",
		                             "materialized", "name",    "permissions", "query", "refreshOnMigration",
		                             "sorts" };
	uint32_t id = declared_member(in, e, "id", IS_STR | IS_NUM);
	char *query = declared_text(in, e, "query", MAY_LACK), *name;
	bool materialized = declared_flag(in, e, "materialized"), refresh = declared_flag(in, e, "refreshOnMigration");

	declared_known(in, e, known, sizeof known / sizeof *known, "view");
	if (id == DOC_NONE || (!query && in->doc->tok[id].type == DOC_NUMBER) || !(name = view_name(in, e, id))) {
		free(query);
		return;
	}
	if (!view_name_valid(name))
		declared_wrong(in, id, "schema_name", "view name \"%s\" is not ^[a-z0-9_-]+$ of at most %d bytes", name,
		               SQLNAME_MAX);
	if (sqlname_protected(name))
		declared_say(in, MIG_UNSAFE, id, "protected_table", "view \"%s\" is not the application's to name",
		             name);
	if (materialized && in->dialect == DIALECT_SQLITE)
		declared_wrong(in, e, "unsupported_feature", "SQLite has no materialized views");
	if (query && !query[strspn(query, " \t\r\n;")])
		declared_wrong(in, e, "schema_view", "the query is empty");
	MORE(t->view, t->nview) = (struct view){ .name = name,
		                                 .query = query ? query : made_query(in, t, e),
		                                 .materialized = materialized,
		                                 .refresh = refresh };
}

void model_views(struct draft *b, size_t i)
{
	uint32_t a = declared_member(&b->in, b->table[i].tok, "views", IS_ARR | MAY_LACK);

	for (uint32_t e = declared_first(&b->in, a); e; e = declared_next(&b->in, a, e)) {
		if (b->in.doc->tok[e].type == DOC_OBJECT)
			read_view(&b->in, &b->m->table[i], e);
		else
			declared_wrong(&b->in, e, "schema_shape", "not an object");
	}
}

static const char *command_of(struct declared *in, uint32_t policy)
{
	static const char *const commands[] = { "SELECT", "INSERT", "UPDATE", "DELETE" };
	uint32_t t = declared_member(in, policy, "command", IS_STR);

	for (size_t i = 0; t && i < sizeof commands / sizeof *commands; i++)
		if (doc_equals(in->doc, t, commands[i], strlen(commands[i])))
			return commands[i];
	if (t)
		declared_wrong(in, t, "schema_policy", "not one of SELECT, INSERT, UPDATE, DELETE");
	return NULL;
}

static void read_policy(struct declared *in, struct table *t, uint32_t e)
{
	static const char *const known[] = { "command", "name", "using", "withCheck" };
	struct policy *p = &MORE(t->policy, t->npolicy);

	declared_known(in, e, known, sizeof known / sizeof *known, "policy");
	p->name = declared_text(in, e, "name", 0);
	p->command = command_of(in, e);
	p->using_ = declared_text(in, e, "using", MAY_LACK);
	p->with_check = declared_text(in, e, "withCheck", MAY_LACK);
	if (p->name && (!sqlname_plain((struct text){ p->name, strlen(p->name) }) || strlen(p->name) > SQLNAME_MAX))
		declared_wrong(in, e, "schema_name", "policy name \"%s\" is not ^[a-z][a-z0-9_]*$", p->name);
	if (p->command && strcmp(p->command, "INSERT") == 0
	            ? p->using_ != NULL
	            : p->command && strcmp(p->command, "UPDATE") != 0 && p->with_check)
		declared_wrong(in, e, "schema_policy", "a policy for %s has no \"%s\"", p->command,
		               p->using_ && strcmp(p->command, "INSERT") == 0 ? "using" : "withCheck");
}

void model_policies(struct draft *b, size_t i)
{
	struct declared *in = &b->in;
	struct table *t = &b->m->table[i];
	uint32_t rls = declared_member(in, b->table[i].tok, "rls", IS_OBJ | MAY_LACK), a;

	if (rls == DOC_NONE || !declared_flag(in, rls, "enabled"))
		return; /* policies of a switched-off table are none */
	if (in->dialect == DIALECT_SQLITE)
		declared_wrong(in, rls, "unsupported_feature", "SQLite has no row-level security");
	t->rls = true;
	a = declared_member(in, rls, "policies", IS_ARR | MAY_LACK);
	for (uint32_t e = declared_first(in, a); e; e = declared_next(in, a, e)) {
		if (in->doc->tok[e].type == DOC_OBJECT)
			read_policy(in, t, e);
		else
			declared_wrong(in, e, "schema_shape", "not an object");
	}
}
