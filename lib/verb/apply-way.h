/*
 * apply-way.h -- what mig-apply is to do to the store: use permits, or prune.
 *
 * Floor 15.
 */
#ifndef MIG_APPLY_WAY_H
#define MIG_APPLY_WAY_H

#include "apply.h"
#include "cli.h"

/* All borrowed. */
struct apply_way {
	const char *store;
	struct store_how how;
	char **trust;          /* files of keys, NULL-ended; or NULL */
	const char *recover;   /* "redo", "undo", or NULL */
	struct apply_ask ask;  /* without trust and recovery; the deadline may be CLI_NONE */
	/* instead of permits: */
	bool prune, apply;     /* apply: not only show it */
	const char *before;    /* RFC 3339 in UTC */
	const char *ticket;
};

#define APPLY_WAY_INIT                                                                                                 \
	{                                                                                                              \
		.how = { .mode = STORE_WRITE, .timeout = CLI_NONE },                                                   \
		.ask = { .lock_timeout = 10, .deadline = CLI_NONE, .jobs = 1, .retries = 4 },                          \
	}

/* Which options are out of their range, or do not go together: a text for the usage, or NULL. */
const char *apply_way_wrong(const struct apply_way *w);

/*
 * Open the store and read the keys, give up the rest, and do it.  Findings, in f, are those
 * of store.h, trust.h, apply.h and prune.h; MIG_USAGE "no_jobs" for several processes
 * that would write to a database or an app.
 */
void apply_way_run(const struct apply_way *w, struct filter *f);

#endif
