/* stream.c -- see stream.h */
#include "stream.h"

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void tally_init(struct tally *t)
{
	*t = (struct tally){ .sum = digest_new() };
}

void tally_release(struct tally *t)
{
	digest_free(t->sum);
	t->sum = NULL;
}

void tally_object(struct tally *t, struct text ref, struct text hash)
{
	digest_add(t->sum, ref.s, ref.n);
	digest_add(t->sum, "", 1);
	digest_add(t->sum, hash.s, hash.n);
	digest_add(t->sum, "\n", 1);
	t->n++;
}

void tally_plan(struct tally *t, const char *plan_hash)
{
	digest_add(t->sum, plan_hash, HEX_LEN);
	digest_add(t->sum, "\n", 1);
	t->n++;
}

void tally_hex(struct tally *t, char hex[HEX_SIZE])
{
	digest_final(t->sum, hex);
}

size_t stream_max_record(void)
{
	const char *s = getenv("MIG_MAX_RECORD");
	char *end;
	unsigned long long v = s ? strtoull(s, &end, 10) : 0;

	if (!s)
		return (size_t)64 << 20;
	return *s >= '0' && *s <= '9' && !*end && v >= 1024 && v <= UINT32_MAX / 2 ? (size_t)v : 0;
}

void stream_init(struct stream *s, int fd, const char *tool)
{
	*s = (struct stream){ .doc = DOC_INIT, .tool = tool };
	lines_init(&s->lines, fd, stream_max_record());
}

void stream_release(struct stream *s)
{
	lines_release(&s->lines);
	doc_release(&s->doc);
	buf_release(&s->canon);
}

/* Index a line; one that is JSON in another spelling is made canonical first, so that spans can be hashed. */
static int index_line(struct stream *s, const char **line, size_t *n, struct diag *d)
{
	if (s->lines.torn) /* even if it is JSON by chance: every line ends in LF */
		return diag_add(d, MIG_PRECONDITION, "stream_torn", s->where,
		                "torn last line: the stream was cut short");
	if (doc_parse(&s->doc, *line, *n, RECORD_MAX_DEPTH) < 0) {
		const struct doc_error *e = &s->doc.err;

		return diag_add(d, MIG_USAGE, "not_json", s->where, "column %zu: %s", e->column, e->reason);
	}
	if (!s->doc.canonical) {
		buf_reset(&s->canon);
		canon_value(&s->canon, &s->doc, 0, DOC_NONE);
		*line = s->canon.s;
		*n = s->canon.len;
		if (doc_parse(&s->doc, *line, *n, RECORD_MAX_DEPTH) < 0)
			return diag_add(d, MIG_ERROR, "internal", s->where, "canonical text does not read back");
	}
	return 0;
}

static int read_end(struct stream *s, const struct record *r, struct diag *d)
{
	int64_t n;
	uint32_t t = record_get(r, "digest");

	if (!doc_int(r->doc, record_get(r, "records"), &n) || n < 0 || r->doc->tok[t].len != HEX_LEN + 2)
		return diag_add(d, MIG_USAGE, "bad_record", s->where, "end: records or digest is malformed");
	s->end = true;
	s->end_records = (uint64_t)n;
	memcpy(s->end_digest, r->doc->text + r->doc->tok[t].off + 1, HEX_LEN);
	return 0;
}

static int read_fault(struct stream *s, const struct record *r, struct diag *d)
{
	int64_t code;

	if (!doc_int(r->doc, record_get(r, "exit"), &code) || code < MIG_ERROR || code > MIG_UNSAFE)
		return diag_add(d, MIG_USAGE, "bad_record", s->where, "fault: /exit is not a code from 1 to 5");
	if (!s->fault)
		s->fault_exit = (enum mig_exit)code;
	s->fault = true;
	return 0;
}

