/* hasher.c -- see hasher.h */
#include "hasher.h"

#include "canon.h"
#include "pointer.h"
#include "record.h"
#include "stream.h"
#include "values.h"

#include <inttypes.h>
#include <stdlib.h>

struct hashing {
	const struct hasher *h;
	struct values values;
	struct out *out;
	struct diag *d;
	struct buf b;
	/* HASHER_CHECK: over the objects and over the plans since the last end */
	struct tally objects, plans;
	size_t checked;
	bool counts; /* a versions record came */
	bool bad;
};

/* The token to leave out of the value below root. */
static uint32_t left_out(const struct hashing *x, uint32_t root)
{
	const char *p = x->h->without;
	uint32_t t = DOC_NONE;

	if (p)
		pointer_find(&x->values.doc, root, p, strlen(p), &t);
	return t;
}

static int put_canonical(struct hashing *x)
{
	buf_reset(&x->b);
	canon_value(&x->b, &x->values.doc, 0, left_out(x, 0));
	return stream_put(x->out, x->b.s, x->b.len);
}

static int put_hash(struct hashing *x)
{
	char hex[HEX_SIZE];
	struct rec w;

	canon_hash(&x->values.doc, 0, left_out(x, 0), hex);
	buf_reset(&x->b);
	if (x->h->format == HASHER_JSON) {
		rec_open(&w, &x->b);
		rec_cstr(&w, "file", x->values.name);
		rec_cstr(&w, "hash", hex);
		rec_int(&w, "line", (int64_t)x->values.line);
		rec_close(&w);
	} else {
		buf_addstr(&x->b, hex);
		if (x->h->format == HASHER_TEXT)
			buf_addf(&x->b, "  %s", x->values.name);
	}
	return stream_put(x->out, x->b.s, x->b.len);
}

static void compare(struct hashing *x, const char *rule, const char *what, const char *want, const char *is)
{
	x->checked++;
	if (strcmp(want, is) == 0)
		return;
	x->bad = true;
	diag_add(x->d, MIG_INVALID, rule, x->values.name, "line %zu: %s: expected_hash %s, actual_hash %s",
	         x->values.line, what, want, is);
}

/* Check the member name of the object at root, which is a hash over the rest of it. */
static void check_own(struct hashing *x, uint32_t root, const char *name, const char *rule)
{
	char want[HEX_SIZE], is[HEX_SIZE];

	record_sum_holds(&x->values.doc, root, name, want, is);
	compare(x, rule, name, want, is);
}

static struct text token_text(struct hashing *x, uint32_t t)
{
	const struct doc *d = &x->values.doc;

	return t != DOC_NONE && d->tok[t].type == DOC_STRING ? record_text(d, t, &x->b) : (struct text){ "", 0 };
}

static struct text member_text(struct hashing *x, uint32_t obj, const char *name)
{
	return token_text(x, doc_member(&x->values.doc, obj, name, strlen(name)));
}

static void count_object(struct hashing *x, const struct record *r)
{
	struct text ref, h;
	uint32_t source, hash;

	if (!record_source(r, &source, &hash))
		return;
	/* both may be decoded into b: take no pointer before it has its room */
	buf_reset(&x->b);
	buf_reserve(&x->b, x->values.doc.len);
	ref = token_text(x, source);
	h = token_text(x, hash);
	tally_object(&x->objects, ref, h);
}

static void count_step(struct hashing *x)
{
	struct text ref, id;

	buf_reset(&x->b);
	buf_reserve(&x->b, x->values.doc.len);
	ref = member_text(x, 0, "ref");
	id = member_text(x, 0, "step_id");
	tally_object(&x->objects, ref, id);
}

static void count_entry(struct hashing *x)
{
	size_t n;
	const char *seq = doc_span(&x->values.doc, doc_member(&x->values.doc, 0, "seq", 3), &n);

	tally_object(&x->objects, (struct text){ seq, n }, member_text(x, 0, "hash"));
}

static void count_plan(struct hashing *x, uint32_t obj)
{
	struct text h = member_text(x, obj, "plan_hash");

	if (h.n == HEX_LEN)
		tally_plan(&x->plans, h.s);
}

static void restart(struct tally *t)
{
	tally_release(t);
	tally_init(t);
}

