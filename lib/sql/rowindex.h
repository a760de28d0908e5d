/*
 * rowindex.h -- an index of documents: which of their members are the columns of a table.
 *
 * Floor 7.  A JSON file:
 *
 *	{"table": "run_index", "key": ["run_id"], "legacy": [GLOB, ..],
 *	 "columns": [{"name": "run_id", "pointer": "/run_id", "type": "text"},
 *	             {"name": "path", "type": "ref"}]}
 *
 * Types: text, integer, real, boolean, json (the value's canonical text) and ref,
 * the document's own.  Where several documents have one key, those that a legacy
 * glob matches yield to others, and then the greater ref to the smaller.
 */
#ifndef MIG_ROWINDEX_H
#define MIG_ROWINDEX_H

#include "form.h"
#include "fs-glob.h"
#include "model.h"
#include "text.h"

enum rowindex_type { ROW_TEXT, ROW_INTEGER, ROW_REAL, ROW_BOOLEAN, ROW_JSON, ROW_REF };

struct rowindex_column {
	char *name;
	char *pointer; /* RFC 6901; NULL: the ref */
	enum rowindex_type type;
	bool key;      /* holds no null */
};

struct rowindex {
	char *table;
	struct rowindex_column *column;
	size_t ncolumn;
	char **legacy;
	char hash[HEX_SIZE]; /* of the file */
};

/* Read the file: new, or NULL after MIG_PRECONDITION "missing_index" or MIG_INVALID "bad_set" with file and member. */
struct rowindex *rowindex_read(const char *file, struct diag *d);
void rowindex_free(struct rowindex *x);

/* The column's type as the dialect's CREATE TABLE says it. */
const char *rowindex_sql_type(enum rowindex_type type, enum dialect dialect);

/*
 * Append the document's value for a column as an SQL literal, and as JSON to key
 * if that is not NULL.  The document is the object at token body of doc, with
 * that ref.  0, or -1 after MIG_INVALID "index_value" at the ref.
 */
int rowindex_value(const struct rowindex_column *c, const struct doc *doc, uint32_t body, struct text ref,
                   enum dialect dialect, struct buf *sql, struct buf *key, struct diag *d);

#endif
