/* verify-documents.c -- see verify-documents.h */
#include "verify-documents.h"

#include "patch.h"
#include "pointer.h"
#include "redact.h"

#include <stdlib.h>

enum { DIFF_LINES = 20 };

void documents_verify_release(struct documents_verify *v)
{
	struct buf *bufs[] = { &v->line, &v->diff, &v->scratch, &v->expected, &v->actual, &v->entry };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	effect_release(&v->effect);
	doc_release(&v->doc);
	doc_release(&v->other);
	doc_release(&v->ledger_doc);
}

/* Canonical text of the document in bytes, without its history: 0, or -1 if it is none. */
static int canonical(struct documents_verify *v, const struct buf *bytes, struct text without, struct buf *out)
{
	uint32_t skip = DOC_NONE;

	buf_reset(out);
	if (doc_parse(&v->doc, bytes->s, bytes->len, DOC_MAX_DEPTH) < 0)
		return -1;
	if (without.n)
		pointer_find(&v->doc, 0, without.s, without.n, &skip);
	canon_value(out, &v->doc, 0, skip);
	return 0;
}

/* What the step would have made of the original, from the store's objects: 0, or -1 if it cannot be told. */
static int expect(struct documents_verify *v, const struct plan *p, const struct step *s)
{
	struct diag quiet = DIAG_INIT;
	struct patch_list list = { .doc = p->doc, .ops = s->patch };
	struct buf original = BUF_INIT, after = BUF_INIT;
	int rc = v->s->ops->object(v->s, s->raw, &original, &quiet) == 1 ? 0 : -1;

	if (rc == 0 && !s->restore) {
		rc = doc_parse(&v->other, original.s, original.len, DOC_MAX_DEPTH);
		if (rc == 0)
			rc = patch_splice(&v->other, &list, 1, &after, NULL, &quiet);
	}
	if (rc == 0)
		rc = canonical(v, s->restore ? &original : &after, s->without, &v->expected);
	diag_release(&quiet);
	buf_release(&original);
	buf_release(&after);
	return rc;
}

/* Is the value of an operation a secret's, by a name in its path or somewhere in itself? */
static bool is_secret(const struct doc *d, uint32_t op)
{
	uint32_t path = doc_member(d, op, "path", 4), value = doc_member(d, op, "value", 5);
	size_t n;

	if (path == DOC_NONE || value == DOC_NONE)
		return false;
	for (const char *s = doc_span(d, path, &n) + 1, *end = s + n - 2; s < end;) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		const char *stop = slash ? slash : end;

		if (secret_name(s, (size_t)(stop - s)))
			return true;
		s = stop + 1;
	}
	/* a text that is not a name but reads like one hides the value as well, and so does a URI with a password */
	for (uint32_t t = value; t < d->tok[value].next; t++) {
		const char *s = doc_span(d, t, &n);
		size_t i = 0, from, to;

		if (d->tok[t].type == DOC_STRING &&
		    (secret_name(s + 1, n - 2) || secret_next(s, n, SECRET_ANY, &i, &from, &to)))
			return true;
	}
	return false;
}

/* Append an operation, with the value of a secret left out. */
static void put_op(struct buf *out, const struct doc *d, uint32_t op)
{
	size_t n;
	const char *s = doc_span(d, op, &n);
	struct rec w;

	if (!is_secret(d, op)) {
		buf_add(out, s, n);
		return;
	}
	rec_open(&w, out);
	s = doc_span(d, doc_member(d, op, "op", 2), &n);
	rec_raw(&w, "op", s, n);
	s = doc_span(d, doc_member(d, op, "path", 4), &n);
	rec_raw(&w, "path", s, n);
	rec_cstr(&w, "value", REDACTED);
	rec_close(&w);
}

/* Put at most DIFF_LINES operations, expected to actual, into v->diff: false if there is nothing to show. */
static bool make_diff(struct documents_verify *v, const struct plan *p, const struct step *s, const struct buf *bytes)
{
	buf_reset(&v->diff);
	if (expect(v, p, s) < 0 || canonical(v, bytes, s->without, &v->actual) < 0)
		return false;
	buf_reset(&v->scratch);
	buf_reset(&v->line);
	if (doc_parse(&v->doc, v->expected.s, v->expected.len, DOC_MAX_DEPTH) < 0 ||
	    doc_parse(&v->other, v->actual.s, v->actual.len, DOC_MAX_DEPTH) < 0)
		return false;
	patch_diff(&v->doc, &v->other, &v->line, &v->scratch);
	if (doc_parse(&v->doc, v->line.s, v->line.len, RECORD_MAX_DEPTH) < 0)
		return false;
	uint32_t t = 1, n = 0;

	for (; t < v->doc.tok[0].next && n < DIFF_LINES; t = v->doc.tok[t].next, n++) {
		buf_addch(&v->diff, n ? ',' : '[');
		put_op(&v->diff, &v->doc, t);
	}
	if (n)
		buf_addch(&v->diff, ']');
	return n > 0;
}

