/*
 * draft.h -- a model while it is being read.
 *
 * Floor 8.  Tables first, with their columns; then what looks at other tables.
 */
#ifndef MIG_DRAFT_H
#define MIG_DRAFT_H

#include "declared.h"
#include "fieldtype.h"

#define NO_COLUMN SIZE_MAX

struct field {
	uint32_t tok;
	const struct field_type *type; /* of an unknown one: that of a long-text */
	char *name;
	size_t column;                 /* its place in the table's columns, or NO_COLUMN */
};

struct table_draft {
	uint32_t tok;                  /* DOC_NONE: a junction table */
	struct field *field;
	size_t nfield;
};

struct table_name {
	const char *name;              /* borrowed from the table */
	size_t table;
};

struct draft {
	struct declared in;
	struct model *m;
	struct table_draft *table;     /* one a table of m */
	struct table_name *by_name;    /* sorted, of the declared tables */
	size_t nnames;
};

/* The table of this name as it is declared or as SQL spells it, or NULL; *i is its place. */
struct table *draft_table(const struct draft *b, const char *name, size_t *i);

/* The column of this name, or NULL. */
struct column *table_column(const struct table *t, const char *name);

/* A name of up to three parts joined by underscores, at most 63 bytes: "users", "email", "key".  New. */
char *draft_name(const char *a, const char *b, const char *c);

/* A column that follows the others; steals name. */
struct column *draft_column(struct table *t, char *name, const char *type);

#endif
