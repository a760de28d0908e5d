/* extract.c -- see extract.h */
#include "extract.h"

#include "pointer.h"
#include "progress.h"
#include "semver.h"

#include <stdlib.h>

struct count {
	char *version;
	int64_t n;
};

struct extracting {
	const struct set *set;
	struct out *out;
	struct diag *d;
	struct tally tally;
	size_t max;    /* bytes of a body at most */
	bool counting; /* versions only */
	struct count *count;
	size_t ncount;
	int64_t rejects;
	struct doc doc;
	struct buf record, version, reason;
};

static int put_reject(struct extracting *x, const struct store_doc *s, const char *code, const char *reason)
{
	struct reject r = {
		.tool = "mig-extract",
		.code = code,
		.reason = reason,
		.entity = { x->set->entity, strlen(x->set->entity) },
		.hash = { s->raw, HEX_LEN },
		.ref = s->ref,
	};

	x->rejects++;
	tally_object(&x->tally, r.ref, r.hash);
	if (x->counting)
		return 0;
	buf_reset(&x->record);
	reject_write(&x->record, &r);
	return stream_put(x->out, x->record.s, x->record.len);
}

static int put_document(struct extracting *x, const struct store_doc *s, uint32_t history)
{
	struct rec w;
	struct buf *b = &x->record;
	char hex[HEX_SIZE];

	buf_reset(b);
	rec_open(&w, b);
	rec_name(&w, "body");
	size_t at = b->len;

	canon_value(b, &x->doc, 0, DOC_NONE);
	/* mostly there is no history yet: what is hashed has just been written */
	if (history == DOC_NONE)
		digest_hex(b->s + at, b->len - at, hex);
	else
		canon_hash(&x->doc, 0, history, hex);
	tally_object(&x->tally, s->ref, (struct text){ hex, HEX_LEN });
	rec_cstr(&w, "entity", x->set->entity);
	rec_cstr(&w, "hash", hex);
	rec_cstr(&w, "kind", "document");
	rec_cstr(&w, "raw", s->raw);
	rec_str(&w, "ref", s->ref);
	rec_str(&w, "version", (struct text){ x->version.s, x->version.len });
	rec_close(&w);
	return stream_put(x->out, b->s, b->len);
}

static void count_version(struct extracting *x)
{
	for (size_t i = 0; i < x->ncount; i++)
		if (strcmp(x->count[i].version, x->version.s) == 0) {
			x->count[i].n++;
			return;
		}
	x->count = xrealloc(x->count, x->ncount + 1, sizeof *x->count);
	x->count[x->ncount++] = (struct count){ xmemdup(x->version.s, x->version.len), 1 };
}

/* Find the document's version into x->version: NULL, or the reject's code with x->reason. */
static const char *find_version(struct extracting *x)
{
	const char *p = x->set->version;
	uint32_t t;

	buf_reset(&x->version);
	buf_reset(&x->reason);
	if (!pointer_find(&x->doc, 0, p, strlen(p), &t)) {
		if (!x->set->version_default) {
			buf_addf(&x->reason, "no version at %s", p);
			return "no_version";
		}
		buf_addstr(&x->version, x->set->version_default);
		return NULL;
	}
	if (x->doc.tok[t].type == DOC_STRING)
		doc_string(&x->doc, t, &x->version);
	if (x->version.len && strlen(x->version.s) == x->version.len && semver_valid(x->version.s))
		return NULL;
	buf_addf(&x->reason, "the version at %s is not a semantic version", p);
	return "bad_version";
}

static int each(void *arg, const struct store_doc *s)
{
	struct extracting *x = arg;
	const char *code, *history = x->set->history;
	uint32_t skip = DOC_NONE;

	progress_tick();
	if (!s->bytes)
		return put_reject(x, s, s->code, s->reason);
	if (doc_parse(&x->doc, s->bytes->s, s->bytes->len, DOC_MAX_DEPTH) < 0) {
		const struct doc_error *e = &x->doc.err;

		buf_reset(&x->reason);
		buf_addf(&x->reason, "line %zu, column %zu: %s", e->line, e->column, e->reason);
		size_t at = x->reason.len;

		buf_addstr(&x->reason, " in ");
		doc_error_pointer(&x->doc, &x->reason);
		if (x->reason.len == at + 4)
			buf_setlen(&x->reason, at);
		return put_reject(x, s, "malformed", x->reason.s);
	}
	if ((code = find_version(x)))
		return put_reject(x, s, code, x->reason.s);
	if (history)
		pointer_find(&x->doc, 0, history, strlen(history), &skip);
	if (!x->counting)
		return put_document(x, s, skip);
	count_version(x);
	tally_object(&x->tally, s->ref, (struct text){ s->raw, HEX_LEN });
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_refs(struct extracting *x, struct store *s, char *const *refs)
{
	size_t n = 0;
	int rc = 0;

	while (refs[n])
		n++;
	char **sorted = xcalloc(n, sizeof *sorted);

	memcpy(sorted, refs, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_bytes);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct store_doc doc;

		if (i && strcmp(sorted[i], sorted[i - 1]) == 0)
			continue;
		rc = s->ops->read(s, (struct text){ sorted[i], strlen(sorted[i]) }, &doc, x->d);
		if (rc < 0 && x->d->n && strcmp(x->d->list[x->d->n - 1].rule, "bad_ref") == 0)
			x->d->list[x->d->n - 1].exit = MIG_USAGE; /* it came from the command line */
		if (rc == 0)
			rc = each(x, &doc);
	}
	free(sorted);
	return rc;
}

