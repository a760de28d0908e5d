/*
 * sql-apply.h -- do what an SQL plan says, in one transaction, or nothing.
 *
 * Floor 12.
 */
#ifndef MIG_SQL_APPLY_H
#define MIG_SQL_APPLY_H

#include "sql-backup.h"
#include "sql-schema.h"
#include "store.h"

/* A database and what is kept beside it. */
struct sql_store {
	struct db *db;
	struct sql_state state;
	char *user;   /* of this process, for the ledger */
	struct sql_chain chain; /* its end at our last commit; seq 0: not known */
};

/*
 * See apply of struct store_ops.  In the transaction: every precondition of every
 * step, then the actions in order, then the foreign keys, the postconditions, the
 * rows of the ledger and of our tables.  Steps that cannot be in one come last, each
 * on its own.  A failure leaves one row in the log.  A dry run is rolled back.
 */
int sql_apply(struct sql_store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d);

#endif
