/*
 * sql-standing.h -- what the ledger of a database says of a plan of rows, batch by batch.
 *
 * Floor 11.  A rollback plan only names its batches: here is the plan that it undoes
 * as well, which has their rows, and what the ledger says of that one.
 */
#ifndef MIG_SQL_STANDING_H
#define MIG_SQL_STANDING_H

#include "sql-kept.h"
#include "sql-ledger.h"

/* The plan that a rollback undoes. */
struct sql_undone {
	char hash[HEX_SIZE];
	struct buf text;        /* as it was stored, */
	struct doc doc;
	struct plan plan;       /* and read */
	bool *was;              /* of each of its steps: was it done? */
	struct sql_kepts *kept; /* and which backups did it make? */
};

enum sql_stands { SQL_TO_DO, SQL_BEGUN, SQL_DONE };

struct sql_standing {
	struct db *db;
	const struct plan *p;
	bool known;             /* what follows is what the ledger says, */
	struct sql_chain chain; /* up to here; whoever writes to it moves it */
	enum sql_stands is;
	bool *done;             /* of each step of p */
	struct sql_undone undone;
};

/* Nobody is asked yet.  Borrows both; needs sql_standing_release. */
void sql_standing_init(struct sql_standing *s, struct db *db, const struct plan *p);
void sql_standing_release(struct sql_standing *s);

/*
 * Ask the ledger, unless nobody has written to it since it was asked; inside a
 * transaction.  0, or -1 after a finding: MIG_PRECONDITION "not_applied" where there is
 * nothing to be rolled back, "unfinished" where a rollback of p was begun; of the plan that
 * is undone MIG_INVALID "plan_hash_integrity_failed", "foreign_plan".
 */
int sql_standing_learn(struct sql_standing *s, struct diag *d);

/* Of a rollback: only what the plan that it undoes is, and which of its steps were done.  0, or -1 as above. */
int sql_standing_recall(struct sql_standing *s, struct diag *d);

/* What was asked may have changed: ask again. */
void sql_standing_forget(struct sql_standing *s);

/* Step i was done, and chain moved. */
void sql_standing_did(struct sql_standing *s, size_t i);

/* The plan that has the rows, and the place there of what step i puts, deletes or takes back. */
const struct plan *sql_standing_plan(const struct sql_standing *s);
size_t sql_standing_at(const struct sql_standing *s, size_t i);

/* Is nothing to be done with step i, as it was done before or is not there to be undone? */
bool sql_standing_idle(const struct sql_standing *s, size_t i);

#endif
