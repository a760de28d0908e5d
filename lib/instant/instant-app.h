/*
 * instant-app.h -- an InstantDB app, asked and told over its admin interface.
 *
 * Floor 8.  POST /admin/query, POST /admin/transact, and for the names of links
 * GET /dash/apps/APP/schema/pull.
 */
#ifndef MIG_INSTANT_APP_H
#define MIG_INSTANT_APP_H

#include "canon.h"
#include "http.h"

struct instant_app {
	char *name;        /* the app's id */
	char *api;         /* without a slash at its end */
	char *token;       /* NULL: none was given */
	char *ca;          /* certificates to trust, or NULL */
	unsigned timeout;  /* seconds for an answer */
	/* private */
	struct http *http; /* opened when first asked */
	char *header;
	struct buf answer;
	struct doc doc;    /* of the answer that came last */
	bool pulled;       /* what schema/pull said is here: */
	struct buf schema;
	struct doc links;
};

#define INSTANT_APP_INIT { .name = NULL }

/* How an app is reached; borrowed, NULL and nothing over 0 for what is usual. */
struct instant_how {
	const char *api, *token_file, *ca;
	int64_t timeout;
};

/*
 * Check the name and the URL and read the token: 0, or -1 after MIG_USAGE
 * "bad_store" or "bad_url", MIG_PRECONDITION "bad_token".  Nobody is asked.
 */
int instant_app_open(struct instant_app *a, const char *name, const struct instant_how *how, struct diag *d);
void instant_app_release(struct instant_app *a);

/* Is there what an app is asked with?  0, or -1 after MIG_PRECONDITION "missing_instant_credentials". */
int instant_app_ready(struct instant_app *a, struct diag *d);

/*
 * Ask once for the n bytes of query, an InstaQL object; the answer, an object, is in a->doc until the
 * next question.  0, or -1 after a finding of http_ask or MIG_INVALID "bad_answer".
 */
int instant_query(struct instant_app *a, const char *query, size_t n, struct diag *d);

/* Send the array of steps once.  0 means that the server said 200, and nothing more. */
int instant_transact(struct instant_app *a, const char *steps, size_t n, struct diag *d);

/*
 * Call each with the name of every link, of either direction, that an entity
 * has in the app's schema, which is asked for once.  0, or -1 after a finding.
 */
int instant_labels(struct instant_app *a, const char *entity, void (*each)(void *arg, char *label), void *arg,
                   struct diag *d);

/* May what failed last pass, so that it may be tried again? */
bool instant_may_pass(const struct instant_app *a);

#endif
