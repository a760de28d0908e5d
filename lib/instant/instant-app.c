/* instant-app.c -- see instant-app.h */
#include "instant-app.h"

#include "record.h"
#include "stream.h"
#include "token.h"

#include <stdlib.h>

static const char usual_api[] = "https://api.instantdb.com";

enum { USUAL_TIMEOUT = 60 };

int instant_app_open(struct instant_app *a, const char *name, const struct instant_how *how, struct diag *d)
{
	static const char id[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *api = how->api ? how->api : usual_api;
	size_t n = strlen(api);

	*a = (struct instant_app){ .timeout = how->timeout > 0 ? (unsigned)how->timeout : USUAL_TIMEOUT,
		                   .doc = DOC_INIT, .links = DOC_INIT };
	if (name[strspn(name, id)])
		return diag_add(d, MIG_USAGE, "bad_store", NULL, "instantdb:APP: not the id of an app");
	if (http_url(api, d) < 0)
		return -1;
	while (n && api[n - 1] == '/')
		n--;
	a->name = xstrdup(name);
	a->api = xmemdup(api, n);
	a->header = xasprintf("app-id: %s", name);
	a->ca = how->ca ? xstrdup(how->ca) : NULL;
	return token_read(how->token_file, &a->token, d);
}

void instant_app_release(struct instant_app *a)
{
	http_close(a->http);
	token_free(a->token);
	free(a->name);
	free(a->api);
	free(a->ca);
	free(a->header);
	buf_release(&a->answer);
	buf_release(&a->schema);
	doc_release(&a->doc);
	doc_release(&a->links);
	*a = (struct instant_app)INSTANT_APP_INIT;
}

int instant_app_ready(struct instant_app *a, struct diag *d)
{
	const struct http_how how = { .token = a->token, .ca = a->ca, .timeout = a->timeout,
		                      .max = stream_max_record() };

	if (!*a->name)
		return diag_add(d, MIG_PRECONDITION, "missing_instant_credentials", NULL,
		                "instantdb:APP: no app is named");
	if (!a->token) {
		diag_hint(d, "put the app's admin token into MIG_TOKEN, or into a file for --token-file");
		return diag_add(d, MIG_PRECONDITION, "missing_instant_credentials", NULL, "no token for the app");
	}
	if (!a->http)
		a->http = http_open(&how, d);
	return a->http ? 0 : -1;
}

bool instant_may_pass(const struct instant_app *a)
{
	return a->http && http_may_pass(a->http);
}

/* Ask once below the interface's URL; body NULL: GET. */
static int ask(struct instant_app *a, const char *path, const char *what, const struct buf *body, struct buf *answer,
               struct diag *d)
{
	const char *const header[] = { a->header, NULL };

	if (instant_app_ready(a, d) < 0)
		return -1;
	char *url = xasprintf("%s%s", a->api, path);
	const struct http_ask question = {
		.url = url,
		.what = what,
		.header = header,
		.body = body ? body->s : NULL,
		.nbody = body ? body->len : 0,
		.once = true,
	};
	int rc = http_ask(a->http, &question, answer, d);

	free(url);
	return rc;
}

/* {"name":value} */
static int post(struct instant_app *a, const char *path, const char *what, const char *name, const char *value,
                size_t n, struct diag *d)
{
	struct buf body = BUF_INIT;
	struct rec w;

	rec_open(&w, &body);
	rec_raw(&w, name, value, n);
	rec_close(&w);
	int rc = ask(a, path, what, &body, &a->answer, d);

	buf_release(&body);
	return rc;
}

/* Index what came, which must be an object. */
static int parse(struct doc *doc, const struct buf *answer, struct diag *d)
{
	if (doc_parse(doc, answer->s, answer->len, DOC_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "bad_answer", NULL,
		                "the answer is not JSON: line %zu, column %zu: %s", doc->err.line, doc->err.column,
		                doc->err.reason);
	if (doc->tok[0].type != DOC_OBJECT)
		return diag_add(d, MIG_INVALID, "bad_answer", NULL, "the answer is not an object");
	return 0;
}

int instant_query(struct instant_app *a, const char *query, size_t n, struct diag *d)
{
	return post(a, "/admin/query", "the query", "query", query, n, d) < 0 ? -1 : parse(&a->doc, &a->answer, d);
}

int instant_transact(struct instant_app *a, const char *steps, size_t n, struct diag *d)
{
	return post(a, "/admin/transact", "the transaction", "steps", steps, n, d);
}

static int pull_schema(struct instant_app *a, struct diag *d)
{
	char *path = xasprintf("/dash/apps/%s/schema/pull", a->name);
	int rc = ask(a, path, "the schema", NULL, &a->schema, d);

	free(path);
	if (rc == 0)
		rc = parse(&a->links, &a->schema, d);
	return rc;
}

/* ["2f..","posts","author"]: the label, if it is one of the entity; new. */
static char *label_of(const struct doc *d, uint32_t identity, const char *entity)
{
	if (identity == DOC_NONE || d->tok[identity].type != DOC_ARRAY || d->tok[identity].n != 3)
		return NULL;
	uint32_t name = d->tok[identity + 1].next, label = d->tok[name].next;

	return doc_equals(d, name, entity, strlen(entity)) && d->tok[label].type == DOC_STRING ? record_dup(d, label)
	                                                                                         : NULL;
}

int instant_labels(struct instant_app *a, const char *entity, void (*each)(void *arg, char *label), void *arg,
                   struct diag *d)
{
	static const char *const ends[] = { "forward-identity", "reverse-identity" };
	struct doc_walk w;
	uint32_t key;

	if (!a->pulled && pull_schema(a, d) < 0)
		return -1;
	a->pulled = true;
	uint32_t refs = doc_member(&a->links, doc_member(&a->links, 0, "schema", 6), "refs", 4);

	if (refs == DOC_NONE || a->links.tok[refs].type != DOC_OBJECT)
		return diag_add(d, MIG_INVALID, "bad_answer", NULL, "the schema does not name the app's links");
	for (doc_walk_init(&w, &a->links, refs); (key = doc_walk_next(&w));)
		for (size_t i = 0; i < 2; i++) {
			uint32_t end = doc_member(&a->links, key + 1, ends[i], strlen(ends[i]));
			char *label = label_of(&a->links, end, entity);

			if (label)
				each(arg, label);
			free(label);
		}
	return 0;
}
