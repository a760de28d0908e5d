/*
 * sql-batch-table.h -- those rows of a batch that lie in one table, as a backup takes them.
 *
 * Floor 12.  A table has as many groups as there are sets of columns that its rows
 * name, but only one where the batch deletes: then they name none.
 */
#ifndef MIG_SQL_BATCH_TABLE_H
#define MIG_SQL_BATCH_TABLE_H

#include "sql-batch.h"

/* Is group i the first of its table?  The only one? */
bool sql_batch_is_first(const struct sql_batch *b, size_t i);
bool sql_batch_is_only(const struct sql_batch *b, size_t i);

/* The next group of i's table, or groups.n. */
size_t sql_batch_next(const struct sql_batch *b, size_t i);

/*
 * The rows of a group's table, with all columns that can be written or those alone that
 * the group writes.  Borrows the names; needs table_rows_release, which frees where.
 */
struct sql_rows table_rows(const struct row_group *g, bool all);
void table_rows_release(struct sql_rows *r);

/*
 * "id" IN ('7', '8'): those rows of the groups from i on, below end, that lie in i's
 * table and that which, by their places, says.  New; NULL: there are none.
 */
char *sql_batch_where(struct sql_batch *b, size_t i, size_t end, const bool *which);

/* What the ledger calls the backup of a table: "batch-00001:posts", new. */
char *sql_batch_backup(const struct sql_batch *b, const struct row_table *t);

#endif
