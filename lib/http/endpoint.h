/*
 * endpoint.h -- where rows come from that no store of ours holds.
 *
 * Floor 7.
 *
 *	https://HOST/PATH      a domain endpoint: GET its descriptor, POST a query
 *	instantdb:APP          an InstantDB app, by its admin interface, page by page
 *	response:domain        what a domain endpoint answered, on an fd
 *	response:instantdb     what the admin interface answered, on an fd
 *
 * Answers are other people's: whatever is not as it should be is MIG_INVALID
 * "bad_answer", and one that does not hold everything is never taken for one
 * that does.
 */
#ifndef MIG_ENDPOINT_H
#define MIG_ENDPOINT_H

#include "http.h"
#include "query.h"
#include "text.h"

enum endpoint_kind { ENDPOINT_NONE, ENDPOINT_DOMAIN, ENDPOINT_INSTANT, ENDPOINT_SAVED_DOMAIN, ENDPOINT_SAVED_INSTANT };

/* By its scheme; ENDPOINT_NONE: not one of these. */
enum endpoint_kind endpoint_kind(const char *uri);

/* Is it asked over HTTP? */
static inline bool endpoint_online(enum endpoint_kind k)
{
	return k == ENDPOINT_DOMAIN || k == ENDPOINT_INSTANT;
}

/* The app of instantdb:APP; "" if it names none. */
const char *endpoint_app(const char *uri);

struct endpoint_ask {
	const char *uri;
	const char *tenant;        /* whose rows a domain endpoint is asked for */
	const char *api;           /* where InstantDB's interface is */
	const struct query *query; /* NULL: whatever a saved answer holds */
	int64_t page;              /* rows of a page, at least 2 */
	size_t max;                /* bytes of an answer */
	int fd;                    /* of a saved answer */
};

/* Check the URI and the query of ask without a word to anybody: 0, MIG_USAGE "bad_url", "bad_store", or "bad_query". */
int endpoint_check(const struct endpoint_ask *ask, struct diag *d);

/* Takes a row: an object, at token row of an answer. */
typedef int endpoint_each(void *arg, struct text entity, const struct doc *answer, uint32_t row, struct diag *d);

/*
 * Read all rows, in whatever order they come, and append the descriptor, if
 * there is one, as canonical JSON.  h is NULL for a saved answer.  0, or -1 after
 * a finding: those of http_ask, MIG_INVALID "dataset_truncated" or "dataset_changed".
 */
int endpoint_read(const struct endpoint_ask *ask, struct http *h, endpoint_each *each, void *arg,
                  struct buf *descriptor, struct diag *d);

#endif
