/*
 * ddl.h -- pieces of SQL text: names, values, columns, constraints, tables.
 *
 * Floor 8.  Names are always quoted, values always literals, so that whatever a
 * schema holds comes out as itself.
 */
#ifndef MIG_DDL_H
#define MIG_DDL_H

#include "delta.h"

#include <stdarg.h>

/* Append printf-like text in which %I is a name, quoted, and %L a literal; %s and %d as they are. */
void ddl_addf(struct buf *b, const char *fmt, ...);
void ddl_vaddf(struct buf *b, const char *fmt, va_list ap);
void ddl_name(struct buf *b, const char *name);   /* "a""b" */
void ddl_text(struct buf *b, const char *s);      /* 'it''s' */
void ddl_names(struct buf *b, char *const *name, size_t n); /* "a", "b" */

/* What an insert puts into the column: false, and nothing appended, where nothing but NULL. */
bool ddl_default(struct buf *b, const struct column *c, enum dialect dialect);

/* Is that the same for every row, so that SQLite adds such a column to a table with rows? */
bool ddl_default_constant(const struct column *c);

/* Is the table's key the one integer column that the server counts up? */
bool ddl_rowid_key(const struct table *t, const struct column *c);

/* "price" NUMERIC NOT NULL DEFAULT 0; bare: without NOT NULL, for a column that is filled afterwards. */
void ddl_column(struct buf *b, const struct table *t, const struct column *c, enum dialect dialect, bool bare);

/*
 * The condition of a check over the column that is called name here.  False, and
 * nothing appended, where the dialect cannot say it in a CHECK: SQLite for lists.
 */
bool ddl_check(struct buf *b, const struct table *t, const struct check *c, const char *value, enum dialect dialect);

/* CONSTRAINT "a" UNIQUE ("x"), .. CHECK (..), .. FOREIGN KEY .. */
void ddl_unique(struct buf *b, const struct key *k);
void ddl_primary(struct buf *b, const struct table *t);
void ddl_foreign(struct buf *b, const struct fkey *f);

/* CREATE INDEX .. ON table; and CREATE TABLE .. as name with its columns in that order (NULL: the model's). */
void ddl_index(struct buf *b, const struct index *i, const char *table, enum dialect dialect, bool concurrently);
void ddl_table(struct buf *b, const struct pair *p, const char *name, enum dialect dialect);

/*
 * Is s a piece of SQL that stays inside the parentheses it is put into: quotes
 * and parentheses closed, no semicolon and no comment outside of quotes?
 */
bool ddl_contained(const char *s);

#endif
