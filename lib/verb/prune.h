/*
 * prune.h -- drop plans and originals that no open rollback needs.
 *
 * Floor 12.
 */
#ifndef MIG_PRUNE_H
#define MIG_PRUNE_H

#include "io.h"
#include "store.h"

struct prune_ask {
	const char *before;         /* RFC 3339 in UTC */
	bool apply;                 /* else only show */
	int64_t lock_timeout;       /* seconds to wait for another writer */
	struct apply_ctx ctx;       /* its grant says who, and the ticket */
};

/*
 * Write a prune record and an end, and drop what it names if ask says apply.
 * MIG_UNSAFE "prod_ticket" where a plan of env prod would go without a ticket.
 */
int prune_run(struct store *s, const struct prune_ask *ask, struct out *out, struct diag *d);

#endif
