/*
 * spent.h -- grants whose work has been undone since.
 *
 * Floor 10.  A grant lets its plan run until that plan has been rolled back; one
 * of a rollback, until the plan that it undid has been applied again.  The
 * ledger's entries tell, by their nonces.
 */
#ifndef MIG_SPENT_H
#define MIG_SPENT_H

#include "ledger.h"

/* A grant that somebody is about to use. */
struct use {
	char *nonce; /* owned */
	char plan_hash[HEX_SIZE];
	char undoes[HEX_SIZE]; /* of a rollback plan; empty */
};

struct uses {
	struct use *list;
	size_t n, cap;
};

#define USES_INIT { .list = NULL }

void uses_release(struct uses *u);
void uses_add(struct uses *u, const struct grant *g, const struct plan *p);

/*
 * Look for them in the ledger in fd: 0, or -1 after MIG_UNSAFE "spent_permit", or
 * MIG_INVALID "ledger_broken" where the chain cannot be believed.  A ledger that
 * knows none of the nonces is only searched for their text.
 */
int spent_check(int fd, const struct uses *u, struct diag *d);

#endif
