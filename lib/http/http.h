/*
 * http.h -- ask an HTTP server for JSON, or send it some.
 *
 * Floor 3.  The only file that knows libcurl, which is loaded when it is first
 * needed: a filter that speaks no HTTP does not pay for it.
 *
 * Certificates are always verified, redirects are never followed, and plain
 * http:// is for this machine only.  No finding holds a URL, a token or what the
 * server said.
 */
#ifndef MIG_HTTP_H
#define MIG_HTTP_H

#include "buf.h"
#include "diag.h"

struct http_how {
	const char *token;  /* sent as a bearer, NULL: none; borrowed */
	const char *ca;     /* a file of certificates to trust instead of the system's, or NULL; borrowed */
	unsigned timeout;   /* seconds an answer may take, the connection a quarter of it at most */
	unsigned retries;   /* after the first attempt */
	size_t max;         /* bytes of an answer */
};

struct http;

/* Load libcurl and prepare: new, or NULL after MIG_PRECONDITION "no_libcurl". */
struct http *http_open(const struct http_how *how, struct diag *d);
void http_close(struct http *h);

/*
 * Is url one that may be asked: https, or http to loopback; a host, a port, a
 * path, and nothing else?  0, or MIG_USAGE "bad_url".
 */
int http_url(const char *url, struct diag *d);

struct http_ask {
	const char *url;
	const char *what;          /* is asked for, in findings: "the descriptor" */
	const char *const *header; /* more of them ("app-id: x"), NULL-ended, or NULL */
	const char *body;          /* JSON to POST, or NULL: GET */
	size_t nbody;
	bool again;                /* may be asked twice: an answer that was cut off is asked for once more */
	bool once;                 /* one attempt: who asks sees to the next */
};

/*
 * Ask, and put the answer's body into *answer.  What may pass is tried again,
 * after a pause that doubles: no connection, 429, 502, 503, 504.  0 for 200, or
 * a finding:
 *
 *	MIG_PRECONDITION  unreachable, tls_failed, unauthorized (401, 403), store_missing (404)
 *	MIG_INVALID       answer_too_large, token_echoed
 *	MIG_ERROR         http_status (any other), timed_out, connection_lost
 */
int http_ask(struct http *h, const struct http_ask *ask, struct buf *answer, struct diag *d);

/*
 * Did what was asked last fail in a way that may pass: one of the above, an answer that was cut off, or
 * none in time?  What was sent may have been taken all the same.
 */
bool http_may_pass(const struct http *h);

#endif
