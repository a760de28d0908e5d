/* overlay-writer.c -- see overlay-writer.h */
#include "overlay-writer.h"

#include "canon.h"

void writer_flush(struct writer *w)
{
	if (w->run.n == 0)
		return;
	if (w->out->len - w->start > UINT32_MAX - w->run.n)
		w->failed = true;
	else
		buf_add(w->out, w->run.s, w->run.n);
	w->run.n = 0;
}

const struct style *writer_style(struct writer *w)
{
	struct overlay *o = w->o;

	if (!o->style) {
		struct style *s = arena_get(&o->mem, sizeof *s);

		*s = style_of(o->src);
		o->style = s;
	}
	return o->style;
}

struct text writer_concat(struct writer *w, struct text a, struct text b)
{
	char *s = arena_get(&w->o->mem, a.n + b.n + 1);

	memcpy(s, a.s, a.n);
	memcpy(s + a.n, b.s, b.n);
	return (struct text){ s, a.n + b.n };
}

void writer_put_canonical(struct writer *w, const struct doc *d, uint32_t t)
{
	if (d->canonical) {
		writer_put(w, style_span(d, t));
		return;
	}
	writer_flush(w);
	canon_value(w->out, d, t, DOC_NONE);
}

/* The style of what is inside a value of style s. */
static struct style inner_style(struct writer *w, const struct style *s)
{
	struct style in = *s;

	if (s->lines)
		in.indent = writer_concat(w, s->indent, s->unit);
	return in;
}

/* A line break and its indentation. */
static void put_line(struct writer *w, const struct style *s)
{
	writer_put(w, s->nl);
	writer_put(w, s->indent);
}

static void put_lead(struct writer *w, const struct style *in, bool first)
{
	if (!first)
		writer_put(w, TEXT(","));
	if (in->lines)
		put_line(w, in);
	else if (!first)
		writer_put(w, in->comma);
}

/* The members or elements of a value of style s; the members in canonical order. */
static void put_inside(struct writer *w, const struct doc *d, uint32_t t, const struct style *s)
{
	bool object = d->tok[t].type == DOC_OBJECT;
	struct style in = inner_style(w, s);
	struct doc_walk walk;
	uint32_t v = t + 1;

	if (object)
		doc_walk_init(&walk, d, t);
	for (uint32_t i = 0; i < d->tok[t].n; i++) {
		put_lead(w, &in, i == 0);
		if (object) {
			uint32_t key = doc_walk_next(&walk);

			writer_put_canonical(w, d, key);
			writer_put(w, s->colon);
			v = key + 1;
		}
		writer_put_new(w, d, v, &in);
		v = d->tok[v].next;
	}
}

void writer_put_new(struct writer *w, const struct doc *d, uint32_t t, const struct style *s)
{
	const struct tok *tok = &d->tok[t];

	if (tok->type < DOC_ARRAY || tok->n == 0 || style_is_bare(s)) {
		writer_put_canonical(w, d, t);
		return;
	}
	writer_put(w, tok->type == DOC_OBJECT ? TEXT("{") : TEXT("["));
	put_inside(w, d, t, s);
	if (s->lines)
		put_line(w, s);
	writer_put(w, tok->type == DOC_OBJECT ? TEXT("}") : TEXT("]"));
}
