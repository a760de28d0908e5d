/* verify.c -- see verify.h */
#include "verify.h"

#include "audit.h"
#include "complaint.h"
#include "effect.h"
#include "patch.h"
#include "pointer.h"
#include "redact.h"
#include "sql-rehearse.h"
#include "verify-rows.h"
#include "verify-sql.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIFF_LINES = 20 };

struct verifying {
	struct store *s;
	const struct verify_ask *ask;
	struct out *out;
	struct diag *d;
	struct effect effect;
	struct doc doc, other, ledger_doc;
	struct complaints found;
	struct buf line, diff, scratch, expected, actual, entry, plan_text;
	uint32_t written; /* in ledger_doc: the bytes that the ledger saw, or DOC_NONE */
	char **want;      /* --against: plan hashes in order */
	size_t nwant, seen;
	struct rehearsal *rehearsal;
	struct rows_verify rows;
};

/* Canonical text of the document in bytes, without its history: 0, or -1 if it is none. */
static int canonical(struct verifying *v, const struct buf *bytes, struct text without, struct buf *out)
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
static int expect(struct verifying *v, const struct plan *p, const struct step *s)
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
static bool make_diff(struct verifying *v, const struct plan *p, const struct step *s, const struct buf *bytes)
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
static const char *ledger_hash(const struct verifying *v, size_t i, char hex[HEX_SIZE])
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
static bool history_holds(struct verifying *v, const struct plan *p, const struct step *s, const struct buf *bytes)
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

static void check_step(struct verifying *v, const struct plan *p, size_t i)
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
		complain(&v->found, &c);
		goto out;
	}
	bool original = strcmp(doc.raw, raw) == 0;
	bool done = effect_content(&v->effect, doc.bytes, s->without, content) && strcmp(content, after) == 0;

	if (s->restore ? original : done && !original) {
		if (!s->restore && !history_holds(v, p, s, doc.bytes)) {
			c.rule = "history";
			c.message = "the last history entry is not the plan's";
			complain(&v->found, &c);
		} else if (!s->restore && ledger_hash(v, i, seen) && strcmp(seen, doc.raw) != 0) {
			c = (struct complaint){ .ref = ref,
				                .rule = "rewritten",
				                .warning = true,
				                .expected = seen,
				                .actual = doc.raw,
				                .message = "the bytes were rewritten since, the content is equal" };
			complain(&v->found, &c);
		}
	} else if (s->restore ? done : original) {
		c.rule = "not_applied";
		c.expected = s->restore ? raw : after;
		c.actual = s->restore ? doc.raw : content;
		c.message = s->restore ? "still as the plan to be undone left it" : "still as it was before the plan";
		complain(&v->found, &c);
	} else {
		c.expected = s->restore ? raw : after;
		c.actual = s->restore ? doc.raw : *content ? content : doc.raw;
		c.message = "neither as before the plan nor as after it";
		c.diff = make_diff(v, p, s, doc.bytes) ? &v->diff : NULL;
		complain(&v->found, &c);
	}
out:
	diag_release(&quiet);
	free(ref);
}

/* What the ledger's last entry for the plan says of the bytes it wrote. */
static int consult_ledger(struct verifying *v, const struct plan *p)
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

/* The plan must be the one that --against names at this place. */
static void check_against(struct verifying *v, const char *hash)
{
	const char *want = v->seen < v->nwant ? v->want[v->seen] : NULL;
	struct complaint c = { .rule = "plan_hash_mismatch", .expected = want, .actual = hash };
	char *message;

	v->seen++;
	if (!v->ask->against || (want && strcmp(want, hash) == 0))
		return;
	message = xasprintf("plan_hash_mismatch: expected_hash %s, actual_hash %s", want ? want : "none", hash);
	c.message = message;
	complain(&v->found, &c);
	free(message);
}

/* p: NULL for a verdict about the whole database */
static int put_verdict(struct verifying *v, const struct plan *p)
{
	struct rec w, in;

	buf_reset(&v->line);
	rec_open(&w, &v->line);
	complaints_code(&v->found, &w);
	complaints_findings(&v->found, &w);
	rec_cstr(&w, "kind", "verdict");
	rec_bool(&w, "ok", v->found.failed == 0);
	rec_cstr(&w, "plan_hash", p ? p->hash : NULL);
	rec_name(&w, "rollback");
	if (!p || p->rollback_mode) {
		buf_addstr(&v->line, "null");
	} else {
		rec_open(&in, &v->line);
		rec_cstr(&in, "plan_hash", p->hash);
		rec_close(&in);
	}
	rec_close(&w);
	return stream_put(v->out, v->line.s, v->line.len);
}