static void extracting_init(struct extracting *x, const struct set *set, struct out *out, struct diag *d)
{
	*x = (struct extracting){ .set = set, .out = out, .d = d, .doc = DOC_INIT };
	tally_init(&x->tally);
}

static void extracting_release(struct extracting *x)
{
	for (size_t i = 0; i < x->ncount; i++)
		free(x->count[i].version);
	free(x->count);
	tally_release(&x->tally);
	doc_release(&x->doc);
	buf_release(&x->record);
	buf_release(&x->version);
	buf_release(&x->reason);
}

/* A set of records may say nothing of files. */
static int files_named(const struct set *set, struct diag *d)
{
	if (set->match[0])
		return 0;
	return diag_add(d, MIG_INVALID, "bad_set", set->id, "/match: missing, so it names no documents");
}

int extract_documents(struct store *s, const struct set *set, char *const *refs, struct out *out, struct diag *d)
{
	struct extracting x;
	int rc;

	if (files_named(set, d) < 0)
		return -1;
	extracting_init(&x, set, out, d);
	rc = refs ? read_refs(&x, s, refs) : s->ops->scan(s, set->match, each, &x, d);
	if (rc == 0)
		rc = stream_put_tally(out, "mig-extract", &x.tally);
	extracting_release(&x);
	return rc;
}

static int by_semver(const void *a, const void *b)
{
	const struct count *x = a, *y = b;
	int c = semver_compare(x->version, y->version);

	return c ? c : strcmp(x->version, y->version);
}

static int put_versions(struct extracting *x)
{
	const char *latest = set_latest(x->set);
	int64_t pending = 0;
	struct buf list = BUF_INIT;
	struct rec w, in;

	if (x->ncount)
		qsort(x->count, x->ncount, sizeof *x->count, by_semver);
	for (size_t i = 0; i < x->ncount; i++) {
		size_t n, *path = latest ? set_path(x->set, x->count[i].version, latest, &n) : NULL;

		if (path)
			pending += x->count[i].n;
		free(path);
		buf_addch(&list, i ? ',' : '[');
		rec_open(&in, &list);
		rec_int(&in, "count", x->count[i].n);
		rec_cstr(&in, "version", x->count[i].version);
		rec_close(&in);
	}
	buf_addstr(&list, x->ncount ? "]" : "[]");
	buf_reset(&x->record);
	rec_open(&w, &x->record);
	rec_cstr(&w, "entity", x->set->entity);
	rec_cstr(&w, "kind", "versions");
	rec_cstr(&w, "latest", latest);
	rec_int(&w, "pending", pending);
	rec_int(&w, "records", (int64_t)x->tally.n);
	rec_int(&w, "rejects", x->rejects);
	rec_name(&w, "set");
	rec_open(&in, &x->record);
	rec_cstr(&in, "hash", x->set->hash);
	rec_cstr(&in, "id", x->set->id);
	rec_close(&in);
	rec_raw(&w, "versions", list.s, list.len);
	rec_close(&w);
	buf_release(&list);
	return stream_put(x->out, x->record.s, x->record.len);
}

int extract_versions(struct store *s, const struct set *set, struct out *out, struct diag *d)
{
	struct extracting x;
	int rc;

	if (files_named(set, d) < 0)
		return -1;
	extracting_init(&x, set, out, d);
	x.counting = true;
	rc = s->ops->scan(s, set->match, each, &x, d);
	if (rc == 0)
		rc = put_versions(&x);
	if (rc == 0)
		rc = stream_put_tally(out, "mig-extract", &x.tally);
	extracting_release(&x);
	return rc;
}