static void check_end(struct hashing *x, const struct record *r)
{
	/* rejects may come ahead of plans: only what mig-extract ends without plans is a stream of objects */
	bool objects = doc_equals(r->doc, record_get(r, "tool"), "mig-extract", 11) && x->plans.n == 0;
	struct tally *t = objects ? &x->objects : &x->plans;
	char is[HEX_SIZE];
	struct buf want = BUF_INIT;
	int64_t records;
	uint64_t n = t->n;

	tally_hex(t, is);
	doc_string(r->doc, record_get(r, "digest"), &want);
	compare(x, "digest_mismatch", "digest", want.s ? want.s : "", is);
	if (!doc_int(r->doc, record_get(r, "records"), &records) || records < 0 || (uint64_t)records != n) {
		x->bad = true;
		diag_add(x->d, MIG_INVALID, "digest_mismatch", x->values.name,
		         "line %zu: end: records is not %" PRIu64 ", the number that came", x->values.line, n);
	}
	buf_release(&want);
	restart(&x->objects);
	restart(&x->plans);
}

/* The end counts it as an object of that name. */
static void check_schema(struct hashing *x, const struct record *r)
{
	struct buf want = BUF_INIT;
	char is[HEX_SIZE];

	canon_hash(r->doc, record_get(r, "live"), DOC_NONE, is);
	buf_reserve(&want, 0);
	doc_string(r->doc, record_get(r, "hash"), &want);
	compare(x, "hash_mismatch", "hash", want.s, is);
	tally_object(&x->objects, TEXT("schema"), (struct text){ want.s, want.len });
	buf_release(&want);
}

static int check_record(struct hashing *x)
{
	struct record r = { .doc = &x->values.doc };
	char *where = xasprintf("%s: line %zu", x->values.name, x->values.line), is[HEX_SIZE];
	int rc = record_check(&r, where, x->d);

	free(where);
	if (rc < 0)
		return -1;
	switch (r.kind) {
	case KIND_DOCUMENT:
		if (x->h->without) {
			struct buf want = BUF_INIT;
			uint32_t body = record_get(&r, "body");

			canon_hash(r.doc, body, left_out(x, body), is);
			doc_string(r.doc, record_get(&r, "hash"), &want);
			compare(x, "hash_mismatch", "hash", want.s ? want.s : "", is);
			buf_release(&want);
		}
		count_object(x, &r);
		break;
	case KIND_CHANGE:
		check_own(x, 0, "sum", "sum_mismatch");
		count_object(x, &r);
		break;
	case KIND_SNAPSHOT: check_own(x, 0, "sum", "sum_mismatch"); break;
	case KIND_CURRENT:
	case KIND_REJECT:
		check_own(x, 0, "sum", "sum_mismatch");
		count_object(x, &r);
		break;
	case KIND_PLAN:
		check_own(x, 0, "plan_hash", "plan_hash_integrity_failed");
		count_plan(x, 0);
		break;
	case KIND_PERMIT:
		check_own(x, record_get(&r, "plan"), "plan_hash", "plan_hash_integrity_failed");
		count_plan(x, record_get(&r, "plan"));
		break;
	case KIND_OUTCOME:
	case KIND_VERDICT:
		count_plan(x, 0);
		break;
	case KIND_ENTRY:
		check_own(x, 0, "hash", "entry_mismatch");
		count_entry(x);
		break;
	case KIND_STEP:
		count_step(x);
		break;
	case KIND_SCHEMA:
		check_schema(x, &r);
		break;
	case KIND_VERSIONS:
		x->counts = true;
		break;
	case KIND_END:
		if (!x->counts) /* what a versions record counts is not in the stream */
			check_end(x, &r);
		x->counts = false;
		break;
	default:
		break;
	}
	return 0;
}

int hasher_run(const struct hasher *h, int fd, const char *name, struct out *out, struct diag *d)
{
	struct hashing x = { .h = h, .out = out, .d = d };
	int rc;

	values_init(&x.values, fd, name);
	tally_init(&x.objects);
	tally_init(&x.plans);
	while ((rc = values_next(&x.values, d)) > 0) {
		if (h->mode == HASHER_CHECK)
			rc = check_record(&x);
		else
			rc = h->mode == HASHER_CANONICAL ? put_canonical(&x) : put_hash(&x);
		if (rc < 0)
			break;
	}
	if (rc == 0 && h->mode == HASHER_CHECK && !x.bad) {
		buf_reset(&x.b);
		buf_addf(&x.b, "%s: OK (%zu hashes)", name, x.checked);
		rc = stream_put(out, x.b.s, x.b.len);
	}
	values_release(&x.values);
	tally_release(&x.objects);
	tally_release(&x.plans);
	buf_release(&x.b);
	return rc < 0 || x.bad ? -1 : 0;
}
