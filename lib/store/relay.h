/*
 * relay.h -- what a process that does plans for another one asks of it.
 *
 * Floor 3.  One process holds a store's lock, its ledger and the sync; those
 * that it forked reach them through it.
 */
#ifndef MIG_RELAY_H
#define MIG_RELAY_H

#include "diag.h"
#include "digest.h"

enum relay_ask {
	RELAY_LAST,   /* text is a plan_hash: what does the ledger say of it? */
	RELAY_SYNC,   /* wait until all that was written is on the disk */
	RELAY_TURN,   /* wait until every plan ahead has begun */
	RELAY_RECORD, /* text is entries, in lines: put them into the ledger, on the disk */
	RELAY_BEGIN,  /* the same, but not before its turn */
	RELAY_COMMIT  /* the same, but not before every plan ahead has ended well */
};

struct relay_answer {
	bool unsure;         /* a sync failed: what is on the disk is not known */
	int64_t seq;         /* the ledger's last entry */
	char head[HEX_SIZE];
	bool known, pruned;  /* RELAY_LAST: is there an entry, and was the plan pruned since? */
	char event[16];
};

struct relay {
	/* 0, or -1 after a finding; exchanged: a document has its new bytes already. */
	int (*ask)(void *arg, enum relay_ask what, bool exchanged, const char *text, size_t n, struct relay_answer *a,
	           struct diag *d);
	void *arg;
};

#endif
