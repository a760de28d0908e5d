/*
 * verify.h -- does the store hold what the plans promise?
 *
 * Floor 12.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_H
#define MIG_VERIFY_H

#include "store.h"
#include "stream.h"

struct verify_ask {
	const char *against;            /* a file of plans that stdin's must equal, or NULL, */
	const struct buf *against_text; /* and what it holds */
	bool strict;                    /* warnings count */
};

/*
 * Read plans, permits or outcomes; write a verdict for each, then their end.
 * 0, or -1 after findings (MIG_INVALID): "not_applied", "drift", "history",
 * "plan_hash_mismatch"; "rewritten" is a warning.  Goes on after a plan that
 * does not hold, so that all are judged.
 */
int verify_run(struct store *s, const struct verify_ask *ask, struct stream *in, struct out *out, struct diag *d);

/*
 * Re-compute the ledger's chain and write a verdict of it, which holds its seq
 * and head, and an end.  head, if not NULL, was kept elsewhere: it must be the
 * hash of one of the entries, or the tail was cut or the chain written anew.
 * 0, or -1 after MIG_INVALID "ledger_broken" or "head_missing".
 */
int verify_ledger(struct store *s, const char *head, struct out *out, struct diag *d);

#endif
