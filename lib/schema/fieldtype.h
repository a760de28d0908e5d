/*
 * fieldtype.h -- the types of a declared field and the columns that they become.
 *
 * Floor 2.  mig-schema(5) prints the table.
 */
#ifndef MIG_FIELDTYPE_H
#define MIG_FIELDTYPE_H

#include "text.h"

/* What a type's values are: which members of its field mean something, and what a default may be. */
enum field_class {
	FIELD_TEXT,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_BOOL,
	FIELD_DATE,
	FIELD_TIME,
	FIELD_MOMENT,   /* a date and a time */
	FIELD_DURATION, /* seconds */
	FIELD_CHOICE,   /* one of its options */
	FIELD_CHOICES,  /* some of them */
	FIELD_LIST,
	FIELD_JSON,
	FIELD_POINT,
	FIELD_COUNTER,  /* counts by itself */
	FIELD_FORMULA,  /* its resultType says */
	FIELD_LINK,     /* a relationship */
	FIELD_NOTHING   /* no column */
};

struct field_type {
	const char *name, *column; /* "email", "VARCHAR(255)"; column NULL: the field decides */
	enum field_class class;
};

/* NULL: there is no such type. */
const struct field_type *field_type_of(struct text name);

/* The column of an array of such items ("number": "NUMERIC[]"), of such a result; NULL: unknown. */
const char *field_type_items(struct text item);
const char *field_type_result(struct text result);

/* The pattern of a barcode's format, NULL: any text will do. */
const char *field_type_barcode(struct text format);

#endif
