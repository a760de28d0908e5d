/*
 * sql-work.h -- the steps of an SQL plan, or its rollback list, done in a database.
 *
 * Floor 11.  The caller begins and ends the transaction.
 */
#ifndef MIG_SQL_WORK_H
#define MIG_SQL_WORK_H

#include "plan.h"
#include "sql-check.h"
#include "sql-kept.h"
#include "sql-restore.h"

struct sql_work {
	struct db *db;
	struct sql_state *state;
	const struct doc *doc;       /* of the plan */
	const struct step *step;     /* its steps or rollback entries */
	size_t n;
	const char *hash;            /* of the plan: its backups are called so */
	const char *undoes;          /* of the plan that is undone, last step first; NULL: none is */
	bool dry;                    /* make no backup */
	const char *time;            /* RFC 3339 */
	bool (*stop)(void);          /* asked between statements; NULL: go on */
	struct sql_kepts known;      /* the backups that are there to be restored */
	/* how far it came: */
	struct sql_kepts kept;       /* the backups that were made */
	size_t at;                   /* the step at work, or that failed */
	int64_t from, to;            /* history versions; 0: none, or not known */
	bool unrecorded;             /* the newest version is another one than before */
};

/* Is the step one that cannot be in a transaction? */
bool sql_alone(const struct sql_work *w, size_t i);

/* How many of its actions are statements. */
size_t sql_statements(const struct sql_work *w, size_t i);

/* Does a precondition ask for the hash of what is there? */
bool sql_asks_live(const struct sql_work *w);

/*
 * Ask every precondition; live is the hash of what is there (any text where none asks).  bad, if not NULL,
 * is told of each step whose question was not answered as it should, with the message.
 */
int sql_work_ask(struct sql_work *w, const char *live, void (*bad)(void *arg, size_t i, const char *message), void *arg,
                 struct diag *d);

/* Do the actions of step i. */
int sql_work_step(struct sql_work *w, size_t i, struct diag *d);

/* All steps that belong in the transaction, then foreign keys, row counts and postconditions. */
int sql_work_do(struct sql_work *w, struct diag *d);

/* The postconditions of step i. */
int sql_work_after(struct sql_work *w, size_t i, struct diag *d);

#endif