int stream_next(struct stream *s, struct record *r, struct diag *d)
{
	const char *line;
	size_t n;
	int rc = lines_next(&s->lines, &line, &n, d);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		if (!s->end && !s->fault && !s->partial)
			return diag_add(d, MIG_PRECONDITION, "stream_incomplete", "stdin",
			                s->lines.no ? "the stream stops without its end"
			                            : "no stream: nothing came in");
		return 0;
	}
	snprintf(s->where, sizeof s->where, "line %zu", s->lines.no);
	if (index_line(s, &line, &n, d) < 0)
		return -1;
	if (s->end)
		return diag_add(d, MIG_INVALID, "after_end", s->where, "a record after the end of the stream");
	progress_tick();
	*r = (struct record){ .line = line, .len = n, .doc = &s->doc };
	if (record_check(r, s->where, d) < 0)
		return -1;
	if (r->kind == KIND_END)
		return read_end(s, r, d) < 0 ? -1 : 1;
	if (r->kind == KIND_FAULT)
		return read_fault(s, r, d) < 0 ? -1 : 1;
	return 1;
}

int stream_verify_end(const struct stream *s, struct tally *t, struct diag *d)
{
	char hex[HEX_SIZE];
	uint64_t n = t->n;

	tally_hex(t, hex);
	if (n != s->end_records)
		return diag_add(d, MIG_INVALID, "stream_incomplete", "stdin",
		                "the end speaks of %" PRIu64 " records, %" PRIu64 " came", s->end_records, n);
	if (strcmp(hex, s->end_digest) != 0)
		return diag_add(d, MIG_INVALID, "stream_incomplete", "stdin",
		                "the end's digest is %s, what came has %s: a record was edited, doubled or moved",
		                s->end_digest, hex);
	return 0;
}

int stream_check_sum(const struct stream *s, const struct record *r, struct diag *d)
{
	char want[HEX_SIZE], is[HEX_SIZE];

	if (record_sum_holds(r->doc, 0, "sum", want, is))
		return 0;
	return diag_add(d, MIG_INVALID, "sum_mismatch", s->where,
	                "the record was edited: its sum says %s, it has %s", want, is);
}

int stream_put(struct out *o, const char *text, size_t n)
{
	out_write(o, text, n);
	return out_write(o, "\n", 1);
}

int stream_pass(const struct stream *s, const struct record *r, struct out *o, struct diag *d)
{
	if (r->kind == KIND_REJECT && stream_check_sum(s, r, d) < 0)
		return -1;
	return stream_put(o, r->line, r->len);
}

int stream_put_end(struct out *o, const char *tool, uint64_t records, const char *digest)
{
	struct buf b = BUF_INIT;
	struct rec w;

	rec_open(&w, &b);
	rec_cstr(&w, "digest", digest);
	rec_cstr(&w, "kind", "end");
	rec_int(&w, "records", (int64_t)records);
	rec_cstr(&w, "tool", tool);
	rec_close(&w);
	int rc = stream_put(o, b.s, b.len);

	buf_release(&b);
	snprintf(o->end.digest, sizeof o->end.digest, "%s", digest);
	o->end.records = records;
	/* the next filter waits for it; who wrote it may have much to clear away */
	return rc < 0 ? -1 : out_flush(o);
}

int stream_put_tally(struct out *o, const char *tool, struct tally *t)
{
	char hex[HEX_SIZE];
	uint64_t n = t->n;

	tally_hex(t, hex);
	return stream_put_end(o, tool, n, hex);
}

int stream_put_fault(struct out *o, const char *tool, const struct finding *f)
{
	struct buf b = BUF_INIT;
	struct rec w;

	rec_open(&w, &b);
	rec_cstr(&w, "code", f->rule);
	rec_int(&w, "exit", f->exit);
	rec_cstr(&w, "kind", "fault");
	rec_cstr(&w, "reason", f->message);
	if (f->where)
		rec_cstr(&w, "ref", f->where);
	rec_cstr(&w, "tool", tool);
	rec_close(&w);
	int rc = stream_put(o, b.s, b.len);

	buf_release(&b);
	return rc;
}
