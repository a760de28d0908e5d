/* http.c -- see http.h */
#include "http.h"

#include "backoff.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <strings.h>

enum { SHORTEST_TOKEN = 8 };

/* libcurl's functions, as they are found. */
struct curl {
	CURLcode (*global_init)(long);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	void (*easy_reset)(CURL *);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	CURLcode (*easy_perform)(CURL *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
};

struct http {
	struct http_how how;
	struct curl c;
	CURL *easy;
	struct buf *answer; /* of the request at work */
	bool too_large;
	bool may_pass; /* what was asked last failed in such a way */
};

static int load(struct curl *c, struct diag *d)
{
	const struct {
		const char *name;
		void *to;
	} names[] = {
		{ "curl_global_init", &c->global_init },   { "curl_global_cleanup", &c->global_cleanup },
		{ "curl_easy_init", &c->easy_init },       { "curl_easy_cleanup", &c->easy_cleanup },
		{ "curl_easy_reset", &c->easy_reset },     { "curl_easy_setopt", &c->easy_setopt },
		{ "curl_easy_getinfo", &c->easy_getinfo }, { "curl_easy_perform", &c->easy_perform },
		{ "curl_slist_append", &c->slist_append }, { "curl_slist_free_all", &c->slist_free_all },
	};
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL); /* stays: it may not be unloaded */

	if (!lib)
		return diag_add(d, MIG_PRECONDITION, "no_libcurl", NULL, "HTTP needs libcurl: %s", dlerror());
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		void *f = dlsym(lib, names[i].name);

		if (!f)
			return diag_add(d, MIG_PRECONDITION, "no_libcurl", NULL, "HTTP needs libcurl: no %s",
			                names[i].name);
		memcpy(names[i].to, &f, sizeof f); /* C has no cast from an object to a function */
	}
	return 0;
}

struct http *http_open(const struct http_how *how, struct diag *d)
{
	struct curl c;

	if (load(&c, d) < 0)
		return NULL;
	if (c.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die(MIG_ERROR, "out of memory");
	struct http *h = xcalloc(1, sizeof *h);

	h->how = *how;
	h->c = c;
	h->easy = c.easy_init();
	if (!h->easy)
		die(MIG_ERROR, "out of memory");
	return h;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	h->c.easy_cleanup(h->easy);
	h->c.global_cleanup();
	free(h);
}

/* Is this host this machine, whoever resolves it?  "127." must not begin a name. */
static bool is_loopback(const char *s, size_t n)
{
	if (n == 9 && strncasecmp(s, "localhost", 9) == 0)
		return true;
	if (n == 5 && memcmp(s, "[::1]", 5) == 0)
		return true;
	return n > 4 && memcmp(s, "127.", 4) == 0 && strspn(s, "0123456789.") >= n;
}

/*
 * The length of the host at s, with a port behind it or not; 0: it is none.
 * Only what every parser of URLs reads alike: letters, digits, dots, dashes, or
 * an address in brackets.
 */
static size_t host_length(const char *s, size_t *host)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t n = *s == '[' ? strspn(s + 1, "0123456789abcdefABCDEF:.") + 2 : strspn(s, alnum);

	if (n == 0 || (*s == '[' && s[n - 1] != ']'))
		return 0;
	*host = n;
	if (s[n] != ':')
		return n;
	size_t port = strspn(s + n + 1, "0123456789");

	return port >= 1 && port <= 5 ? n + 1 + port : 0;
}

