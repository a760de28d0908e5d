/* model-check.c -- see model-check.h */
#include "model-check.h"

#include "number.h"
#include "record.h"
#include "sqlname.h"

#include <stdlib.h>

static struct check *add(struct table *t, enum check_kind kind, const char *column, const char *what)
{
	struct check *c = &MORE(t->check, t->ncheck);

	*c = (struct check){ .name = draft_name("check", column, what), .kind = kind, .column = xstrdup(column) };
	return c;
}

/* The literal of a number, new; NULL where there is none. */
static char *literal(const struct declared *in, uint32_t t)
{
	char out[NUMBER_SIZE];
	size_t n;
	const char *s;

	if (t == DOC_NONE)
		return NULL;
	s = doc_span(in->doc, t, &n);
	return xmemdup(out, number_canonical(s, n, out));
}

static void check_range(struct declared *in, struct table *t, const struct field *f)
{
	uint32_t min = declared_member(in, f->tok, "min", IS_NUM | MAY_LACK);
	uint32_t max = declared_member(in, f->tok, "max", IS_NUM | MAY_LACK);
	bool progress = strcmp(f->type->name, "progress") == 0;
	bool rating = strcmp(f->type->name, "rating") == 0;

	if (min && max && doc_double(in->doc, min) > doc_double(in->doc, max))
		declared_wrong(in, min, "schema_range", "min cannot be greater than max");
	if (rating && !min && max && doc_double(in->doc, max) < 1)
		declared_wrong(in, max, "schema_range", "min cannot be greater than max: a rating's min is 1");
	if (!progress && !min && !max)
		return;
	struct check *c = add(t, CHECK_RANGE, f->name, "range");

	c->min = progress ? xstrdup("0") : rating && !min ? xstrdup("1") : literal(in, min);
	c->max = progress ? xstrdup("100") : literal(in, max);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_twice(struct declared *in, uint32_t at, const struct check *c)
{
	char **sorted = xcalloc(c->noption + 1, sizeof *sorted);

	memcpy(sorted, c->option, c->noption * sizeof *sorted);
	qsort(sorted, c->noption, sizeof *sorted, compare_text);
	for (size_t i = 1; i < c->noption; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			declared_wrong(in, at, "schema_duplicate", "duplicate option \"%s\"", sorted[i]);
	free(sorted);
}

static void check_options(struct declared *in, struct table *t, const struct field *f)
{
	bool many = f->type->class == FIELD_CHOICES;
	uint32_t a = declared_member(in, f->tok, "options", IS_ARR);

	if (a == DOC_NONE)
		return;
	if (in->doc->tok[a].n == 0) {
		declared_wrong(in, a, "schema_shape", "a %s without options", f->type->name);
		return;
	}
	struct check *c = add(t, many ? CHECK_SUBSET : CHECK_ENUM, f->name, many ? "options" : "enum");

	for (uint32_t e = declared_first(in, a); e; e = declared_next(in, a, e)) {
		char *s = NULL;

		if (in->doc->tok[e].type == DOC_STRING)
			s = declared_dup(in, e);
		else if (in->doc->tok[e].type == DOC_OBJECT)
			s = declared_text(in, e, "value", 0);
		else
			declared_wrong(in, e, "schema_shape", "not a text or an object with a value");
		if (s)
			MORE(c->option, c->noption) = s;
	}
	if (c->noption)
		find_twice(in, a, c);
}

static void check_most(struct declared *in, struct table *t, const struct field *f, enum check_kind kind,
                       const char *member, const char *what)
{
	int64_t max;

	if (declared_int(in, f->tok, member, 1, INT32_MAX, &max))
		add(t, kind, f->name, what)->max = xasprintf("%lld", (long long)max);
}

static void check_format(struct declared *in, struct table *t, const struct field *f)
{
	char *format = declared_text(in, f->tok, "format", MAY_LACK);
	const char *pattern = format ? field_type_barcode((struct text){ format, strlen(format) }) : NULL;

	if (pattern)
		add(t, CHECK_FORMAT, f->name, "format")->text = xstrdup(pattern);
	free(format);
}

void model_checks(struct declared *in, struct table *t, const struct field *f)
{
	switch (f->type->class) {
	case FIELD_INTEGER:
	case FIELD_NUMBER:
		check_range(in, t, f);
		break;
	case FIELD_CHOICE:
	case FIELD_CHOICES:
		check_options(in, t, f);
		break;
	default:
		break;
	}
	if (f->type->class == FIELD_LIST || f->type->class == FIELD_CHOICES)
		check_most(in, t, f, CHECK_MAX_ITEMS, "maxItems", "max_items");
	if (f->type->class == FIELD_JSON)
		check_most(in, t, f, CHECK_MAX_ITEMS, "maxFiles", "max_files");
	if (f->type->class == FIELD_TEXT)
		check_most(in, t, f, CHECK_MAX_LENGTH, "maxLength", "max_length");
	if (strcmp(f->type->name, "barcode") == 0)
		check_format(in, t, f);
}

void model_constraints(struct declared *in, struct table *t, uint32_t table)
{
	static const char *const known[] = { "check", "name" };
	uint32_t a = declared_member(in, table, "constraints", IS_ARR | MAY_LACK);

	for (uint32_t e = declared_first(in, a); e; e = declared_next(in, a, e)) {
		if (in->doc->tok[e].type != DOC_OBJECT) {
			declared_wrong(in, e, "schema_shape", "not an object");
			continue;
		}
		char *name = declared_text(in, e, "name", 0), *text = declared_text(in, e, "check", 0);

		declared_known(in, e, known, sizeof known / sizeof *known, "constraint");
		if (name && (!sqlname_plain((struct text){ name, strlen(name) }) || strlen(name) > SQLNAME_MAX))
			declared_wrong(in, e, "schema_name", "constraint name \"%s\" is not ^[a-z][a-z0-9_]*$", name);
		if (text && !*text)
			declared_wrong(in, e, "schema_shape", "the check is empty");
		if (name && text) {
			MORE(t->check, t->ncheck) = (struct check){ .name = name, .kind = CHECK_RAW, .text = text };
		} else {
			free(name);
			free(text);
		}
	}
}
