/*
 * dataset.h -- read the rows of an endpoint into a stream.
 *
 * Floor 13.
 */
#ifndef MIG_DATASET_H
#define MIG_DATASET_H

#include "endpoint.h"
#include "stream.h"

struct dataset_ask {
	const char *uri;         /* see endpoint.h */
	const char *tenant, *env;
	const char *query;       /* a file, or NULL */
	const char *entity;      /* only this one, or NULL */
	const char *after;       /* only references behind this one, or NULL */
	const char *token_file;  /* or NULL: MIG_TOKEN */
	const char *ca, *api;
	int64_t page, timeout, retries;
};

/*
 * Read all rows, then write a snapshot record, a document record for each row in
 * byte order of references, or a reject for one that cannot be one, and the
 * end.  Nothing is written before everything was read.  0, or -1 after a finding:
 * those of query.h, token.h and endpoint.h, MIG_PRECONDITION
 * "missing_instant_credentials", MIG_INVALID "duplicate_row".
 */
int dataset_run(const struct dataset_ask *ask, struct out *out, struct diag *d);

#endif
