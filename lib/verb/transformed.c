/* transformed.c -- see transformed.h */
#include "transformed.h"

/* Write the record in x->record after giving it its sum, in front of the member at offset at. */
static int put_summed(struct transformed *x, size_t at)
{
	rec_sum(&x->record, at);
	return stream_put(x->out, x->record.s, x->record.len);
}

/* A member of the document's record as it is there, under the same name or another. */
static void copy(struct rec *to, const char *name, const struct record *r, const char *from)
{
	size_t n;
	const char *s = doc_span(r->doc, record_get(r, from), &n);

	rec_raw(to, name, s, n);
}

int transformed_reject(struct transformed *x, const struct record *r, struct text ref, const char *code,
                       const char *reason)
{
	struct buf arena = BUF_INIT;

	buf_reserve(&arena, r->len); /* two texts are decoded into it, none may move */
	struct reject reject = {
		.tool = "mig-transform",
		.code = code,
		.reason = reason,
		.entity = record_text(r->doc, record_get(r, "entity"), &arena),
		.hash = record_text(r->doc, record_get(r, "hash"), &arena),
		.ref = ref,
	};

	buf_reset(&x->record);
	reject_write(&x->record, &reject);
	buf_release(&arena);
	return stream_put(x->out, x->record.s, x->record.len);
}

int transformed_current(struct transformed *x, const struct record *r)
{
	struct buf *b = &x->record;
	struct rec rec;
	size_t at;

	buf_reset(b);
	rec_open(&rec, b);
	copy(&rec, "entity", r, "entity");
	copy(&rec, "hash", r, "hash");
	rec_cstr(&rec, "kind", "current");
	copy(&rec, "ref", r, "ref");
	at = b->len + 1;
	rec_cstr(&rec, "version", x->target);
	rec_close(&rec);
	return put_summed(x, at);
}

/* The way's runs of members stand where canonical order has them. */
int transformed_change(struct transformed *x, const struct record *r, const struct way *way,
                       const struct transformed_change *c)
{
	struct buf *b = &x->record;
	struct rec rec;
	size_t at;

	buf_reset(b);
	rec_open(&rec, b);
	rec_cstr(&rec, "after", c->after);
	if (x->set->backup_suffix)
		rec_cstr(&rec, "backup_suffix", x->set->backup_suffix);
	copy(&rec, "before", r, "hash");
	buf_add(b, way->changes.s, way->changes.len);
	rec_bool(&rec, "destructive", c->destructive);
	buf_add(b, way->about.s, way->about.len);
	rec_raw(&rec, "patch", c->patch.s, c->patch.n);
	copy(&rec, "raw", r, "raw");
	copy(&rec, "ref", r, "ref");
	buf_add(b, way->set.s, way->set.len);
	at = b->len + 1;
	buf_add(b, way->target.s, way->target.len);
	rec_raw(&rec, "undo", c->undo.s, c->undo.n);
	rec_close(&rec);
	return put_summed(x, at);
}
