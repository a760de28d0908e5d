/* endpoint.c -- see endpoint.h */
#include "endpoint.h"

#include "fs-root.h"
#include "io.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>

#define DOMAIN "/.well-known/ekairos/v1/domain"
enum { LARGE_SHARE = 4 }; /* of an answer: what a descriptor may take of a record */

struct reading {
	const struct endpoint_ask *ask;
	struct http *h;
	endpoint_each *each;
	void *arg;
	struct diag *d;
	struct buf answer, body, last_row;
	struct doc doc; /* of the answer */
};

enum endpoint_kind endpoint_kind(const char *uri)
{
	if (strncmp(uri, "https://", 8) == 0 || strncmp(uri, "http://", 7) == 0)
		return ENDPOINT_DOMAIN;
	if (strncmp(uri, "instantdb:", 10) == 0)
		return ENDPOINT_INSTANT;
	if (strcmp(uri, "response:domain") == 0)
		return ENDPOINT_SAVED_DOMAIN;
	return strcmp(uri, "response:instantdb") == 0 ? ENDPOINT_SAVED_INSTANT : ENDPOINT_NONE;
}

const char *endpoint_app(const char *uri)
{
	return endpoint_kind(uri) == ENDPOINT_INSTANT ? uri + 10 : "";
}

int endpoint_check(const struct endpoint_ask *ask, struct diag *d)
{
	static const char id[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *app = endpoint_app(ask->uri);
	enum endpoint_kind kind = endpoint_kind(ask->uri);
	struct buf none = BUF_INIT;
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	if (kind == ENDPOINT_DOMAIN)
		return http_url(ask->uri, d);
	if (kind != ENDPOINT_INSTANT)
		return 0;
	if (app[strspn(app, id)])
		return diag_add(d, MIG_USAGE, "bad_store", NULL, "instantdb:APP: not the id of an app");
	for (doc_walk_init(&w, &ask->query->doc, 0); rc == 0 && (key = doc_walk_next(&w));)
		rc = query_page(ask->query, key, ask->page, 0, &none, d);
	buf_release(&none);
	return rc < 0 ? -1 : http_url(ask->api, d);
}

static int bad(struct reading *r, const char *what)
{
	return diag_add(r->d, MIG_INVALID, "bad_answer", NULL, "the answer %s", what);
}

/* Index what came. */
static int parse(struct reading *r)
{
	const struct doc_error *e = &r->doc.err;

	if (doc_parse(&r->doc, r->answer.s, r->answer.len, DOC_MAX_DEPTH) == 0)
		return 0;
	return diag_add(r->d, MIG_INVALID, "bad_answer", NULL, "the answer is not JSON: line %zu, column %zu: %s",
	                e->line, e->column, e->reason);
}

/* Hand out the rows of the entity at token key from the one at index from on. */
static int put_rows(struct reading *r, uint32_t key, uint32_t from)
{
	const struct doc *a = &r->doc;
	struct buf arena = BUF_INIT;
	struct text entity = record_text(a, key, &arena);
	uint32_t i = 0;
	int rc = 0;

	for (uint32_t t = key + 2; rc == 0 && t < a->tok[key + 1].next; t = a->tok[t].next, i++) {
		if (a->tok[t].type != DOC_OBJECT)
			rc = bad(r, "has a row that is no object");
		else if (i >= from)
			rc = r->each(r->arg, entity, a, t, r->d);
	}
	buf_release(&arena);
	return rc;
}

/* What stands beside the rows: InstantDB may add what is no list to its answer, a domain's data is all lists. */
static bool is_aside(const struct reading *r, uint32_t value)
{
	enum endpoint_kind kind = endpoint_kind(r->ask->uri);

	return r->doc.tok[value].type != DOC_ARRAY && (kind == ENDPOINT_INSTANT || kind == ENDPOINT_SAVED_INSTANT);
}

static bool is_asked_for(const struct reading *r, uint32_t key)
{
	struct buf name = BUF_INIT;

	if (!r->ask->query)
		return true;
	doc_string(&r->doc, key, &name);
	bool asked = doc_member(&r->ask->query->doc, 0, name.s ? name.s : "", name.len) != DOC_NONE;

	buf_release(&name);
	return asked;
}

/* Has the object at token t exactly the entities of the query? */
static int check_entities(struct reading *r, uint32_t t)
{
	struct doc_walk w;
	uint32_t key, n = 0;

	for (doc_walk_init(&w, &r->doc, t); (key = doc_walk_next(&w));) {
		if (is_aside(r, key + 1))
			continue;
		if (r->doc.tok[key + 1].type != DOC_ARRAY)
			return bad(r, "has an entity that is no list of rows");
		if (!is_asked_for(r, key))
			return bad(r, "has rows that were not asked for");
		n++;
	}
	/* as many, and all of them asked for: the same */
	return r->ask->query && n != r->ask->query->doc.tok[0].n ? bad(r, "lacks an entity that was asked for") : 0;
}

/* All rows of the object at token t, whose members are lists. */
static int put_entities(struct reading *r, uint32_t t)
{
	struct doc_walk w;
	uint32_t key;
	int rc = check_entities(r, t);

	for (doc_walk_init(&w, &r->doc, t); rc == 0 && (key = doc_walk_next(&w));)
		rc = is_aside(r, key + 1) ? 0 : put_rows(r, key, 0);
	return rc;
}

/* "contexts: 50 of 120 rows" */
static int say_truncated(struct reading *r, uint32_t t)
{
	const struct doc *a = &r->doc;
	struct doc_walk w;
	uint32_t key;

	diag_hint(r->d, "the admin interface gives all of it: --store instantdb:APP");
	if (a->tok[t].type != DOC_OBJECT || a->tok[t].n == 0)
		return diag_add(r->d, MIG_INVALID, "dataset_truncated", NULL, "the answer is truncated");
	for (doc_walk_init(&w, a, t); (key = doc_walk_next(&w));) {
		uint32_t returned = doc_member(a, key + 1, "returned", 8), total = doc_member(a, key + 1, "total", 5);
		int64_t got = -1, all = -1;
		struct buf name = BUF_INIT, shown = BUF_INIT;

		doc_string(a, key, &name);
		fs_escape(&shown, name.s, name.len);
		const char *entity = shown.len ? shown.s : "\"\"";

		if (returned != DOC_NONE && total != DOC_NONE && doc_int(a, returned, &got) && doc_int(a, total, &all))
			diag_add(r->d, MIG_INVALID, "dataset_truncated", entity, "%lld of %lld rows returned",
			         (long long)got, (long long)all);
		else
			diag_add(r->d, MIG_INVALID, "dataset_truncated", entity, "not all rows returned");
		buf_release(&name);
		buf_release(&shown);
	}
	return -1;
}

static int read_domain_answer(struct reading *r)
{
	const struct doc *a = &r->doc;

	if (parse(r) < 0)
		return -1;
	uint32_t ok = doc_member(a, 0, "ok", 2), data = doc_member(a, 0, "data", 4);
	uint32_t truncated = doc_member(a, 0, "truncated", 9);

	if (ok == DOC_NONE || a->tok[ok].type != DOC_TRUE)
		return bad(r, "is not an object that says ok");
	if (truncated == DOC_NONE)
		return bad(r, "does not say whether it was truncated");
	if (a->tok[truncated].type != DOC_NULL)
		return say_truncated(r, truncated);
	if (data == DOC_NONE || a->tok[data].type != DOC_OBJECT)
		return bad(r, "has no data");
	return put_entities(r, data);
}

static int read_instant_answer(struct reading *r)
{
	if (parse(r) < 0)
		return -1;
	return r->doc.tok[0].type == DOC_OBJECT ? put_entities(r, 0) : bad(r, "is not an object");
}

/* The endpoint below a base, or the URL itself if that names it. */
static char *domain_url(const char *uri)
{
	size_t n = strlen(uri), tail = sizeof DOMAIN - 1;

	if (n >= tail && strcmp(uri + n - tail, DOMAIN) == 0)
		return xstrdup(uri);
	while (n && uri[n - 1] == '/')
		n--;
	return xasprintf("%.*s" DOMAIN, (int)n, uri);
}

static int read_descriptor(struct reading *r, const char *url, struct buf *descriptor)
{
	const struct http_ask get = { .url = url, .what = "the descriptor", .again = true };

	if (http_ask(r->h, &get, &r->answer, r->d) < 0 || parse(r) < 0)
		return -1;
	if (r->doc.tok[0].type != DOC_OBJECT)
		return bad(r, "is no descriptor");
	canon_value(descriptor, &r->doc, 0, DOC_NONE);
	return descriptor->len > r->ask->max / LARGE_SHARE ? bad(r, "is a descriptor too large for a record") : 0;
}

static int read_domain(struct reading *r, struct buf *descriptor)
{
	char *url = domain_url(r->ask->uri);
	struct rec w;

	rec_open(&w, &r->body);
	rec_cstr(&w, "orgId", r->ask->tenant);
	rec_raw(&w, "query", r->ask->query->text.s, r->ask->query->text.len);
	rec_close(&w);
	const struct http_ask post = {
		.url = url, .what = "the query", .body = r->body.s, .nbody = r->body.len, .again = true
	};
	int rc = read_descriptor(r, url, descriptor);

	if (rc == 0)
		rc = http_ask(r->h, &post, &r->answer, r->d);
	if (rc == 0)
		rc = read_domain_answer(r);
	free(url);
	return rc;
}

/*
 * Does this page begin with the row that the page before it ended with?  Pages
 * overlap by that row, so that a row which came or went ahead of it, and would
 * have let another slip through between two pages, is noticed.
 */
static bool goes_on(struct reading *r, uint32_t list)
{
	struct buf first = BUF_INIT;

	if (r->doc.tok[list].n > 0)
		canon_value(&first, &r->doc, list + 1, DOC_NONE);
	bool same = first.len == r->last_row.len && first.len && memcmp(first.s, r->last_row.s, first.len) == 0;

	buf_release(&first);
	return same;
}

static void keep_last_row(struct reading *r, uint32_t list)
{
	uint32_t last = DOC_NONE;

	for (uint32_t t = list + 1; t < r->doc.tok[list].next; t = r->doc.tok[t].next)
		last = t;
	buf_reset(&r->last_row);
	if (last)
		canon_value(&r->last_row, &r->doc, last, DOC_NONE);
}

/* The list of the entity that token key of the query asks for, in an answer that has no other. */
static int find_list(struct reading *r, uint32_t key, uint32_t *found)
{
	const struct doc *a = &r->doc, *q = &r->ask->query->doc;
	struct buf name = BUF_INIT;
	struct doc_walk w;
	uint32_t k;

	if (parse(r) < 0)
		return -1;
	doc_string(q, key, &name);
	*found = doc_member(a, 0, name.s ? name.s : "", name.len);
	buf_release(&name);
	if (*found == DOC_NONE || a->tok[*found].type != DOC_ARRAY)
		return bad(r, "lacks the entity that was asked for");
	for (doc_walk_init(&w, a, 0); (k = doc_walk_next(&w));)
		if (k + 1 != *found && !is_aside(r, k + 1))
			return bad(r, "has rows that were not asked for");
	return 0;
}

/* One page from offset on: 1 if it had rows that are new, 0 if it had none, -1. */
static int read_page(struct reading *r, const struct http_ask *post, uint32_t key, int64_t *offset)
{
	uint32_t list = DOC_NONE;

	if (http_ask(r->h, post, &r->answer, r->d) < 0 || find_list(r, key, &list) < 0)
		return -1;
	int64_t n = r->doc.tok[list].n;
	bool first = *offset == 0;

	if (n > r->ask->page)
		return bad(r, "has more rows than a page was to have");
	if (!first && !goes_on(r, list))
		return diag_add(r->d, MIG_INVALID, "dataset_changed", NULL,
		                "rows came or went between two pages: extract again");
	if (put_rows(r, list - 1, first ? 0 : 1) < 0)
		return -1;
	keep_last_row(r, list);
	*offset += n - 1; /* where the next page begins: with the last row again */
	return n > (first ? 0 : 1);
}

/*
 * All pages of an entity.  What ends them is a page without a new row, not a
 * short one: a server may give less than it was asked for.
 */
static int read_pages(struct reading *r, const struct http_ask *how, uint32_t key)
{
	int64_t offset = 0;
	int more;

	do {
		struct http_ask post = *how;

		buf_reset(&r->body);
		buf_addstr(&r->body, "{\"query\":");
		if (query_page(r->ask->query, key, r->ask->page, offset, &r->body, r->d) < 0)
			return -1;
		buf_addch(&r->body, '}');
		post.body = r->body.s;
		post.nbody = r->body.len;
		more = read_page(r, &post, key, &offset);
	} while (more > 0);
	return more;
}

static int read_instant(struct reading *r)
{
	size_t n = strlen(r->ask->api);
	char *app = xasprintf("app-id: %s", endpoint_app(r->ask->uri));
	char *url = xasprintf("%.*s/admin/query", (int)(n && r->ask->api[n - 1] == '/' ? n - 1 : n), r->ask->api);
	const char *const header[] = { app, NULL };
	const struct http_ask how = { .url = url, .what = "the query", .header = header, .again = true };
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	for (doc_walk_init(&w, &r->ask->query->doc, 0); rc == 0 && (key = doc_walk_next(&w));)
		rc = read_pages(r, &how, key);
	free(url);
	free(app);
	return rc;
}

static int read_saved(struct reading *r)
{
	if (io_slurp(r->ask->fd, &r->answer, 0, r->ask->max) < 0) {
		if (errno == EFBIG)
			return diag_add(r->d, MIG_INVALID, "answer_too_large", "stdin",
			                "the answer is larger than %zu bytes", r->ask->max);
		return diag_add(r->d, MIG_ERROR, "read_failed", "stdin", "%s", strerror(errno));
	}
	if (r->answer.len == 0)
		return diag_add(r->d, MIG_PRECONDITION, "no_answer", "stdin", "no answer: nothing came in");
	return endpoint_kind(r->ask->uri) == ENDPOINT_SAVED_DOMAIN ? read_domain_answer(r) : read_instant_answer(r);
}

int endpoint_read(const struct endpoint_ask *ask, struct http *h, endpoint_each *each, void *arg,
                  struct buf *descriptor, struct diag *d)
{
	struct reading r = { .ask = ask, .h = h, .each = each, .arg = arg, .d = d, .doc = DOC_INIT };
	int rc;

	switch (endpoint_kind(ask->uri)) {
	case ENDPOINT_DOMAIN: rc = read_domain(&r, descriptor); break;
	case ENDPOINT_INSTANT: rc = read_instant(&r); break;
	default: rc = read_saved(&r); break;
	}
	buf_release(&r.answer);
	buf_release(&r.body);
	buf_release(&r.last_row);
	doc_release(&r.doc);
	return rc;
}
