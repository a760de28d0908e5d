/*
 * sql-kept.h -- the backups that a plan made, as the ledger names them.
 *
 * Floor 10.
 *
 *	[{"file":"81c2..7f.3.ndjson","hash":H,"name":"users.name","rows":12}]
 */
#ifndef MIG_SQL_KEPT_H
#define MIG_SQL_KEPT_H

#include "sql-backup.h"

/* A backup that was made, and of what. */
struct sql_kept {
	struct sql_backup file;
	char *name; /* "users.name", "batch-00001:users" */
};

struct sql_kepts {
	struct sql_kept *v;
	size_t n;
};

void sql_kepts_release(struct sql_kepts *k);

/* Takes name, which is new. */
void sql_kepts_add(struct sql_kepts *k, const struct sql_backup *file, char *name);

void sql_kepts_write(struct buf *out, const struct sql_kepts *k);

/* Add those of the ledger entry at the root of e: 0, or -1 after MIG_INVALID "ledger_broken". */
int sql_kepts_read(struct sql_kepts *k, const struct doc *e, struct diag *d);

/* The backup of that name, or NULL. */
const struct sql_backup *sql_kepts_find(const struct sql_kepts *k, const char *name);

#endif
