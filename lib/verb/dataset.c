/* dataset.c -- see dataset.h */
#include "dataset.h"

#include "progress.h"
#include "rowout.h"
#include "sandbox.h"
#include "token.h"

#include <unistd.h>

enum { LARGE_SHARE = 4 }; /* of a record, as for files */

struct dataset {
	const struct dataset_ask *ask;
	struct rowout rows;
	size_t max;
	struct buf ref, name, body, descriptor;
	struct query query;
};

static int take_row(void *arg, struct text entity, const struct doc *a, uint32_t row, struct diag *d)
{
	struct dataset *s = arg;
	uint32_t id = doc_member(a, row, "id", 2);
	char hash[HEX_SIZE];

	struct text key = { hash, HEX_LEN }; /* stands for an id where there is none */
	struct row r = { .entity = entity, .hash = hash };

	progress_tick();
	canon_hash(a, row, DOC_NONE, hash);
	buf_reset(&s->name);
	buf_reset(&s->ref);
	buf_reset(&s->body);
	if (id != DOC_NONE && a->tok[id].type == DOC_STRING && a->tok[id].len > 2)
		key = record_text(a, id, &s->name);
	rowout_ref(&s->ref, entity, key);
	r.ref = (struct text){ s->ref.s, s->ref.len };
	if (key.s == hash) {
		r.code = "no_id";
		r.reason = "the row has no id that is a text";
	} else if (a->tok[row].len > s->max / LARGE_SHARE) {
		r.code = "too_large";
		r.reason = "larger than a quarter of MIG_MAX_RECORD";
	} else {
		canon_value(&s->body, a, row, DOC_NONE);
		r.body = (struct text){ s->body.s, s->body.len };
	}
	return rowout_keep(&s->rows, &r, d);
}

static int put_all(struct dataset *s, struct diag *d)
{
	enum endpoint_kind kind = endpoint_kind(s->ask->uri);
	const char *app = endpoint_app(s->ask->uri);
	const struct snapshot shot = {
		.after = s->ask->after,
		.app = *app ? app : NULL,
		.descriptor = { s->descriptor.s, s->descriptor.len },
		.env = s->ask->env,
		.query_hash = s->query.text.len ? s->query.hash : NULL,
		.source = kind == ENDPOINT_DOMAIN || kind == ENDPOINT_SAVED_DOMAIN ? "domain" : "instantdb",
		.tenant = s->ask->tenant,
	};

	if (rowout_sort(&s->rows, d) < 0 || rowout_snapshot(&s->rows, &shot) < 0 ||
	    rowout_put_kept(&s->rows, "", d) < 0)
		return -1;
	return rowout_end(&s->rows);
}

/* Everything that is to be opened is open: read, with what reading needs. */
static int read_all(struct dataset *s, const struct endpoint_ask *ask, const char *token, struct diag *d)
{
	const struct http_how how = {
		.token = token,
		.ca = s->ask->ca,
		.timeout = (unsigned)s->ask->timeout,
		.retries = (unsigned)s->ask->retries,
		.max = s->max,
	};
	struct http *h = NULL;
	int rc = 0;

	if (endpoint_online(endpoint_kind(ask->uri))) {
		h = http_open(&how, d);
		rc = h ? sandbox_client(-1, d) : -1;
	} else {
		rc = sandbox_pure(d);
	}
	if (rc == 0)
		rc = endpoint_read(ask, h, take_row, s, &s->descriptor, d);
	http_close(h);
	return rc == 0 && h ? sandbox_pure(d) : rc;
}

/* The token, and for InstantDB also an app: 0, or -1. */
static int read_credentials(const struct dataset_ask *ask, char **token, struct diag *d)
{
	bool instant = endpoint_kind(ask->uri) == ENDPOINT_INSTANT;

	if (endpoint_online(endpoint_kind(ask->uri)) && token_read(ask->token_file, token, d) < 0)
		return -1;
	if (instant && !*endpoint_app(ask->uri))
		return diag_add(d, MIG_PRECONDITION, "missing_instant_credentials", NULL,
		                "instantdb: names no app: instantdb:APP");
	if (instant && !*token) {
		diag_hint(d, "put the app's admin token into MIG_TOKEN, or into a file for --token-file");
		return diag_add(d, MIG_PRECONDITION, "missing_instant_credentials", NULL, "no token for the app");
	}
	return 0;
}

int dataset_run(const struct dataset_ask *ask, struct out *out, struct diag *d)
{
	struct dataset s = { .ask = ask, .max = stream_max_record(), .query = QUERY_INIT };
	bool query = ask->query || ask->entity;
	const struct endpoint_ask where = {
		.uri = ask->uri,
		.tenant = ask->tenant,
		.api = ask->api,
		.query = query ? &s.query : NULL,
		.page = ask->page,
		.max = s.max,
		.fd = STDIN_FILENO,
	};
	char *token = NULL;
	int rc = rowout_init(&s.rows, out, ask->after, d);

	if (rc == 0 && query)
		rc = query_read(&s.query, ask->query, ask->entity, d);
	if (rc == 0)
		rc = endpoint_check(&where, d);
	if (rc == 0)
		rc = read_credentials(ask, &token, d);
	if (rc == 0)
		rc = read_all(&s, &where, token, d);
	token_free(token);
	if (rc == 0)
		rc = put_all(&s, d);
	struct buf *bufs[] = { &s.ref, &s.name, &s.body, &s.descriptor };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	rowout_release(&s.rows);
	query_release(&s.query);
	return rc;
}
