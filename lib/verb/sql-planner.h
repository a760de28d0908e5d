/*
 * sql-planner.h -- from a schema record and a set of hand-written SQL to plans.
 *
 * Floor 15.  Pure: the set has been read before.
 */
#ifndef MIG_SQL_PLANNER_H
#define MIG_SQL_PLANNER_H

#include "plan-ask.h"
#include "sqlset.h"
#include "stream.h"

struct sql_ask {
	struct plan_ask plan; /* batch and max_rejects do not matter */
	bool late;            /* apply hops below the version reached, too */
	bool allow_empty;     /* let a hop be without statements */
	bool baseline;        /* only record the hops up to the target as applied */
};

/*
 * Read the schema record; write one plan a pending hop, in order, then their
 * end.  0, or -1 after findings: what schema_intake_read, pending_find,
 * sqlset_split and judge_statement say; MIG_INVALID "foreign_dialect" for a set
 * of the other dialect, "empty_migration" for a hop without statements,
 * "already_recorded" for a baseline where hops are applied.
 */
int sql_planner_run(const struct sql_ask *ask, struct sqlset *set, struct stream *in, struct out *out, struct diag *d);

#endif
