/* schema-intake.c -- see schema-intake.h */
#include "schema-intake.h"

#include <strings.h>

void schema_intake_release(struct schema_intake *x)
{
	buf_release(&x->line);
	doc_release(&x->doc);
}

static uint32_t list_in(const struct doc *d, uint32_t obj, const char *name)
{
	uint32_t t = doc_member(d, obj, name, strlen(name));

	return t != DOC_NONE && d->tok[t].type == DOC_ARRAY ? t : DOC_NONE;
}

/* The record is only borrowed until the next one: keep it, and find what everybody asks for. */
static int take(struct schema_intake *x, const struct record *r, const char *where, struct diag *d)
{
	struct doc *doc = &x->doc;
	struct text dialect = { "", 0 };
	struct buf arena = BUF_INIT;

	buf_add(&x->line, r->line, r->len);
	if (doc_parse(doc, x->line.s, x->line.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "bad_record", where, "a record that cannot be read again");
	x->applied = doc_member(doc, 0, "applied", 7);
	x->estimates = doc_member(doc, 0, "estimates", 9);
	x->live = doc_member(doc, 0, "live", 4);
	x->recorded = doc_member(doc, 0, "recorded", 8);
	x->tables = list_in(doc, x->live, "tables");
	x->views = list_in(doc, x->live, "views");
	canon_hash(doc, x->live, DOC_NONE, x->hash);
	dialect = record_text(doc, doc_member(doc, 0, "dialect", 7), &arena);
	x->dialect = text_is(dialect, "sqlite") ? DIALECT_SQLITE : DIALECT_POSTGRESQL;

	bool known = x->dialect == DIALECT_SQLITE || text_is(dialect, "postgresql");

	buf_release(&arena);
	if (!known || !x->tables || !x->views)
		return diag_add(d, MIG_USAGE, "bad_record", where, "a schema record without %s",
		                known ? "live tables and views" : "a dialect that is known");
	if (!doc_equals(doc, doc_member(doc, 0, "hash", 4), x->hash, HEX_LEN))
		return diag_add(d, MIG_INVALID, "schema_hash", where,
		                "the record was edited: the live schema's hash is %s", x->hash);
	return 0;
}

static int take_record(struct schema_intake *x, const struct record *r, struct stream *in, struct out *out,
                       struct diag *d)
{
	if (r->kind == KIND_FAULT)
		return stream_put(out, r->line, r->len);
	if (in->fault || r->kind == KIND_END)
		return 0;
	if (r->kind != KIND_SCHEMA)
		return diag_add(d, MIG_USAGE, "unexpected_kind", in->where,
		                "%s: not a schema record: mig-extract --schema gives it", kind_name(r->kind));
	if (x->line.len)
		return diag_add(d, MIG_INVALID, "stream_incomplete", in->where, "a second schema record");
	return take(x, r, in->where, d);
}

int schema_intake_read(struct schema_intake *x, struct stream *in, struct out *out, struct diag *d)
{
	struct tally t;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, d)) > 0)
		if ((rc = take_record(x, &r, in, out, d)) < 0)
			break;
	if (rc < 0 || in->fault)
		return rc;
	tally_init(&t);
	if (x->line.len)
		tally_object(&t, TEXT("schema"), (struct text){ x->hash, HEX_LEN });
	rc = stream_verify_end(in, &t, d);
	tally_release(&t);
	if (rc == 0 && !x->line.len)
		rc = diag_add(d, MIG_INVALID, "stream_incomplete", NULL, "no schema record came");
	return rc;
}

/* SQLite's names differ by more than case. */
static bool same_name(const struct schema_intake *x, uint32_t t, const char *name)
{
	size_t n = strlen(name);
	struct buf arena = BUF_INIT;
	bool same;

	if (t == DOC_NONE)
		return false;
	if (x->dialect == DIALECT_POSTGRESQL)
		return doc_equals(&x->doc, t, name, n);
	struct text is = record_text(&x->doc, t, &arena);

	same = is.n == n && strncasecmp(is.s, name, n) == 0;
	buf_release(&arena);
	return same;
}

uint32_t schema_intake_table(const struct schema_intake *x, const char *name)
{
	const struct doc *d = &x->doc;

	for (uint32_t t = x->tables + 1; t < d->tok[x->tables].next; t = d->tok[t].next)
		if (same_name(x, doc_member(d, t, "name", 4), name))
			return t;
	return DOC_NONE;
}

int64_t schema_intake_rows(const struct schema_intake *x, const char *table)
{
	uint32_t t = x->estimates ? doc_member(&x->doc, x->estimates, table, strlen(table)) : DOC_NONE;
	int64_t n;

	return t != DOC_NONE && doc_int(&x->doc, t, &n) ? n : -1;
}
