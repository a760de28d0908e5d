/*
 * verify-way.h -- what mig-verify is to look at: plans, a ledger, the evidence of documents, or a database.
 *
 * Floor 15.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_WAY_H
#define MIG_VERIFY_WAY_H

#include "cli.h"
#include "verify.h"

/* At most one of ledger, set and drift; none: the plans of the stream. */
struct verify_way {
	const char *store, *set;
	bool ledger, drift;
	const char *head;      /* with ledger: kept elsewhere; or NULL */
	struct store_how how;
	struct verify_ask ask; /* without against_text */
};

/* Which options are wrong, or do not go together: a text for the usage, or NULL. */
const char *verify_way_wrong(const struct verify_way *w);

/* Does it read a stream? */
static inline bool verify_way_reads(const struct verify_way *w)
{
	return !w->ledger && !w->set && !w->drift;
}

/*
 * Open the store and what it is held against, give up the rest, and write verdicts.
 * Findings, in f, are those of set.h, store.h, verify.h, verify-drift.h, verify-ledger.h and evidence.h;
 * MIG_PRECONDITION "missing_plan_file" for a file of --against.
 */
void verify_way_run(const struct verify_way *w, struct filter *f);

#endif
