/*
 * sql-restore.h -- the rows of a backup, back in their table.
 *
 * Floor 10.
 */
#ifndef MIG_SQL_RESTORE_H
#define MIG_SQL_RESTORE_H

#include "sql-backup.h"

/*
 * Inside a transaction, put the rows into an empty table or, unless insert, set
 * columns of the rows that have the key still and meet their where, in which $1 is
 * the value of the backup: 0, or -1 after a finding of
 * sql_backup_open or of the database.
 */
int sql_backup_restore(struct sql_state *s, struct db *db, const struct sql_rows *rows, const struct sql_backup *b,
                       bool insert, struct diag *d);

#endif
