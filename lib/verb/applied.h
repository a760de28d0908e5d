/*
 * applied.h -- the plans that are applied to a store, from its ledger and its stored plans.
 *
 * Floor 13.  Reads the store.
 */
#ifndef MIG_APPLIED_H
#define MIG_APPLIED_H

#include "entry-scope.h"
#include "store.h"
#include "stream.h"

/* Is it a number of a database's history, not a version? */
bool applied_number(const char *to);

/* Which of the applied plans; NULL: any. */
struct applied_ask {
	struct entry_scope scope;
	const char *to;   /* a version: those of one migration that led beyond it; a number of a database's history: */
	                  /* those that came after it, all of it for 0 */
	const char *plan; /* the one with this plan_hash */
	bool last;        /* the newest, and those before it that came in one stream with it */
};

/*
 * Write the plans that are applied and not rolled back, newest first, and their
 * end, whose digest is over hash LF; none is a warning "none_applied".  One of them
 * that was pruned is MIG_PRECONDITION "pruned", and then none is written; a named
 * plan that is not applied is MIG_PRECONDITION "not_applied", a number that the
 * history does not have MIG_PRECONDITION "no_version"; plans of several migrations
 * beyond a version are MIG_USAGE "ambiguous".  The whole chain is checked first:
 * MIG_INVALID "ledger_broken" where it does not hold.  0, or -1 after a finding.
 */
int applied_plans(struct store *s, const struct applied_ask *ask, struct out *out, struct diag *d);

#endif
