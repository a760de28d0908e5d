/*
 * sql-backup.h -- rows that a plan is about to destroy, kept in a file.
 *
 * Floor 9.  STATE/backups/<first 16 digits of the plan's hash>.<step>.ndjson, one
 * canonical object a row, {"id":7,"name":"ada"}, values as db_json has them.
 */
#ifndef MIG_SQL_BACKUP_H
#define MIG_SQL_BACKUP_H

#include "record.h"
#include "sql-state.h"

/* Which rows: the columns of a table, in the order of its key. */
struct sql_rows {
	char *table;
	char **column, **key;
	size_t ncolumn, nkey;
	char *where; /* only those of its rows; NULL: all */
};

/* Read the members table, columns, key and where of an action: needs sql_rows_release. */
void sql_rows_read(struct sql_rows *r, const struct doc *doc, uint32_t action);
void sql_rows_release(struct sql_rows *r);

struct sql_backup {
	char name[48];
	char hash[65]; /* SHA-256 of the file */
	int64_t rows;
};

/*
 * Write the rows, wait for the disk, read the file again and compare: 0, or -1
 * after a finding, and nothing is left.  With only_count, or where there is no such
 * row, no file is written.
 */
int sql_backup_write(struct sql_state *s, struct db *db, const struct sql_rows *rows, struct sql_backup *b,
                     bool only_count, struct diag *d);

/* Take back a backup whose plan failed. */
void sql_backup_drop(struct sql_state *s, const struct sql_backup *b);

/*
 * Open a backup for reading; it must be what it was: a descriptor, or -1 after
 * MIG_PRECONDITION "backup_missing", MIG_INVALID "backup_damaged".
 */
int sql_backup_open(struct sql_state *s, const struct sql_backup *b, struct diag *d);

#endif
