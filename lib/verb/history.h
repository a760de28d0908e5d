/*
 * history.h -- what was done to a store, from its ledger and its stored plans.
 *
 * Floor 13.  Reads the store.
 */
#ifndef MIG_HISTORY_H
#define MIG_HISTORY_H

#include "store.h"
#include "stream.h"

/* Is that what an entry's event may be? */
bool history_event(const char *name);

/* Which entries; NULL: any. */
struct history_ask {
	const char *migration, *version, *env, *tenant, *project, *event;
	const char *since, *until; /* RFC 3339 in UTC, or a prefix such as 2026-01; both included */
	const char *ref;           /* only entries of plans that change this document */
};

/*
 * Write the matching entries, oldest first, and their end, whose digest is over
 * seq NUL hash LF.  With ref, each entry that speaks of the document's plan has
 * a step record before it: ref NUL step_id LF in the digest; plans that are no
 * longer kept are counted in a warning "missing_plan".  The whole chain is
 * checked on the way: MIG_INVALID "ledger_broken" where it does not hold.
 */
int history_entries(struct store *s, const struct history_ask *ask, struct out *out, struct diag *d);

/* Is it a number of a database's history, not a version? */
bool history_number(const char *to);

/* Which of the applied plans; NULL: any. */
struct applied_ask {
	const char *migration, *env, *tenant, *project;
	const char *to;   /* a version: those of one migration that led beyond it; a number of a database's history: */
	                  /* those that came after it, all of it for 0 */
	const char *plan; /* the one with this plan_hash */
	bool last;        /* the newest, and those before it that came in one stream with it */
};

/*
 * Write the plans that are applied and not rolled back, newest first, and their
 * end; none is a warning "none_applied".  One of them that was pruned is MIG_PRECONDITION "pruned", and then none is
 * written; a named plan that is not applied is MIG_PRECONDITION "not_applied", a
 * number that the history does not have MIG_PRECONDITION "no_version"; plans of several
 * migrations beyond a version are MIG_USAGE "ambiguous".
 */
int history_applied(struct store *s, const struct applied_ask *ask, struct out *out, struct diag *d);

#endif
