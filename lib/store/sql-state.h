/*
 * sql-state.h -- what is ours beside a database: backups of rows, and trusted keys.
 *
 * Floor 8.
 */
#ifndef MIG_SQL_STATE_H
#define MIG_SQL_STATE_H

#include "db.h"

/* A folder of ours beside a database, or files without names while a plan is only tried. */
struct sql_state {
	char *path;   /* NULL: none */
	int dir;      /* -1: not there yet */
	bool made, made_backups; /* the folder, and backups/ in it, were made by us */
	bool memory;
	struct memory_file {
		char *name;
		int fd;
	} *file;
	size_t n;
};

#define SQL_STATE_INIT { .dir = -1 }

/* Look for the folder (path may be NULL), which must be there if must: 0, or MIG_PRECONDITION "state_missing". */
int sql_state_open(struct sql_state *s, const char *path, bool must, struct diag *d);
/* What was made and is empty goes again. */
void sql_state_release(struct sql_state *s);

/* Make the folder and its backups/ where they lack: 0, or -1 after MIG_PRECONDITION "no_state" and the like. */
int sql_state_make(struct sql_state *s, struct diag *d);

/*
 * Add errno err of verb ("write") at where and return -1: what the operator can
 * mend is MIG_PRECONDITION, as nothing is committed yet.
 */
int sql_state_fault(struct diag *d, const char *where, const char *verb, int err);

/* Call each for every NAME.pem of STATE/trust, in byte order: see struct store_ops. */
int sql_state_trust(struct sql_state *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                    struct diag *d);

#endif
