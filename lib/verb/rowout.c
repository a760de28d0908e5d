/* rowout.c -- see rowout.h */
#include "rowout.h"

#include "fs-root.h"

/* A row is at no version; who transforms rows asks for none. */
#define NO_VERSION "0.0.0"

int rowout_init(struct rowout *o, struct out *out, const char *after, struct diag *d)
{
	*o = (struct rowout){ .out = out, .after = after };
	tally_init(&o->tally);
	return sorted_init(&o->kept, d);
}

void rowout_release(struct rowout *o)
{
	tally_release(&o->tally);
	sorted_release(&o->kept);
	buf_release(&o->last);
	buf_release(&o->record);
}

/* The first slash divides. */
void rowout_ref(struct buf *b, struct text entity, struct text id)
{
	size_t n = 0;

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

static int compare(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.s, b.s, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static void write_document(struct buf *b, const struct row *r)
{
	struct rec w;

	rec_open(&w, b);
	rec_raw(&w, "body", r->body.s, r->body.n);
	rec_str(&w, "entity", r->entity);
	rec_cstr(&w, "hash", r->hash);
	rec_cstr(&w, "kind", "document");
	rec_cstr(&w, "raw", r->hash);
	rec_str(&w, "ref", r->ref);
	rec_cstr(&w, "version", NO_VERSION);
	rec_close(&w);
}

static void write_reject(struct buf *b, const struct row *r)
{
	const struct reject j = {
		.tool = "mig-extract",
		.code = r->code,
		.reason = r->reason,
		.entity = r->entity,
		.hash = { r->hash, HEX_LEN },
		.ref = r->ref,
	};

	reject_write(b, &j);
}

int rowout_put(struct rowout *o, const struct row *r, struct diag *d)
{
	int c = o->last.len ? compare(r->ref, (struct text){ o->last.s, o->last.len }) : 1;

	if (c == 0)
		return diag_add(d, MIG_INVALID, "duplicate_row", o->last.s, "two rows have this id");
	if (c < 0)
		return diag_add(d, MIG_ERROR, "internal", o->last.s, "a row came behind it that belongs before it");
	buf_reset(&o->last);
	buf_add(&o->last, r->ref.s, r->ref.n);
	if (o->after && compare(r->ref, text_cstr(o->after)) <= 0)
		return 0;
	tally_object(&o->tally, r->ref, (struct text){ r->hash, HEX_LEN });
	buf_reset(&o->record);
	if (r->code)
		write_reject(&o->record, r);
	else
		write_document(&o->record, r);
	return stream_put(o->out, o->record.s, o->record.len);
}

/* In front of a kept row: the hash and the lengths of entity and code; then these, and the body or the reason. */
struct kept {
	char hash[HEX_SIZE];
	size_t nentity, ncode;
};

int rowout_keep(struct rowout *o, const struct row *r, struct diag *d)
{
	struct kept k = { .nentity = r->entity.n, .ncode = r->code ? strlen(r->code) : 0 };

	memcpy(k.hash, r->hash, HEX_LEN);
	buf_reset(&o->record);
	buf_add(&o->record, (const char *)&k, sizeof k);
	buf_add(&o->record, r->entity.s, r->entity.n);
	buf_add(&o->record, r->code, k.ncode);
	if (r->code)
		buf_add(&o->record, "", 1);
	buf_add(&o->record, r->code ? r->reason : r->body.s, r->code ? strlen(r->reason) + 1 : r->body.n);
	return sorted_add(&o->kept, r->ref, (struct text){ o->record.s, o->record.len }, d);
}

int rowout_sort(struct rowout *o, struct diag *d)
{
	return sorted_begin(&o->kept, d);
}

static int put_waiting(struct rowout *o, struct diag *d)
{
	struct kept k;
	const char *s = o->value.s + sizeof k;
	struct row r = { .ref = o->ref, .hash = k.hash };

	memcpy(&k, o->value.s, sizeof k);
	r.entity = (struct text){ s, k.nentity };
	s += k.nentity;
	if (k.ncode) {
		r.code = s;
		r.reason = s + k.ncode + 1;
	} else {
		r.body = (struct text){ s, (size_t)(o->value.s + o->value.n - s) };
	}
	return rowout_put(o, &r, d);
}

int rowout_put_kept(struct rowout *o, const char *prefix, struct diag *d)
{
	size_t n = strlen(prefix);
	int rc;

	for (;;) {
		if (!o->waiting && (rc = sorted_next(&o->kept, &o->ref, &o->value, d)) <= 0)
			return rc;
		o->waiting = o->ref.n < n || memcmp(o->ref.s, prefix, n) != 0;
		if (o->waiting)
			return 0;
		if (put_waiting(o, d) < 0)
			return -1;
	}
}

int rowout_end(struct rowout *o)
{
	return stream_put_tally(o->out, "mig-extract", &o->tally);
}

int rowout_snapshot(struct rowout *o, const struct snapshot *s)
{
	struct buf *b = &o->record;
	struct rec w;

	buf_reset(b);
	rec_open(&w, b);
	if (s->after)
		rec_cstr(&w, "after", s->after);
	rec_cstr(&w, "app", s->app);
	if (s->descriptor.n)
		rec_raw(&w, "descriptor", s->descriptor.s, s->descriptor.n);
	else
		rec_null(&w, "descriptor");
	rec_cstr(&w, "env", s->env);
	rec_cstr(&w, "kind", "snapshot");
	rec_cstr(&w, "query_hash", s->query_hash);
	rec_cstr(&w, "source", s->source);
	size_t at = b->len + 1;

	rec_cstr(&w, "tenant", s->tenant);
	rec_close(&w);
	rec_sum(b, at);
	return stream_put(o->out, b->s, b->len);
}
