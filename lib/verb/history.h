/*
 * history.h -- the entries of a store's ledger, and what they did to a document.
 *
 * Floor 13.  Reads the store.
 */
#ifndef MIG_HISTORY_H
#define MIG_HISTORY_H

#include "entry-scope.h"
#include "store.h"
#include "stream.h"

/* Is that what an entry's event may be? */
bool history_event(const char *name);

/* Which entries; NULL: any. */
struct history_ask {
	struct entry_scope scope;
	const char *version;       /* the target version */
	const char *event;
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

#endif
