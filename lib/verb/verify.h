/*
 * verify.h -- does the store hold what the plans promise?
 *
 * Floor 13.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_H
#define MIG_VERIFY_H

#include "store.h"
#include "stream.h"

struct verify_ask {
	const char *against;            /* a file of plans that stdin's must equal, or NULL, */
	const struct buf *against_text; /* and what it holds */
	bool strict;                    /* warnings count */
	bool rehearse;                  /* try the plans and their rollbacks on a copy of the database instead */
};

/*
 * Read plans, permits or outcomes; write a verdict for each, then their end.
 * 0, or -1 after findings (MIG_INVALID): "not_applied", "drift", "history",
 * "plan_hash_mismatch"; "rewritten" is a warning.  Goes on after a plan that
 * does not hold, so that all are judged.
 */
int verify_run(struct store *s, const struct verify_ask *ask, struct stream *in, struct out *out, struct diag *d);

#endif