int http_url(const char *url, struct diag *d)
{
	bool tls = strncmp(url, "https://", 8) == 0;
	size_t host = 0, n;

	if (!tls && strncmp(url, "http://", 7) != 0)
		return diag_add(d, MIG_USAGE, "bad_url", NULL, "not a URL of http or https");
	const char *s = url + (tls ? 8 : 7);

	if (memchr(s, '@', strcspn(s, "/?#")))
		return diag_add(d, MIG_USAGE, "bad_url", NULL,
		                "a URL holds neither user nor password; a token comes from MIG_TOKEN or --token-file");
	n = host_length(s, &host);
	if (n == 0 || (s[n] && s[n] != '/'))
		return diag_add(d, MIG_USAGE, "bad_url", NULL, "the URL's host is malformed");
	if (!tls && !is_loopback(s, host))
		return diag_add(d, MIG_USAGE, "bad_url", NULL,
		                "http is for this machine only: another one is asked over https");
	for (s += n; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("?#\\\"<>{}|^`", *s))
			return diag_add(d, MIG_USAGE, "bad_url", NULL,
			                "the URL's path holds what a path may not, or a query");
	return 0;
}

static size_t take(char *s, size_t size, size_t n, void *arg)
{
	struct http *h = arg;

	(void)size; /* is 1 */
	if (h->answer->len + n > h->how.max) {
		h->too_large = true;
		return 0;
	}
	buf_add(h->answer, s, n);
	return n;
}

static struct curl_slist *with_header(struct http *h, struct curl_slist *list, const char *text)
{
	struct curl_slist *more = h->c.slist_append(list, text);

	if (!more)
		die(MIG_ERROR, "out of memory");
	return more;
}

static struct curl_slist *headers(struct http *h, const struct http_ask *ask)
{
	struct curl_slist *list = with_header(h, NULL, "Accept: application/json");

	list = with_header(h, list, "Expect:");
	if (ask->body)
		list = with_header(h, list, "Content-Type: application/json");
	for (const char *const *p = ask->header; p && *p; p++)
		list = with_header(h, list, *p);
	if (h->how.token) {
		char *bearer = xasprintf("Authorization: Bearer %s", h->how.token);

		list = with_header(h, list, bearer);
		explicit_bzero(bearer, strlen(bearer));
		free(bearer);
	}
	return list;
}

static void prepare(struct http *h, const struct http_ask *ask, struct curl_slist *list)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = h->c.easy_setopt;
	CURL *e = h->easy;
	long seconds = (long)h->how.timeout, connecting = seconds / 4 > 0 ? seconds / 4 : 1;

	h->c.easy_reset(e);
	set(e, CURLOPT_URL, ask->url);
	set(e, CURLOPT_PROTOCOLS_STR, "http,https");
	set(e, CURLOPT_FOLLOWLOCATION, 0L);
	set(e, CURLOPT_SSL_VERIFYPEER, 1L);
	set(e, CURLOPT_SSL_VERIFYHOST, 2L);
	set(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->how.ca)
		set(e, CURLOPT_CAINFO, h->how.ca);
	if (strncmp(ask->url, "http:", 5) == 0)
		set(e, CURLOPT_NOPROXY, "*"); /* what is for this machine goes to no proxy in the clear */
	set(e, CURLOPT_NOSIGNAL, 1L);
	set(e, CURLOPT_CONNECTTIMEOUT, connecting);
	set(e, CURLOPT_TIMEOUT, seconds);
	set(e, CURLOPT_HTTPHEADER, list);
	set(e, CURLOPT_USERAGENT, "migtools/" MIG_VERSION);
	set(e, CURLOPT_WRITEFUNCTION, take);
	set(e, CURLOPT_WRITEDATA, h);
	if (ask->body) {
		set(e, CURLOPT_POST, 1L);
		set(e, CURLOPT_POSTFIELDS, ask->body);
		set(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->nbody);
	}
}

/* What came of one attempt. */
struct attempt {
	CURLcode code;
	long status;
	bool connected;
};

static struct attempt attempt(struct http *h, const struct http_ask *ask, struct buf *answer)
{
	struct curl_slist *list = headers(h, ask);
	struct attempt a = { .status = 0 };
	double connected = 0;

	buf_reserve(answer, 1); /* an empty answer is a text, too */
	buf_setlen(answer, 0);
	h->answer = answer;
	h->too_large = false;
	prepare(h, ask, list);
	a.code = h->c.easy_perform(h->easy);
	h->c.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &a.status);
	h->c.easy_getinfo(h->easy, CURLINFO_PRETRANSFER_TIME, &connected);
	a.connected = connected > 0;
	h->c.slist_free_all(list);
	return a;
}

