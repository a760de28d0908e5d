/*
 * instant-standing.h -- what the ledger of an app says of a plan.
 *
 * Floor 10.
 */
#ifndef MIG_INSTANT_STANDING_H
#define MIG_INSTANT_STANDING_H

#include "ledger.h"

enum instant_is {
	INSTANT_NOT,     /* nothing that would count */
	INSTANT_BEGUN,   /* and not ended */
	INSTANT_DONE,    /* committed, or of a rollback: it is done */
	INSTANT_BACKING, /* a rollback of it was begun, and not ended */
	INSTANT_BACK     /* rolled back */
};

/* A batch that was done since the plan was last begun, and the backup that it made. */
struct instant_done {
	char *step_id;
	char file[80], hash[HEX_SIZE]; /* "" if it made none */
};

struct instant_standing {
	enum instant_is is;
	int64_t seq; /* of the entry that last began it */
	struct instant_done *done;
	size_t n;
};

/*
 * Read the ledger in fd, -1 for none.  undoes: of a rollback plan, the plan that it undoes, whose
 * entries end what was begun before; else NULL.  0, or -1 after a finding.
 */
int instant_standing_read(struct instant_standing *s, int fd, const char *plan_hash, const char *undoes,
                          struct diag *d);
void instant_standing_release(struct instant_standing *s);

/* Append the last entry that counts for a plan, the rollback of it among them: 1, 0 if there is none, -1. */
int instant_standing_last(int fd, const char *plan_hash, struct buf *out, struct diag *d);

/* Was a batch done?  NULL if not. */
const struct instant_done *instant_standing_find(const struct instant_standing *s, struct text step_id);

#endif
