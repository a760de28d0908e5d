/*
 * plan-way.h -- which way plans are made: from what, and by which planner.
 *
 * Floor 17.  For mig-plan.
 */
#ifndef MIG_PLAN_WAY_H
#define MIG_PLAN_WAY_H

#include "cli.h"
#include "plan-ask.h"

/* At most one of schema, set, index, descriptor, steps, phases and rollback; none: from changes. */
struct plan_way {
	struct plan_ask ask;
	const char *schema, *set;          /* of a database: declared, or written by hand; */
	bool of_rows;                      /* set is the one that made the rows */
	const char *index, *dialect;       /* of documents in a database */
	const char *descriptor, *source;   /* of a domain; source: NULL: the snapshot on stdin */
	const char *steps;                 /* of a schema planner */
	const char *phases, *phase;        /* of a migration: plans become this one */
	bool rollback, allow_empty, late, baseline;
	const char *reason;
};

#define PLAN_WAY_INIT { .ask = { .batch = CLI_NONE, .max_rejects = CLI_NONE } }

/* Which options do not go together: a text for the usage, or NULL.  Counts that were not given are CLI_NONE. */
const char *plan_way_wrong(const struct plan_way *w);

/* Does it read a stream? */
static inline bool plan_way_reads(const struct plan_way *w)
{
	return !w->steps && !w->source;
}

/* Read the files, give up the rest, and plan.  Findings are in f. */
void plan_way_run(const struct plan_way *w, struct filter *f);

#endif