static int verify_in_database(struct verifying *v, struct db *db, const struct plan *p)
{
	if (!text_is(p->dialect, db->ops->dialect))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL, "the plan was not made for %s",
		                db->ops->dialect);
	if (v->ask->rehearse) {
		if (!v->rehearsal && !(v->rehearsal = rehearsal_begin(db, v->d)))
			return -1;
		return rehearsal_forward(v->rehearsal, p, v->d);
	}
	return verify_sql_plan(db, p, &v->found, v->d) < 0 ? -1 : put_verdict(v, p);
}

/* The way back, and then a verdict for each plan. */
static int end_rehearsal(struct verifying *v)
{
	int rc = v->rehearsal ? rehearsal_back(v->rehearsal, v->d) : 0;

	for (size_t i = 0; v->rehearsal && i < rehearsal_count(v->rehearsal) && rc == 0; i++) {
		complaints_reset(&v->found);
		rehearsal_judge(v->rehearsal, i, &v->found);
		rc = put_verdict(v, rehearsal_plan(v->rehearsal, i));
	}
	return rc;
}

static int verify_rows(struct verifying *v, const struct plan *p)
{
	if (!v->s->ops->look)
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "a plan of rows: this store holds documents");
	if (v->ask->rehearse)
		return diag_add(v->d, MIG_USAGE, "no_rehearsal", NULL,
		                "a plan of rows is tried with a dry run: mig-gate --dry-run | mig-apply");
	v->rows.s = v->s;
	v->rows.out = v->out;
	v->rows.found = &v->found;
	v->rows.d = v->d;
	return verify_rows_plan(&v->rows, p) < 0 ? -1 : put_verdict(v, p);
}

