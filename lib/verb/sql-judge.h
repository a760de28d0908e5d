/*
 * sql-judge.h -- the statements of a script as actions and findings of a plan.
 *
 * Floor 14.  Follows which tables there are, from the planned schema through
 * the statements, so that a plan does not warn of what it makes itself.
 */
#ifndef MIG_SQL_JUDGE_H
#define MIG_SQL_JUDGE_H

#include "meaning.h"
#include "schema-intake.h"
#include "sqlset.h"

struct table_names {
	char **list;
	size_t n, cap;
};

struct judge {
	const struct schema_intake *schema;
	struct diag *d;
	struct table_names known;   /* tables and views */
	struct table_names changed; /* tables that are not any more as in the planned schema */
	struct table_names fresh;   /* made in the hop at hand */
	bool opaque;          /* a statement may have made or dropped anything */
	struct meaning m;
};

/* A run of statements as a step or a rollback entry holds them. */
struct judged {
	struct buf actions, findings; /* elements, parted by commas */
	bool destroys;
};

void judge_init(struct judge *j, const struct schema_intake *schema, struct diag *d);
void judge_release(struct judge *j);
void judged_release(struct judged *to);

/* A hop begins: nothing is fresh. */
void judge_hop(struct judge *j);

/*
 * Append statement i of f to what is in to.  0, or -1 after a finding:
 * MIG_INVALID for transaction control, for what cannot run in a transaction
 * where the script did not ask for none, and for a table that is altered and
 * not there; MIG_UNSAFE for a protected table and for another database.  back:
 * the script is down.sql, whose tables are not followed.
 */
int judge_statement(struct judge *j, const struct sqlfile *f, size_t i, bool back, struct judged *to);

#endif