/* The hash that the ledger saw for step i, or NULL. */
static const char *ledger_hash(const struct documents_verify *v, size_t i, char hex[HEX_SIZE])
{
	const struct doc *d = &v->ledger_doc;
	uint32_t t = v->written + 1;

	if (v->written == DOC_NONE || i >= d->tok[v->written].n)
		return NULL;
	for (; i > 0; i--)
		t = d->tok[t].next;
	if (d->tok[t].type != DOC_STRING || d->tok[t].len != HEX_LEN + 2)
		return NULL;
	memcpy(hex, d->text + d->tok[t].off + 1, HEX_LEN);
	hex[HEX_LEN] = '\0';
	return hex;
}

/* The last history entry must be the step's. */
static bool history_holds(struct documents_verify *v, const struct plan *p, const struct step *s,
                          const struct buf *bytes)
{
	static const char *const members[] = { "changes", "checksum_after", "checksum_before", "from_version",
		                               "to_version" };
	uint32_t list, t;

	if (!s->stamp_entry)
		return true;
	if (doc_parse(&v->doc, bytes->s, bytes->len, DOC_MAX_DEPTH) < 0 ||
	    !pointer_find(&v->doc, 0, s->without.s, s->without.n, &list) || v->doc.tok[list].type != DOC_ARRAY ||
	    v->doc.tok[list].n == 0)
		return false;
	for (t = list + 1; v->doc.tok[t].next < v->doc.tok[list].next;)
		t = v->doc.tok[t].next;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *m = members[i];
		uint32_t want = doc_member(p->doc, s->stamp_entry, m, strlen(m)),
			 is = doc_member(&v->doc, t, m, strlen(m));

		if (is == DOC_NONE)
			return false;
		buf_reset(&v->expected);
		buf_reset(&v->actual);
		canon_value(&v->expected, p->doc, want, DOC_NONE);
		canon_value(&v->actual, &v->doc, is, DOC_NONE);
		if (v->expected.len != v->actual.len || memcmp(v->expected.s, v->actual.s, v->actual.len) != 0)
			return false;
	}
	return true;
}

static void check_step(struct documents_verify *v, const struct plan *p, size_t i)
{
	const struct step *s = &p->step[i];
	char *ref = xmemdup(s->ref.s, s->ref.n), raw[HEX_SIZE], after[HEX_SIZE], content[HEX_SIZE] = "", seen[HEX_SIZE];
	struct complaint c = { .ref = ref, .rule = "drift" };
	struct diag quiet = DIAG_INIT;
	struct store_doc doc;

	memcpy(raw, s->raw.s, HEX_LEN);
	memcpy(after, s->after.s, HEX_LEN);
	raw[HEX_LEN] = after[HEX_LEN] = '\0';
	if (v->s->ops->read(v->s, s->ref, &doc, &quiet) < 0 || !doc.bytes) {
		c.message = quiet.n ? quiet.list[0].message : doc.reason;
		c.expected = s->restore ? raw : after;
		complain(v->found, &c);
		goto out;
	}
	bool original = strcmp(doc.raw, raw) == 0;
	bool done = effect_content(&v->effect, doc.bytes, s->without, content) && strcmp(content, after) == 0;

	if (s->restore ? original : done && !original) {
		if (!s->restore && !history_holds(v, p, s, doc.bytes)) {
			c.rule = "history";
			c.message = "the last history entry is not the plan's";
			complain(v->found, &c);
		} else if (!s->restore && ledger_hash(v, i, seen) && strcmp(seen, doc.raw) != 0) {
			c = (struct complaint){ .ref = ref,
				                .rule = "rewritten",
				                .warning = true,
				                .expected = seen,
				                .actual = doc.raw,
				                .message = "the bytes were rewritten since, the content is equal" };
			complain(v->found, &c);
		}
	} else if (s->restore ? done : original) {
		c.rule = "not_applied";
		c.expected = s->restore ? raw : after;
		c.actual = s->restore ? doc.raw : content;
		c.message = s->restore ? "still as the plan to be undone left it" : "still as it was before the plan";
		complain(v->found, &c);
	} else {
		c.expected = s->restore ? raw : after;
		c.actual = s->restore ? doc.raw : *content ? content : doc.raw;
		c.message = "neither as before the plan nor as after it";
		c.diff = make_diff(v, p, s, doc.bytes) ? &v->diff : NULL;
		complain(v->found, &c);
	}
out:
	diag_release(&quiet);
	free(ref);
}

/* What the ledger's last entry for the plan says of the bytes it wrote. */
static int consult_ledger(struct documents_verify *v, const struct plan *p)
{
	int rc;

	v->written = DOC_NONE;
	buf_reset(&v->entry);
	if ((rc = v->s->ops->last(v->s, p->hash, &v->entry, v->d)) <= 0)
		return rc;
	if (doc_parse(&v->ledger_doc, v->entry.s, v->entry.len, RECORD_MAX_DEPTH) == 0)
		v->written = doc_member(&v->ledger_doc, 0, "written", 7);
	return 0;
}

int verify_documents_plan(struct documents_verify *v, const struct plan *p)
{
	if (consult_ledger(v, p) < 0)
		return -1;
	for (size_t i = 0; i < p->nstep; i++)
		check_step(v, p, i);
	return 0;
}
