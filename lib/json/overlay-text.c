/*
 * overlay-text.c -- the writing half of overlay.h.
 *
 * What the source has, it keeps: each member brings the white space before it
 * along, a comma belongs to the member behind it, and the first member takes
 * the place of the first.  What is new looks at its neighbours.
 */
#include "overlay-writer.h"

#include "canon.h"

#include <stdlib.h>

/* ---- the order of members ---- */

static int by_name(const void *p, const void *q)
{
	const struct slot *a = *(const struct slot *const *)p, *b = *(const struct slot *const *)q;

	return doc_compare_keys(a->name.s, a->name.n, b->name.s, b->name.n);
}

static void sort_new(struct box *b)
{
	for (uint32_t i = 1; i < b->nlist; i++) {
		if (by_name(&b->list[i - 1], &b->list[i]) > 0) {
			/* the map finds slots, not places, so they may change places */
			qsort(b->list, b->nlist, sizeof *b->list, by_name);
			return;
		}
	}
}

/* How many of the text's members come before a new one. */
static uint32_t place_of(const struct box *b, const struct slot *new, uint32_t lo)
{
	uint32_t hi = b->nkids;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct slot *kid = &b->kids[mid];

		if (by_name(&kid, &new) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The members in the order of the new text: b->n of them. */
static struct slot **members(struct writer *w, struct box *b)
{
	struct slot **seq = arena_get(&w->o->mem, (size_t)b->n * sizeof *seq);
	bool sorted = b->d != w->o->src || !(b->d->tok[b->t].flags & DOC_UNSORTED);
	uint32_t n = 0, kid = 0;

	if (sorted)
		sort_new(b);
	for (uint32_t i = 0; i <= b->nlist; i++) {
		uint32_t until = i < b->nlist && sorted ? place_of(b, b->list[i], kid) : b->nkids;

		for (; kid < until; kid++)
			if (!b->kids[kid].gone)
				seq[n++] = &b->kids[kid];
		if (i < b->nlist && !b->list[i]->gone)
			seq[n++] = b->list[i];
	}
	return seq;
}

/* ---- boxes ---- */

/* How the members of a box stand in the text. */
struct layout {
	struct text first, rest; /* white space before the first, before others without any of their own */
	struct text trail;       /* before a comma, likewise */
	struct text close;       /* before the bracket */
	struct text colon;
};

/* A box whose text is in the source and not empty. */
static bool has_text(const struct writer *w, const struct box *b)
{
	return b->d == w->o->src && b->nkids > 0;
}

/* {"a": 1} says nothing about a second member: what follows its colon is the best guess. */
static struct text guess_rest(struct writer *w, const struct box *b, const struct layout *l)
{
	if (b->nkids > 1)
		return style_lead(b->d, b->t, style_second(b->d, b->t));
	if (l->first.n > 0)
		return style_line(l->first).n > 0 ? style_line(l->first) : l->first;
	if (b->object)
		return l->colon.s[l->colon.n - 1] == ' ' ? TEXT(" ") : TEXT("");
	return writer_style(w)->comma;
}

static struct layout layout_of(struct writer *w, const struct box *b, const struct style *s)
{
	struct layout l = { TEXT(""), s->comma, TEXT(""), TEXT(""), s->colon };

	if (has_text(w, b)) {
		l.first = style_lead(b->d, b->t, style_first(b->d, b->t));
		l.close = style_close_lead(b->d, b->t);
		if (b->object)
			l.colon = style_colon(b->d, b->t);
		l.rest = guess_rest(w, b, &l);
		if (b->nkids > 1)
			l.trail = style_space_behind(style_end(b->d, style_first(b->d, b->t)));
	} else if (s->lines) {
		l.close = writer_concat(w, s->nl, s->indent);
		l.first = l.rest = writer_concat(w, l.close, s->unit);
	}
	return l;
}

/*
 * A neighbour on the same line whose brackets span lines, "[{", "}, {", "}]":
 * its closing line tells how a new value beside it is laid out.
 */
static bool like_neighbour(const struct box *b, const struct slot *near, struct style *s)
{
	uint32_t t = near->home;

	if (t == DOC_NONE || b->d->tok[t].type < DOC_ARRAY || b->d->tok[t].n == 0)
		return false;
	if (!style_unit(b->d, t, &s->unit))
		return false;
	struct text line = style_line(style_close_lead(b->d, t));

	s->lines = true;
	s->nl = style_break(line);
	s->indent = style_indent(line);
	return true;
}

/* The style of a value that stands behind lead in a box. */
static struct style value_style(struct writer *w, const struct box *b, const struct layout *l, struct text lead,
                                const struct style *outer)
{
	struct style s = *(has_text(w, b) ? writer_style(w) : outer);
	struct text line = style_line(lead);

	s.lines = line.n > 0;
	if (b->object)
		s.colon = l->colon;
	if (!s.lines) {
		s.comma = style_line(l->rest).n > 0 ? writer_style(w)->comma : l->rest;
		return s;
	}
	s.nl = style_break(line);
	s.indent = style_indent(line);
	if (has_text(w, b))
		style_unit(b->d, b->t, &s.unit);
	return s;
}

static void put_box(struct writer *w, struct box *b, const struct style *s, unsigned depth);

static void put_slot_value(struct writer *w, struct slot **seq, uint32_t i, struct box *b, const struct layout *l,
                           struct text lead, const struct style *outer, unsigned depth)
{
	struct value *v = &seq[i]->v;

	if (!v->box && (v->d == w->o->src || v->d->tok[v->t].type < DOC_ARRAY)) {
		if (v->d == w->o->src)
			writer_put(w, style_span(v->d, v->t));
		else
			writer_put_canonical(w, v->d, v->t);
		return;
	}
	struct style s = value_style(w, b, l, lead, outer);

	if (!s.lines && !b->object && has_text(w, b) && !(i > 0 && like_neighbour(b, seq[i - 1], &s)) && i + 1 < b->n)
		like_neighbour(b, seq[i + 1], &s);
	if (v->box)
		put_box(w, v->box, &s, depth + 1);
	else
		writer_put_new(w, v->d, v->t, &s);
}

static void put_name(struct writer *w, const struct box *b, const struct slot *s, const struct layout *l)
{
	bool own = s->home != DOC_NONE && b->d == w->o->src;

	if (own && !s->renamed)
		writer_put(w, style_span(b->d, s->home - 1));
	if (!own || s->renamed) {
		writer_flush(w);
		canon_string(w->out, s->name.s, s->name.n);
	}
	if (own)
		writer_put(w, style_between(style_end(b->d, s->home - 1), b->d->text + b->d->tok[s->home].off));
	else
		writer_put(w, l->colon);
}

static struct slot **elements(struct writer *w, const struct box *b)
{
	struct slot **seq = arena_get(&w->o->mem, (size_t)b->n * sizeof *seq);

	for (uint32_t i = 0; i < b->n; i++)
		seq[i] = box_element(b, i);
	return seq;
}

/* Neither the first nor new: such a slot has a comma and white space of its own. */
static bool has_lead(const struct writer *w, const struct box *b, const struct slot *s)
{
	return s->home != DOC_NONE && s != b->kids && b->d == w->o->src;
}

/*
 * The comma before slot i and the white space before that; returns the white
 * space that stands behind it.  lead is that of the slot before.
 */
static struct text put_comma(struct writer *w, const struct box *b, struct slot **seq, uint32_t i,
                             const struct layout *l, struct text lead)
{
	const struct slot *before = seq[i - 1];

	if (has_text(w, b) && before->home != DOC_NONE && before != &b->kids[b->nkids - 1])
		writer_put(w, style_space_behind(style_end(b->d, before->home)));
	else
		writer_put(w, l->trail);
	if (has_lead(w, b, seq[i])) {
		lead = style_lead(b->d, b->t, seq[i]->home);
		writer_put(w, (struct text){ lead.s - 1, 1 });
		return lead;
	}
	/* a new one is like the one before it without blank lines; the first is no model: it has no comma */
	if (i == 1 && b->n > 2 && has_lead(w, b, seq[2]))
		lead = style_lead(b->d, b->t, seq[2]->home);
	else if (i == 1)
		lead = l->rest;
	writer_put(w, TEXT(","));
	return style_line(lead).n > 0 ? style_line(lead) : lead;
}

/* Members that were neighbours in the source, the second one under the name that it has there. */
static bool is_next(const struct writer *w, const struct box *b, const struct slot *before, const struct slot *s)
{
	return s == before + 1 && b->d == w->o->src && s->home != DOC_NONE && before->home != DOC_NONE && !s->renamed;
}

/* As far as the value of slot i; returns the white space before the member or element. */
static struct text put_head(struct writer *w, const struct box *b, struct slot **seq, uint32_t i,
                            const struct layout *l, struct text lead)
{
	if (i > 0)
		lead = put_comma(w, b, seq, i, l, lead);
	writer_put(w, lead);
	if (b->object)
		put_name(w, b, seq[i], l);
	return lead;
}

static void put_box(struct writer *w, struct box *b, const struct style *s, unsigned depth)
{
	struct text whole = style_span(b->d, b->t);

	if (depth > RECORD_MAX_DEPTH) {
		w->failed = true;
		return;
	}
	if (b->n == 0) {
		writer_put(w, b->nkids == 0 ? whole : b->object ? TEXT("{}") : TEXT("[]"));
		return;
	}
	struct slot **seq = b->object ? members(w, b) : elements(w, b);
	struct layout l = layout_of(w, b, s);
	struct text lead = l.first;

	writer_put(w, (struct text){ whole.s, 1 });
	for (uint32_t i = 0; i < b->n; i++) {
		/* mostly nothing has changed between two values: then what is there is put as a whole */
		if (i > 0 && is_next(w, b, seq[i - 1], seq[i])) {
			writer_put(w, style_between(style_end(b->d, seq[i - 1]->home),
			                            b->d->text + b->d->tok[seq[i]->home].off));
			lead = style_lead(b->d, b->t, seq[i]->home);
		} else {
			lead = put_head(w, b, seq, i, &l, lead);
		}
		put_slot_value(w, seq, i, b, &l, lead, s, depth);
	}
	writer_put(w, l.close);
	writer_put(w, (struct text){ whole.s + whole.n - 1, 1 });
}

/* ---- the whole ---- */

/* The indentation of the line that the root begins in. */
static struct text root_indent(const struct doc *d)
{
	const char *root = d->text + d->tok[0].off, *s = root;

	while (s > d->text && (s[-1] == ' ' || s[-1] == '\t'))
		s--;
	return style_between(s, root);
}

static void put_value(struct writer *w, const struct value *v)
{
	struct style s = *writer_style(w);

	s.indent = root_indent(w->o->src);
	if (v->box)
		put_box(w, v->box, &s, 0);
	else if (v->d == w->o->src)
		writer_put(w, style_span(v->d, v->t));
	else
		writer_put_new(w, v->d, v->t, &s);
}

int overlay_write_value(struct overlay *o, const struct value *v, struct buf *out)
{
	struct writer w = { .o = o, .out = out, .start = out->len };

	put_value(&w, v);
	writer_flush(&w);
	return w.failed ? -1 : 0;
}

int overlay_write(struct overlay *o, struct buf *out)
{
	const struct doc *d = o->src;
	struct writer w = { .o = o, .out = out, .start = out->len };

	writer_put(&w, style_between(d->text, d->text + d->tok[0].off));
	put_value(&w, &o->root);
	writer_put(&w, style_between(style_end(d, 0), d->text + d->len));
	writer_flush(&w);
	return w.failed ? -1 : 0;
}