static bool was_cut_off(const struct attempt *a)
{
	switch (a->code) {
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: return true;
	default: return false;
	}
}

static bool found_nobody(const struct attempt *a)
{
	return a->code == CURLE_COULDNT_RESOLVE_HOST || a->code == CURLE_COULDNT_CONNECT ||
	       a->code == CURLE_COULDNT_RESOLVE_PROXY || (a->code == CURLE_OPERATION_TIMEDOUT && !a->connected);
}

static bool may_pass(const struct attempt *a, bool again)
{
	if (a->code != CURLE_OK)
		return found_nobody(a) || (again && was_cut_off(a));
	return a->status == 429 || (a->status >= 502 && a->status <= 504);
}

static bool is_tls(CURLcode c)
{
	return c == CURLE_SSL_CONNECT_ERROR || c == CURLE_PEER_FAILED_VERIFICATION || c == CURLE_SSL_CERTPROBLEM ||
	       c == CURLE_SSL_CIPHER || c == CURLE_SSL_CACERT_BADFILE || c == CURLE_SSL_ISSUER_ERROR ||
	       c == CURLE_SSL_INVALIDCERTSTATUS;
}

/* The transfer did not end well. */
static int broken(const struct http *h, const struct http_ask *ask, const struct attempt *a, struct diag *d)
{
	if (h->too_large)
		return diag_add(d, MIG_INVALID, "answer_too_large", NULL, "%s: the answer is larger than %zu bytes",
		                ask->what, h->how.max);
	if (found_nobody(a))
		return diag_add(d, MIG_PRECONDITION, "unreachable", NULL, "%s: no connection to the server", ask->what);
	if (is_tls(a->code))
		return diag_add(d, MIG_PRECONDITION, "tls_failed", NULL,
		                "%s: the server's certificate is not trusted, or it speaks no TLS", ask->what);
	if (a->code == CURLE_OPERATION_TIMEDOUT)
		return diag_add(d, MIG_ERROR, "timed_out", NULL, "%s: no whole answer within %u seconds", ask->what,
		                h->how.timeout);
	return diag_add(d, MIG_ERROR, "connection_lost", NULL, "%s: the answer was cut off (libcurl error %d)",
	                ask->what, (int)a->code);
}

/* A status that is not 200.  What the server says of it is not repeated: it may quote what it was sent. */
static int refused(const struct http_ask *ask, long status, struct diag *d)
{
	switch (status) {
	case 401:
	case 403:
		return diag_add(d, MIG_PRECONDITION, "unauthorized", NULL,
		                "%s: HTTP status %ld: the server does not accept who asks", ask->what, status);
	case 404:
		return diag_add(d, MIG_PRECONDITION, "store_missing", NULL, "%s: HTTP status 404: not there",
		                ask->what);
	default: return diag_add(d, MIG_ERROR, "http_status", NULL, "%s: HTTP status %ld", ask->what, status);
	}
}

bool http_may_pass(const struct http *h)
{
	return h->may_pass;
}

int http_ask(struct http *h, const struct http_ask *ask, struct buf *answer, struct diag *d)
{
	struct attempt a = attempt(h, ask, answer);

	for (unsigned i = 0; !ask->once && i < h->how.retries && may_pass(&a, ask->again); i++) {
		backoff_pause(i);
		a = attempt(h, ask, answer);
	}
	h->may_pass = !h->too_large && (may_pass(&a, true) || a.code == CURLE_OPERATION_TIMEDOUT);
	if (a.code != CURLE_OK)
		return broken(h, ask, &a, d);
	if (a.status != 200)
		return refused(ask, a.status, d);
	size_t n = h->how.token ? strlen(h->how.token) : 0;

	if (n >= SHORTEST_TOKEN && memmem(answer->s, answer->len, h->how.token, n))
		return diag_add(d, MIG_INVALID, "token_echoed", NULL, "%s: the answer repeats the token", ask->what);
	return 0;
}
