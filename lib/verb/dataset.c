/* dataset.c -- see dataset.h */
#include "dataset.h"

#include "fs-root.h"
#include "progress.h"
#include "sandbox.h"
#include "sorted.h"
#include "token.h"

#include <unistd.h>

/* A row is at no version; who transforms rows asks for none. */
#define NO_VERSION "0.0.0"
enum { LARGE_SHARE = 4 }; /* of a record, as for files */

struct dataset {
	const struct dataset_ask *ask;
	struct sorted rows; /* by reference: the hash that counts for the end, then the record */
	size_t max;
	struct buf ref, name, record, descriptor;
	struct query query;
};

/* "entity/id", a slash in the entity's name escaped, too: the first one divides. */
static void make_ref(struct dataset *s, struct text entity, struct text id)
{
	struct buf *b = &s->ref;
	size_t n = 0;

	buf_reset(b);
	for (size_t i = 0; i < entity.n; i += n + 1) {
		const char *slash = memchr(entity.s + i, '/', entity.n - i);

		n = slash ? (size_t)(slash - entity.s) - i : entity.n - i;
		fs_escape(b, entity.s + i, n);
		if (slash)
			buf_addstr(b, "%2F");
	}
	buf_addch(b, '/');
	fs_escape(b, id.s, id.n);
}

/* Keep the record that is in s->record from HEX_LEN on, behind its hash. */
static int keep(struct dataset *s, struct diag *d)
{
	return sorted_add(&s->rows, (struct text){ s->ref.s, s->ref.len }, (struct text){ s->record.s, s->record.len },
	                  d);
}

static int keep_reject(struct dataset *s, struct text entity, const char *hash, const char *code, const char *reason,
                       struct diag *d)
{
	const struct reject r = {
		.tool = "mig-extract",
		.code = code,
		.reason = reason,
		.entity = entity,
		.hash = { hash, HEX_LEN },
		.ref = { s->ref.s, s->ref.len },
	};

	reject_write(&s->record, &r);
	return keep(s, d);
}

static int keep_document(struct dataset *s, struct text entity, const char *hash, const struct doc *a, uint32_t row,
                         struct diag *d)
{
	struct rec w;

	rec_open(&w, &s->record);
	rec_name(&w, "body");
	canon_value(&s->record, a, row, DOC_NONE);
	rec_str(&w, "entity", entity);
	rec_cstr(&w, "hash", hash);
	rec_cstr(&w, "kind", "document");
	rec_cstr(&w, "raw", hash);
	rec_str(&w, "ref", (struct text){ s->ref.s, s->ref.len });
	rec_cstr(&w, "version", NO_VERSION);
	rec_close(&w);
	return keep(s, d);
}

static int take_row(void *arg, struct text entity, const struct doc *a, uint32_t row, struct diag *d)
{
	struct dataset *s = arg;
	uint32_t id = doc_member(a, row, "id", 2);
	char hash[HEX_SIZE];

	progress_tick();
	canon_hash(a, row, DOC_NONE, hash);
	buf_reset(&s->record);
	buf_add(&s->record, hash, HEX_LEN);
	buf_reset(&s->name);
	struct text key = { hash, HEX_LEN }; /* stands for an id where there is none */

	if (id != DOC_NONE && a->tok[id].type == DOC_STRING && a->tok[id].len > 2)
		key = record_text(a, id, &s->name);
	make_ref(s, entity, key);
	if (key.s == hash)
		return keep_reject(s, entity, hash, "no_id", "the row has no id that is a text", d);
	if (a->tok[row].len > s->max / LARGE_SHARE)
		return keep_reject(s, entity, hash, "too_large", "larger than a quarter of MIG_MAX_RECORD", d);
	return keep_document(s, entity, hash, a, row, d);
}

/*
 * {"app":A,"descriptor":{..},"env":E,"kind":"snapshot","query_hash":H,"source":"domain","sum":S,"tenant":T}
 * When the rows were read is in the audit: the same rows give the same bytes.
 */
static int put_snapshot(struct dataset *s, struct out *out)
{
	const struct dataset_ask *ask = s->ask;
	enum endpoint_kind kind = endpoint_kind(ask->uri);
	bool domain = kind == ENDPOINT_DOMAIN || kind == ENDPOINT_SAVED_DOMAIN;
	const char *app = endpoint_app(ask->uri);
	struct buf *b = &s->record;
	struct rec w;

	buf_reset(b);
	rec_open(&w, b);
	if (ask->after)
		rec_cstr(&w, "after", ask->after);
	rec_cstr(&w, "app", *app ? app : NULL);
	if (s->descriptor.len)
		rec_raw(&w, "descriptor", s->descriptor.s, s->descriptor.len);
	else
		rec_null(&w, "descriptor");
	rec_cstr(&w, "env", ask->env);
	rec_cstr(&w, "kind", "snapshot");
	rec_cstr(&w, "query_hash", s->query.text.len ? s->query.hash : NULL);
	rec_cstr(&w, "source", domain ? "domain" : "instantdb");
	size_t at = b->len + 1;

	rec_cstr(&w, "tenant", ask->tenant);
	rec_close(&w);
	rec_sum(b, at);
	return stream_put(out, b->s, b->len);
}

static bool is_behind(struct text ref, const char *after)
{
	size_t n = strlen(after), least = ref.n < n ? ref.n : n;
	int c = memcmp(ref.s, after, least);

	return c ? c > 0 : ref.n > n;
}

static int put_rows(struct dataset *s, struct tally *t, struct out *out, struct diag *d)
{
	struct buf *was = &s->name;
	struct text ref, value;
	int rc;

	buf_reset(was);
	while ((rc = sorted_next(&s->rows, &ref, &value, d)) > 0) {
		if (was->len && text_same(ref, (struct text){ was->s, was->len }))
			return diag_add(d, MIG_INVALID, "duplicate_row", was->s, "two rows have this id");
		buf_reset(was);
		buf_add(was, ref.s, ref.n);
		if (s->ask->after && !is_behind(ref, s->ask->after))
			continue;
		tally_object(t, ref, (struct text){ value.s, HEX_LEN });
		if (stream_put(out, value.s + HEX_LEN, value.n - HEX_LEN) < 0)
			return -1;
	}
	return rc;
}

static int put_all(struct dataset *s, struct out *out, struct diag *d)
{
	struct tally t;
	char hex[HEX_SIZE];

	tally_init(&t);
	int rc = sorted_begin(&s->rows, d);

	if (rc == 0)
		rc = put_snapshot(s, out);
	if (rc == 0)
		rc = put_rows(s, &t, out, d);
	uint64_t n = t.n;

	tally_hex(&t, hex);
	if (rc == 0)
		rc = stream_put_end(out, "mig-extract", n, hex);
	tally_release(&t);
	return rc;
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
	struct dataset s = { .ask = ask, .max = stream_max_record(), .query = QUERY_INIT, .rows.file.fd = -1 };
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
	int rc = query ? query_read(&s.query, ask->query, ask->entity, d) : 0;

	if (rc == 0)
		rc = endpoint_check(&where, d);
	if (rc == 0)
		rc = read_credentials(ask, &token, d);
	if (rc == 0)
		rc = sorted_init(&s.rows, d);
	if (rc == 0)
		rc = read_all(&s, &where, token, d);
	token_free(token);
	if (rc == 0)
		rc = put_all(&s, out, d);
	struct buf *bufs[] = { &s.ref, &s.name, &s.record, &s.descriptor };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	sorted_release(&s.rows);
	query_release(&s.query);
	return rc;
}
