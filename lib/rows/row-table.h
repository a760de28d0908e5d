/*
 * row-table.h -- the table that an entity is in a database: its key, columns and foreign keys.
 *
 * Floor 8.  A row of posts with the id 7 is the one of the table "posts" whose
 * primary key, one column, is 7 as a text.
 */
#ifndef MIG_ROW_TABLE_H
#define MIG_ROW_TABLE_H

#include "db.h"

struct row_column {
	char *name;
	char *type;      /* as the server spells it: "bytea", "VARCHAR(20)" */
	char *refers;    /* the table that its foreign key, of this one column, leads to, or NULL */
	bool generated;  /* the server computes it: it is not written */
	bool json;       /* its type has JSON in its name */
};

struct row_table {
	char *name;
	struct row_column *column; /* as they stand in the table */
	size_t n;
	char *key;                 /* the name of the primary key's only column */
};

/* Tables that were looked at before: all that is needed of a database is read once. */
struct row_tables {
	struct row_table **v;
	size_t n;
};

#define ROW_TABLES_INIT { NULL, 0 }

/*
 * The table of an entity, borrowed: NULL after MIG_PRECONDITION "missing_table",
 * or MIG_INVALID "no_key" where its rows have no one column to be known by.
 * Tables of our own are as good as missing.
 */
const struct row_table *row_tables_find(struct row_tables *t, struct db *db, struct text entity, struct diag *d);
void row_tables_release(struct row_tables *t);

/* NULL: it has no such column. */
const struct row_column *row_table_column(const struct row_table *t, struct text name);

/*
 * The column in which a link under label to the rows of entity is kept: the one
 * called label, or else label_id, if it has no foreign key to another table.  NULL: none.
 */
const struct row_column *row_table_link(const struct row_table *t, struct text label, struct text entity);

#endif
