/*
 * model.h -- a declared schema as tables, columns and what holds them together.
 *
 * Floor 6.  What the app JSON means for a database, free of its spelling: names
 * are SQL names, every field is a column, a constraint, an
 * index or a junction table.  Types are PostgreSQL's names; model_type gives a
 * dialect's.
 */
#ifndef MIG_MODEL_H
#define MIG_MODEL_H

#include "diag.h"
#include "digest.h"
#include "doc.h"

enum dialect { DIALECT_SQLITE, DIALECT_POSTGRESQL };

/* What a column holds where an insert says nothing. */
enum default_kind {
	DEFAULT_NONE,
	DEFAULT_TEXT,
	DEFAULT_NUMBER,
	DEFAULT_BOOL,    /* def_text "true" or "false" */
	DEFAULT_NOW,
	DEFAULT_TODAY,
	DEFAULT_SECONDS, /* a number of them */
	DEFAULT_UUID,
	DEFAULT_SERIAL,  /* def_text: the first number, NULL for 1 */
	DEFAULT_JSON     /* canonical JSON: an object, or an array for a list */
};

struct column {
	int64_t id;             /* of its field; 0: none declared, or a system column: goes by its name */
	char *name;
	const char *field_type; /* "single-line-text"; "" for a system column; borrowed from a table of types */
	char *type;             /* "VARCHAR(255)", "TIMESTAMPTZ", "NUMERIC(20,2)", "TEXT[]" */
	bool not_null;
	enum default_kind def;
	char *def_text;         /* the literal, unquoted; NULL where the kind says it all */
	bool system;            /* id, created_at, updated_at, deleted_at as we add them */
};

enum check_kind { CHECK_RANGE, CHECK_ENUM, CHECK_SUBSET, CHECK_MAX_ITEMS, CHECK_MAX_LENGTH, CHECK_FORMAT, CHECK_RAW };

struct check {
	char *name;             /* "check_price_range" */
	enum check_kind kind;
	char *column;           /* NULL for CHECK_RAW */
	char *min, *max;        /* number literals, NULL: open (CHECK_RANGE); max: CHECK_MAX_* */
	char **option;          /* CHECK_ENUM, CHECK_SUBSET */
	size_t noption;
	char *text;             /* the expression (CHECK_RAW) or pattern (CHECK_FORMAT) */
};

struct key {                    /* a unique constraint, or the columns of a primary key */
	char *name;
	char **column;
	size_t n;
};

struct fkey {
	char *name, *table;
	char **column, **references;
	size_t n;
	const char *on_delete, *on_update; /* "cascade", "set null", "restrict", "no action", or NULL */
	bool optional;          /* its columns may be NULL: may be made after the tables (cycles) */
};

struct index {
	char *name, *method;    /* "btree", "gin", "gist" */
	char **column;
	size_t n;
	bool unique, concurrent;
	char *where;            /* or NULL */
};

struct policy {
	char *name;
	const char *command;    /* "SELECT", "INSERT", "UPDATE", "DELETE" */
	char *using_, *with_check; /* or NULL */
};

struct view {
	char *name, *query;
	bool materialized, refresh;
};

struct table {
	int64_t id;             /* 0: none declared, or a junction table: goes by its name */
	char *name;
	bool allow_destructive;
	struct column *column;
	size_t ncolumn;
	struct key primary;
	struct key *unique;
	size_t nunique;
	struct fkey *fkey;
	size_t nfkey;
	struct check *check;
	size_t ncheck;
	struct index *index;
	size_t nindex;
	bool rls;
	struct policy *policy;
	size_t npolicy;
	struct view *view;
	size_t nview;
};

struct model {
	char *name;             /* of the app, or NULL */
	struct table *table;    /* in declared order, junction tables last */
	size_t ntable;
	char checksum[HEX_SIZE];
	char *schema;           /* {"tables":[..]} as declared, canonical: what the history keeps */
};

/*
 * Read the declared schema at token root (an object with "tables"; where names
 * the file in findings).  Every fault is a finding of MIG_INVALID with its JSON
 * pointer below root, rule "schema_*"; then NULL.  Also "unsupported_feature",
 * what the dialect lacks, and "protected_table" of MIG_UNSAFE.  Members that
 * mean nothing to us are a warning.  A schema without tables is a model without
 * tables.  A new model, or NULL.
 */
struct model *model_read(const struct doc *doc, uint32_t root, enum dialect dialect, const char *where, struct diag *d);
void model_free(struct model *m);

/* The dialect's own name of a column's type: new. */
char *model_type(const char *type, enum dialect dialect);

#endif
