/*
 * verify-drift.h -- is a database as it was recorded to be?
 *
 * Floor 13.  Reads the database, never writes.
 */
#ifndef MIG_VERIFY_DRIFT_H
#define MIG_VERIFY_DRIFT_H

#include "store.h"
#include "stream.h"

/*
 * A database against what was recorded of it: one verdict about no plan, and an
 * end.  0, or -1 after MIG_INVALID "tampered" or "drift", or MIG_USAGE for a store of documents.
 */
int verify_drift(struct store *s, bool strict, struct out *out, struct diag *d);

#endif
