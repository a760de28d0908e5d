/*
 * query.h -- what is asked of an endpoint: entities, and options of each.
 *
 * Floor 6.
 *
 *	{"contexts":{"$":{"where":{"open":true}}},"events":{}}
 */
#ifndef MIG_QUERY_H
#define MIG_QUERY_H

#include "canon.h"
#include "diag.h"

struct query {
	struct buf text;     /* canonical */
	struct doc doc;      /* its index: an object of objects, not empty */
	char hash[HEX_SIZE]; /* of the text */
};

#define QUERY_INIT { .doc = DOC_INIT }

/*
 * Read the query of file, or, without one, ask for entity alone.  With both,
 * only that entity of the query is kept.  0, or a finding: MIG_PRECONDITION
 * "missing_query", MIG_INVALID "bad_query".
 */
int query_read(struct query *q, const char *file, const char *entity, struct diag *d);
void query_release(struct query *q);

/*
 * Append the query for one page of the entity at token key: its own, with limit
 * and offset among its options.  0, or MIG_INVALID "bad_query" where it has a
 * paging of its own.
 */
int query_page(const struct query *q, uint32_t key, int64_t limit, int64_t offset, struct buf *out, struct diag *d);

#endif
