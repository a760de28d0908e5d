/*
 * pace.h -- how fast a store was written before, by its own ledger.
 *
 * Floor 11.
 */
#ifndef MIG_PACE_H
#define MIG_PACE_H

#include "store.h"

/* What commits and rollbacks wrote, and how long they took. */
struct pace {
	int64_t documents, ms; /* ms is 0 where nothing is known */
};

/* Read the ledger.  Entries without a duration, or of a run with a fixed clock, do not count. */
int pace_read(struct pace *p, struct store *s, struct diag *d);

/* How long so many documents would take, in ms; 0 where it cannot be told. */
int64_t pace_of(const struct pace *p, int64_t documents);

#endif
