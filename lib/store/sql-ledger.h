/*
 * sql-ledger.h -- a ledger in a table of a database, and the plans beside it.
 *
 * Floor 10.  The same lines as in a file (ledger.h), chained the same way: a row
 * each, written inside the transaction that they speak of.
 */
#ifndef MIG_SQL_LEDGER_H
#define MIG_SQL_LEDGER_H

#include "db.h"
#include "ledger.h"

/* The end of the chain. */
struct sql_chain {
	int64_t seq;
	char head[HEX_SIZE];
};

/* Read the last row: 0 (seq 0 where there is none), or -1 after MIG_INVALID "ledger_broken". */
int sql_chain_read(struct sql_chain *c, struct db *db, struct diag *d);

/* Insert an entry behind the others, inside a transaction that writes: 0, or -1 after a finding. */
int sql_chain_add(struct sql_chain *c, struct db *db, const struct entry *e, struct diag *d);

/* All lines, in a file without a name: its descriptor, to be closed, or -1 after a finding. */
int sql_ledger_file(struct db *db, struct diag *d);

/*
 * The last entry that says what became of a plan, appended to out if that is not
 * NULL: 1, 0 if there is none, -1.  event, if not NULL, gets "begin", "commit",
 * "undo", or "rollback": it was undone, or is itself a rollback that was done.
 */
int sql_ledger_last(struct db *db, const char *plan_hash, struct buf *out, char event[16], struct diag *d);

/*
 * sql_ledger_last and sql_chain_read at once: 1, 0 or -1 as the former.  c is what
 * the chain was at our last commit (seq 0: not known), and is believed where
 * nobody has written since.
 */
int sql_ledger_stand(struct db *db, const char *plan_hash, char event[16], struct sql_chain *c, struct diag *d);

/* The last entry of a plan with that event, appended to out: 1, 0 if there is none, -1. */
int sql_ledger_find(struct db *db, const char *plan_hash, const char *event, struct buf *out, struct diag *d);

/* Call each with the entry of every step that was committed apart from its plan since that began, newest first. */
int sql_ledger_steps(struct db *db, const char *plan_hash, void (*each)(void *arg, const struct doc *entry), void *arg,
                     struct diag *d);

/* Was a rollback of the plan begun and not finished?  1 and that one's plan_hash, 0, -1. */
int sql_ledger_undoing(struct db *db, const char *plan_hash, char undoing[HEX_SIZE], struct diag *d);

/* A stored plan, appended: 1, 0 if there is none, -1.  And store one, inside a transaction that writes. */
int sql_ledger_get_plan(struct db *db, const char *plan_hash, struct buf *out, struct diag *d);
int sql_ledger_put_plan(struct db *db, const char *plan_hash, struct text plan, struct diag *d);

/*
 * Call each, which must not ask the database, with every stored plan, in no order:
 * 0, or -1 after a finding or because each returned -1.
 */
int sql_ledger_each_plan(struct db *db, int (*each)(void *arg, struct text plan_hash, struct buf *plan), void *arg,
                         struct diag *d);

#endif