static int verify_plan(struct verifying *v, const struct plan *p)
{
	if (plan_of_descriptor(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL, "a plan of descriptors: no store takes it");
	complaints_reset(&v->found);
	check_against(v, p->hash);
	if (plan_of_rows(p))
		return verify_rows(v, p);
	if (v->s->ops->database)
		return verify_in_database(v, v->s->ops->database(v->s), p);
	if (plan_of_sql(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan is for a database, this is a folder");
	if (v->ask->rehearse)
		return diag_add(v->d, MIG_USAGE, "no_rehearsal", NULL,
		                "a plan of documents is tried with a dry run: mig-gate --dry-run | mig-apply");
	if (consult_ledger(v, p) < 0)
		return -1;
	for (size_t i = 0; i < p->nstep; i++)
		check_step(v, p, i);
	return put_verdict(v, p);
}

/* Find the record's plan: inside it, or for an outcome in the store. */
static int read_plan(struct verifying *v, const struct record *r, struct plan *p, struct doc *stored, const char *where)
{
	char *hash;
	int rc;

	if (r->kind == KIND_PLAN)
		return plan_read(p, r->doc, 0, where, v->d);
	if (r->kind == KIND_PERMIT)
		return plan_read(p, r->doc, record_get(r, "plan"), where, v->d);
	hash = record_dup(r->doc, record_get(r, "plan_hash"));
	buf_reset(&v->plan_text);
	rc = v->s->ops->plan(v->s, hash, &v->plan_text, v->d);
	free(hash);
	if (rc == 0 && doc_parse(stored, v->plan_text.s, v->plan_text.len, RECORD_MAX_DEPTH) < 0)
		rc = diag_add(v->d, MIG_INVALID, "plan_hash_integrity_failed", where, "the stored plan is damaged: %s",
		              stored->err.reason);
	return rc < 0 ? -1 : plan_read(p, stored, 0, where, v->d);
}

static int find_plan(struct verifying *v, const struct record *r, struct plan *p, struct doc *stored, const char *where)
{
	if (read_plan(v, r, p, stored, where) < 0)
		return -1;
	if (v->s->ops->look && !v->s->ops->database && !plan_of_rows(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan is not of rows, and this is an app that holds them");
	audit_scope(p->env, p->tenant);
	return 0;
}

/* Read the hashes of the plans in the file of --against. */
static int read_against(struct verifying *v)
{
	struct diag *d = v->d;
	const struct buf *text = v->ask->against_text;
	struct doc doc = DOC_INIT;
	size_t at = 0, used;
	int rc = 0;

	while (rc == 0) {
		int more = doc_parse_next(&doc, text->s + at, text->len - at, RECORD_MAX_DEPTH, &used);
		uint32_t t;
		char want[HEX_SIZE], is[HEX_SIZE];

		if (more < 0)
			rc = diag_add(d, MIG_USAGE, "not_json", v->ask->against, "invalid plan json: %s",
			              doc.err.reason);
		if (more <= 0)
			break;
		at += used;
		t = doc_member(&doc, 0, "kind", 4);
		if (t == DOC_NONE || !doc_equals(&doc, t, "plan", 4))
			continue;
		if (!record_sum_holds(&doc, 0, "plan_hash", want, is)) {
			rc = diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", v->ask->against,
			              "the plan was changed: expected_hash %s, actual_hash %s", want, is);
			break;
		}
		v->want = xrealloc(v->want, v->nwant + 1, sizeof *v->want);
		v->want[v->nwant++] = xstrdup(is);
	}
	doc_release(&doc);
	return rc;
}

static void verifying_release(struct verifying *v)
{
	rows_verify_release(&v->rows);
	struct buf *bufs[] = { &v->line,     &v->diff,   &v->scratch,
		               &v->expected, &v->actual, &v->entry, &v->plan_text };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	for (size_t i = 0; i < v->nwant; i++)
		free(v->want[i]);
	free(v->want);
	rehearsal_free(v->rehearsal);
	complaints_release(&v->found);
	effect_release(&v->effect);
	doc_release(&v->doc);
	doc_release(&v->other);
	doc_release(&v->ledger_doc);
}

static int take_in(struct verifying *v, struct stream *in, struct tally *t)
{
	struct doc stored = DOC_INIT;
	struct plan p = PLAN_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, v->d)) > 0) {
		if (r.kind == KIND_PLAN || r.kind == KIND_PERMIT || r.kind == KIND_OUTCOME) {
			if ((rc = find_plan(v, &r, &p, &stored, in->where)) < 0)
				break;
			tally_plan(t, p.hash);
			rc = verify_plan(v, &p);
		} else if (r.kind == KIND_REJECT || r.kind == KIND_FAULT) {
			rc = stream_pass(in, &r, v->out, v->d);
		} else if (r.kind != KIND_END) {
			rc = diag_add(v->d, MIG_USAGE, "unexpected_kind", in->where,
			              "%s: not a plan, permit or outcome", kind_name(r.kind));
		}
		if (rc < 0)
			break;
	}
	plan_release(&p);
	doc_release(&stored);
	return rc;
}

int verify_run(struct store *s, const struct verify_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct verifying v = { .s = s,
		               .ask = ask,
		               .out = out,
		               .d = d,
		               .found = COMPLAINTS_INIT(d, ask->strict),
		               .effect = EFFECT_INIT,
		               .doc = DOC_INIT,
		               .other = DOC_INIT,
		               .ledger_doc = DOC_INIT };
	struct tally t;
	int rc = ask->against ? read_against(&v) : 0;

	tally_init(&t);
	if (rc == 0)
		rc = take_in(&v, in, &t);
	uint64_t n = t.n;

	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &t, d)) == 0 && (rc = end_rehearsal(&v)) == 0) {
		if (v.seen < v.nwant)
			diag_add(d, MIG_INVALID, "plan_hash_mismatch", ask->against, "holds %zu plans, %zu came",
			         v.nwant, v.seen);
		complaints_finish(&v.found);
		rc = diag_exit(d) == MIG_OK ? stream_put_end(out, "mig-verify", n, in->end_digest) : -1;
	}
	tally_release(&t);
	verifying_release(&v);
	return rc;
}

int verify_drift(struct store *s, bool strict, struct out *out, struct diag *d)
{
	struct verifying v = { .s = s, .out = out, .d = d, .found = COMPLAINTS_INIT(d, strict) };
	char nothing[HEX_SIZE];

	if (!s->ops->database)
		return diag_add(d, MIG_USAGE, "no_schema", NULL, "--drift: a folder of documents has no schema");
	int rc = verify_sql_drift(s->ops->database(s), &v.found, d);

	if (rc == 0)
		rc = put_verdict(&v, NULL);
	complaints_finish(&v.found);
	digest_hex("", 0, nothing);
	if (rc == 0)
		rc = diag_exit(d) == MIG_OK ? stream_put_end(out, "mig-verify", 0, nothing) : -1;
	verifying_release(&v);
	return rc;
}
