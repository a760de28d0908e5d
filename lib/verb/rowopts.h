/*
 * rowopts.h -- the options of mig-extract that ask for rows.
 *
 * Floor 15.
 */
#ifndef MIG_ROWOPTS_H
#define MIG_ROWOPTS_H

#include "cli.h"
#include "dataset.h"

struct rowopts {
	const char *store, *set, *tenant, *env;
	struct dataset_ask ask; /* query, entity, after; the rest goes with an endpoint */
	bool others;            /* was anything given that does not go with rows? */
};

#define ROWOPTS_INIT { .ask = { .page = CLI_NONE, .timeout = CLI_NONE, .retries = CLI_NONE } }

/* Does a store hold rows: is it an endpoint or a database? */
bool rowopts_store(const char *store);

/* Was one of the options given that go with rows alone? */
bool rowopts_given(const struct rowopts *o);

/* Check them, and fill in what was not given: MIG_USAGE after a line and the usage on stderr, or -1 to go on. */
int rowopts_check(struct rowopts *o, const char *help);

/* Read the rows. */
int rowopts_run(const struct rowopts *o, struct out *out, struct diag *d);

#endif
