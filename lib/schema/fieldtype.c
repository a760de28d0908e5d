/* fieldtype.c -- see fieldtype.h */
#include "fieldtype.h"

#include <stdlib.h>

/* Sorted by name. */
static const struct field_type types[] = {
	{ "ai-categorize", "VARCHAR(255)", FIELD_TEXT },
	{ "ai-extract", "JSONB", FIELD_JSON },
	{ "ai-generate", "TEXT", FIELD_TEXT },
	{ "ai-sentiment", "JSONB", FIELD_JSON },
	{ "ai-summary", "TEXT", FIELD_TEXT },
	{ "ai-tag", "JSONB", FIELD_JSON },
	{ "ai-translate", "TEXT", FIELD_TEXT },
	{ "array", NULL, FIELD_LIST },
	{ "attachment", "JSONB", FIELD_JSON },
	{ "autonumber", "INTEGER", FIELD_COUNTER },
	{ "barcode", "VARCHAR(255)", FIELD_TEXT },
	{ "boolean", "BOOLEAN", FIELD_BOOL },
	{ "button", NULL, FIELD_NOTHING },
	{ "checkbox", "BOOLEAN", FIELD_BOOL },
	{ "code", "TEXT", FIELD_TEXT },
	{ "color", "VARCHAR(7)", FIELD_TEXT },
	{ "count", NULL, FIELD_NOTHING },
	{ "created-at", "TIMESTAMP", FIELD_MOMENT },
	{ "created-by", "TEXT", FIELD_TEXT },
	{ "currency", "NUMERIC", FIELD_NUMBER },
	{ "date", "DATE", FIELD_DATE },
	{ "datetime", "TIMESTAMPTZ", FIELD_MOMENT },
	{ "decimal", "NUMERIC", FIELD_NUMBER },
	{ "deleted-at", "TIMESTAMP", FIELD_MOMENT },
	{ "deleted-by", "TEXT", FIELD_TEXT },
	{ "duration", "INTERVAL", FIELD_DURATION },
	{ "email", "VARCHAR(255)", FIELD_TEXT },
	{ "formula", NULL, FIELD_FORMULA },
	{ "geolocation", "POINT", FIELD_POINT },
	{ "integer", "INTEGER", FIELD_INTEGER },
	{ "json", "JSONB", FIELD_JSON },
	{ "long-text", "TEXT", FIELD_TEXT },
	{ "lookup", "TEXT", FIELD_TEXT },
	{ "multi-select", "TEXT[]", FIELD_CHOICES },
	{ "multiple-attachments", "JSONB", FIELD_JSON },
	{ "number", "NUMERIC", FIELD_NUMBER },
	{ "percentage", "NUMERIC", FIELD_NUMBER },
	{ "phone-number", "VARCHAR(255)", FIELD_TEXT },
	{ "progress", "INTEGER", FIELD_INTEGER },
	{ "rating", "INTEGER", FIELD_INTEGER },
	{ "relationship", NULL, FIELD_LINK },
	{ "rich-text", "TEXT", FIELD_TEXT },
	{ "rollup", "TEXT", FIELD_TEXT },
	{ "single-attachment", "VARCHAR(255)", FIELD_TEXT },
	{ "single-line-text", "VARCHAR(255)", FIELD_TEXT },
	{ "single-select", "VARCHAR(255)", FIELD_CHOICE },
	{ "status", "VARCHAR(255)", FIELD_CHOICE },
	{ "time", "TIME", FIELD_TIME },
	{ "updated-at", "TIMESTAMP", FIELD_MOMENT },
	{ "updated-by", "TEXT", FIELD_TEXT },
	{ "url", "VARCHAR(255)", FIELD_TEXT },
	{ "user", "TEXT", FIELD_TEXT },
};

static int compare_type(const void *name, const void *type)
{
	const struct text *a = name;
	const char *b = ((const struct field_type *)type)->name;
	size_t n = strlen(b);
	int c = memcmp(a->s, b, a->n < n ? a->n : n);

	return c ? c : (a->n > n) - (a->n < n);
}

const struct field_type *field_type_of(struct text name)
{
	if (!name.n)
		return NULL;
	return bsearch(&name, types, sizeof types / sizeof *types, sizeof *types, compare_type);
}

struct pair {
	const char *name, *value;
};

static const char *look_up(const struct pair *list, struct text name)
{
	for (; list->name; list++)
		if (text_is(name, list->name))
			return list->value;
	return NULL;
}

const char *field_type_items(struct text item)
{
	static const struct pair items[] = { { "boolean", "BOOLEAN[]" },
		                             { "date", "DATE[]" },
		                             { "datetime", "TIMESTAMPTZ[]" },
		                             { "decimal", "NUMERIC[]" },
		                             { "integer", "INTEGER[]" },
		                             { "number", "NUMERIC[]" },
		                             { "string", "TEXT[]" },
		                             { "text", "TEXT[]" },
		                             { "uuid", "UUID[]" },
		                             { NULL, NULL } };

	return look_up(items, item);
}

const char *field_type_result(struct text result)
{
	static const struct pair results[] = { { "boolean", "BOOLEAN" },
		                               { "date", "DATE" },
		                               { "datetime", "TIMESTAMPTZ" },
		                               { "decimal", "NUMERIC" },
		                               { "int", "INTEGER" },
		                               { "integer", "INTEGER" },
		                               { "number", "NUMERIC" },
		                               { "numeric", "NUMERIC" },
		                               { "string", "TEXT" },
		                               { "string[]", "TEXT[]" },
		                               { "text", "TEXT" },
		                               { "text[]", "TEXT[]" },
		                               { "timestamp", "TIMESTAMPTZ" },
		                               { NULL, NULL } };

	return look_up(results, result);
}

const char *field_type_barcode(struct text format)
{
	static const struct pair formats[] = { { "EAN-13", "^[0-9]{13}$" },  { "EAN-8", "^[0-9]{8}$" },
		                               { "EAN13", "^[0-9]{13}$" },   { "EAN8", "^[0-9]{8}$" },
		                               { "ISBN-13", "^[0-9]{13}$" }, { "UPC", "^[0-9]{12}$" },
		                               { "UPC-A", "^[0-9]{12}$" },   { NULL, NULL } };

	return look_up(formats, format);
}
