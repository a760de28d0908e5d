/*
 * crew-hand.h -- a crew's worker, from its own side.
 *
 * Floor 11.
 */
#ifndef MIG_CREW_HAND_H
#define MIG_CREW_HAND_H

#include "io.h"
#include "store.h"

enum { CREW_MAX = 64 };

struct crew_job {
	uint64_t where; /* the worker's own business */
	bool alone;     /* not before all ahead have ended */
};

struct crew {
	struct store *s;
	unsigned n;                 /* processes, at most CREW_MAX */
	const struct crew_job *job;
	size_t njob;
	/* In a worker: do a plan and append its outcome record; 0, or -1 after a finding. */
	int (*work)(void *arg, const struct crew_job *job, struct buf *line, struct diag *d);
	void *arg;
	struct out *out;
};

/* What goes up beside an enum relay_ask: the end of a job, its outcome and its findings. */
enum { CREW_DONE = 100 };

/*
 * In the process that was just forked by parent: do the jobs whose numbers come
 * from the pipe from, one after the other, and ask for what they need through
 * the pipe to; ends the process when from is closed.
 */
_Noreturn void crew_hand(const struct crew *c, int parent, int from, int to);

#endif
