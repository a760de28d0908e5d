/*
 * apply.h -- use permits: do what their plans say.
 *
 * Floor 13.  Nothing is written before the input's end has been verified.
 */
#ifndef MIG_APPLY_H
#define MIG_APPLY_H

#include "spool.h"
#include "store.h"
#include "stream.h"
#include "trust.h"

struct apply_ask {
	int64_t lock_timeout;  /* seconds to wait for another writer */
	const char *now;       /* fixed time, or NULL: the clock */
	int64_t deadline;      /* seconds that all of it may take; 0: any */
	int64_t jobs;          /* processes at work on plans; 0 or 1: this one */
	bool recover;          /* also where there is no permit: see to what killed runs left, as the next says */
	enum store_recovery recovery;
	const char *actor;     /* who does that, and whose verdicts they are */
	int64_t retries;       /* of a batch of rows, after a failure that may pass */
	int64_t batch_delay;   /* ms from one batch of rows to the next */
	struct trust *trust;   /* which permits to believe; borrowed */
};

/*
 * Read permits; once the last has been checked again by the built-in rules, do
 * their plans in order and write an outcome for each, then their end.  Rejects
 * are forwarded.  Stops at the first plan that fails, after its outcome.  0, or
 * -1 after a finding: a plan without a permit is MIG_UNSAFE "no_permit", one
 * that trust.h does not believe is refused before the store is touched, an
 * unknown kind is MIG_USAGE.  A stream of several rollback plans is checked as a
 * whole before its first write, and so is the deadline: MIG_ERROR "deadline".
 *
 * Or read verdicts: write each into the ledger, and forward them, also those
 * that a fault follows.  Borrows the spool, open and empty.
 */
int apply_run(struct store *s, const struct apply_ask *ask, struct spool *spool, struct stream *in, struct out *out,
              struct diag *d);

#endif
