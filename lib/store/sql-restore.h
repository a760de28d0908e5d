/*
 * sql-restore.h -- the rows of a backup, back in their table.
 *
 * Floor 10.
 */
#ifndef MIG_SQL_RESTORE_H
#define MIG_SQL_RESTORE_H

#include "sql-backup.h"

/* Put the rows into the table, set columns of those that have the key still, or ask whether they hold it all. */
enum sql_restore { RESTORE_INSERT, RESTORE_UPDATE, RESTORE_COMPARE };

/*
 * Do that inside a transaction with the rows of a backup.  Where they are not
 * inserted, only those count that meet their where, in which $1 is the value of the
 * backup.  found, if not NULL, is counted up by the rows that hold it all.  0, or -1
 * after a finding of sql_backup_open or of the database.
 */
int sql_backup_restore(struct sql_state *s, struct db *db, const struct sql_rows *rows, const struct sql_backup *b,
                       enum sql_restore how, int64_t *found, struct diag *d);

/* Call each with the key, one column, of every row of a backup: 0, or -1 after a finding of sql_backup_open. */
int sql_backup_keys(struct sql_state *s, const char *key, const struct sql_backup *b,
                    void (*each)(void *arg, struct text key), void *arg, struct diag *d);

#endif
