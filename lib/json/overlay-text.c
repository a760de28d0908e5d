/*
 * overlay-text.c -- the writing half of overlay.h.
 *
 * What the source has, it keeps: each member brings the white space before it
 * along, a comma belongs to the member behind it, and the first member takes
 * the place of the first.  What is new looks at its neighbours.
 */
#include "overlay.h"

#include "canon.h"

#include <stdlib.h>

struct writer {
	struct overlay *o;
	struct buf *out;
	size_t start;    /* of what is written, in out */
	struct text run; /* bytes side by side in memory that have not been copied yet */
	bool failed;
};

static const struct style canonical = {
	.lines = false, .nl = { "\n", 1 }, .indent = { "", 0 }, .unit = { "", 0 },
	.colon = { ":", 1 }, .comma = { "", 0 },
};

static void flush(struct writer *w)
{
	if (w->run.n == 0)
		return;
	if (w->out->len - w->start > UINT32_MAX - w->run.n)
		w->failed = true;
	else
		buf_add(w->out, w->run.s, w->run.n);
	w->run.n = 0;
}

/* Neighbouring pieces of the source become one copy. */
static void put(struct writer *w, struct text t)
{
	if (w->run.n > 0 && w->run.s + w->run.n == t.s) {
		w->run.n += t.n;
	} else if (t.n > 0) {
		flush(w);
		w->run = t;
	}
}

/* ---- what the text looks like ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct text span_of(const struct doc *d, uint32_t t)
{
	struct text s;

	s.s = doc_span(d, t, &s.n);
	return s;
}

static struct text between(const char *from, const char *to)
{
	return (struct text){ from, (size_t)(to - from) };
}

/* The white space before p; some other byte of the value stands before that. */
static struct text space_before(const char *p)
{
	const char *s = p;

	while (is_space(s[-1]))
		s--;
	return between(s, p);
}

static struct text space_behind(const char *p)
{
	const char *s = p;

	while (is_space(*s))
		s++;
	return between(p, s);
}

/* Where a member or element begins, given its value's token. */
static const char *start_of(const struct doc *d, uint32_t parent, uint32_t value)
{
	return d->text + d->tok[d->tok[parent].type == DOC_OBJECT ? value - 1 : value].off;
}

static const char *end_of(const struct doc *d, uint32_t t)
{
	return d->text + d->tok[t].off + d->tok[t].len;
}

/* The token of the first member's or element's value. */
static uint32_t first_of(const struct doc *d, uint32_t parent)
{
	return parent + (d->tok[parent].type == DOC_OBJECT ? 2 : 1);
}

/* The same of the second one, if there are two. */
static uint32_t second_of(const struct doc *d, uint32_t parent)
{
	return d->tok[first_of(d, parent)].next + (d->tok[parent].type == DOC_OBJECT);
}

static struct text first_lead(const struct doc *d, uint32_t parent)
{
	return space_before(start_of(d, parent, first_of(d, parent)));
}

static struct text close_lead(const struct doc *d, uint32_t parent)
{
	return space_before(end_of(d, parent) - 1);
}

/* The colon of an object's first member. */
static struct text colon_of(const struct doc *d, uint32_t object)
{
	struct text colon = between(end_of(d, object + 1), d->text + d->tok[object + 2].off);

	return memchr(colon.s, '\n', colon.n) ? TEXT(": ") : colon;
}

/* The last line break of some white space with what follows it; n is 0 if there is none. */
static struct text last_line(struct text lead)
{
	const char *lf = memrchr(lead.s, '\n', lead.n);

	if (!lf)
		return (struct text){ lead.s, 0 };
	return between(lf > lead.s && lf[-1] == '\r' ? lf - 1 : lf, lead.s + lead.n);
}

static struct text break_of(struct text line)
{
	return line.s[0] == '\r' ? TEXT("\r\n") : TEXT("\n");
}

static struct text indent_of(struct text line)
{
	size_t nl = line.s[0] == '\r' ? 2 : 1;

	return (struct text){ line.s + nl, line.n - nl };
}

/* What members are indented by, measured against the closing line; false if it does not show. */
static bool unit_of(const struct doc *d, uint32_t t, struct text *unit)
{
	struct text in = last_line(first_lead(d, t)), out = last_line(close_lead(d, t));

	if (in.n == 0 || out.n == 0)
		return false;
	in = indent_of(in);
	out = indent_of(out);
	if (in.n <= out.n || memcmp(in.s, out.s, out.n) != 0)
		return false;
	*unit = between(in.s + out.n, in.s + in.n);
	return true;
}

/* The source as a whole: the first container that shows something decides. */
static const struct style *source_style(struct overlay *o)
{
	const struct doc *d = o->src;
	struct text root = span_of(d, 0);
	struct style *s = &o->style;
	bool unit = false, colon = false, comma = false;

	if (o->styled)
		return s;
	o->styled = true;
	*s = canonical;
	s->unit = TEXT("  ");
	const char *lf = memchr(root.s, '\n', root.n);

	if (lf) {
		s->lines = true;
		s->nl = lf[-1] == '\r' ? TEXT("\r\n") : TEXT("\n");
		s->colon = TEXT(": ");
	}
	for (uint32_t t = 0; t < d->ntok && !(colon && (lf ? unit : comma)); t++) {
		enum doc_type type = d->tok[t].type;

		if (type < DOC_ARRAY || d->tok[t].n == 0)
			continue;
		if (lf && !unit)
			unit = unit_of(d, t, &s->unit);
		if (type == DOC_OBJECT && !colon) {
			s->colon = colon_of(d, t);
			colon = true;
		}
		if (d->tok[t].n > 1 && !comma) {
			struct text lead = space_before(start_of(d, t, second_of(d, t)));

			comma = last_line(lead).n == 0;
			if (comma)
				s->comma = lead;
		}
	}
	if (!comma && s->colon.s[s->colon.n - 1] == ' ')
		s->comma = TEXT(" ");
	if (!colon && !lf && comma && s->comma.n > 0)
		s->colon = TEXT(": ");
	return s;
}

/* ---- values without a text in the source ---- */

static struct text concat(struct overlay *o, struct text a, struct text b)
{
	char *s = arena_get(&o->mem, a.n + b.n + 1);

	memcpy(s, a.s, a.n);
	memcpy(s + a.n, b.s, b.n);
	return (struct text){ s, a.n + b.n };
}

static void put_canonical(struct writer *w, const struct doc *d, uint32_t t)
{
	if (d->canonical) {
		put(w, span_of(d, t));
		return;
	}
	flush(w);
	canon_value(w->out, d, t, DOC_NONE);
}

/* The style of what is inside a value of style s. */
static struct style style_inside(struct writer *w, const struct style *s)
{
	struct style in = *s;

	if (s->lines)
		in.indent = concat(w->o, s->indent, s->unit);
	return in;
}

/* A line break and its indentation. */
static void put_line(struct writer *w, const struct style *s)
{
	put(w, s->nl);
	put(w, s->indent);
}

static void put_lead(struct writer *w, const struct style *in, bool first)
{
	if (!first)
		put(w, TEXT(","));
	if (in->lines)
		put_line(w, in);
	else if (!first)
		put(w, in->comma);
}

static void put_new(struct writer *w, const struct doc *d, uint32_t t, const struct style *s)
{
	const struct tok *tok = d->tok;
	bool object = tok[t].type == DOC_OBJECT;

	if (tok[t].type < DOC_ARRAY || tok[t].n == 0 ||
	    (!s->lines && s->comma.n == 0 && text_same(s->colon, canonical.colon))) {
		put_canonical(w, d, t);
		return;
	}
	struct style in = style_inside(w, s);
	struct doc_walk walk;
	uint32_t v = t + 1;

	put(w, object ? TEXT("{") : TEXT("["));
	if (object)
		doc_walk_init(&walk, d, t);
	for (uint32_t i = 0; i < tok[t].n; i++) {
		put_lead(w, &in, i == 0);
		if (object) {
			uint32_t key = doc_walk_next(&walk);

			put_canonical(w, d, key);
			put(w, s->colon);
			v = key + 1;
		}
		put_new(w, d, v, &in);
		v = tok[v].next;
	}
	if (s->lines)
		put_line(w, s);
	put(w, object ? TEXT("}") : TEXT("]"));
}

/* ---- boxes ---- */

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
		return space_before(start_of(b->d, b->t, second_of(b->d, b->t)));
	if (l->first.n > 0)
		return last_line(l->first).n > 0 ? last_line(l->first) : l->first;
	if (b->object)
		return l->colon.s[l->colon.n - 1] == ' ' ? TEXT(" ") : TEXT("");
	return source_style(w->o)->comma;
}

static struct layout layout_of(struct writer *w, const struct box *b, const struct style *s)
{
	struct layout l = { TEXT(""), s->comma, TEXT(""), TEXT(""), s->colon };

	if (has_text(w, b)) {
		l.first = first_lead(b->d, b->t);
		l.close = close_lead(b->d, b->t);
		if (b->object)
			l.colon = colon_of(b->d, b->t);
		l.rest = guess_rest(w, b, &l);
		if (b->nkids > 1)
			l.trail = space_behind(end_of(b->d, first_of(b->d, b->t)));
	} else if (s->lines) {
		l.close = concat(w->o, s->nl, s->indent);
		l.first = l.rest = concat(w->o, l.close, s->unit);
	}
	return l;
}

/*
 * A neighbour on the same line whose brackets span lines, "[{", "}, {", "}]":
 * its closing line tells how a new value beside it is laid out.
 */
static bool style_beside(const struct box *b, const struct slot *near, struct style *s)
{
	uint32_t t = near->home;

	if (t == DOC_NONE || b->d->tok[t].type < DOC_ARRAY || b->d->tok[t].n == 0)
		return false;
	if (!unit_of(b->d, t, &s->unit))
		return false;
	struct text line = last_line(close_lead(b->d, t));

	s->lines = true;
	s->nl = break_of(line);
	s->indent = indent_of(line);
	return true;
}

/* The style of a value that stands behind lead in a box. */
static struct style style_behind(struct writer *w, const struct box *b, const struct layout *l,
                                 struct text lead, const struct style *outer)
{
	struct style s = *(has_text(w, b) ? source_style(w->o) : outer);
	struct text line = last_line(lead);

	s.lines = line.n > 0;
	if (b->object)
		s.colon = l->colon;
	if (!s.lines) {
		s.comma = last_line(l->rest).n > 0 ? source_style(w->o)->comma : l->rest;
		return s;
	}
	s.nl = break_of(line);
	s.indent = indent_of(line);
	if (has_text(w, b))
		unit_of(b->d, b->t, &s.unit);
	return s;
}

static void put_box(struct writer *w, struct box *b, const struct style *s, unsigned depth);

static void put_slot_value(struct writer *w, struct slot **seq, uint32_t i, struct box *b,
                           const struct layout *l, struct text lead, const struct style *outer, unsigned depth)
{
	struct value *v = &seq[i]->v;

	if (!v->box && (v->d == w->o->src || v->d->tok[v->t].type < DOC_ARRAY)) {
		if (v->d == w->o->src)
			put(w, span_of(v->d, v->t));
		else
			put_canonical(w, v->d, v->t);
		return;
	}
	struct style s = style_behind(w, b, l, lead, outer);

	if (!s.lines && !b->object && has_text(w, b) && !(i > 0 && style_beside(b, seq[i - 1], &s)) &&
	    i + 1 < b->n)
		style_beside(b, seq[i + 1], &s);
	if (v->box)
		put_box(w, v->box, &s, depth + 1);
	else
		put_new(w, v->d, v->t, &s);
}

static void put_name(struct writer *w, const struct box *b, const struct slot *s, const struct layout *l)
{
	bool own = s->home != DOC_NONE && b->d == w->o->src;

	if (own && !s->renamed)
		put(w, span_of(b->d, s->home - 1));
	if (!own || s->renamed) {
		flush(w);
		canon_string(w->out, s->name.s, s->name.n);
	}
	put(w, own ? between(end_of(b->d, s->home - 1), b->d->text + b->d->tok[s->home].off) : l->colon);
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
		put(w, space_behind(end_of(b->d, before->home)));
	else
		put(w, l->trail);
	if (has_lead(w, b, seq[i])) {
		lead = space_before(start_of(b->d, b->t, seq[i]->home));
		put(w, (struct text){ lead.s - 1, 1 });
		return lead;
	}
	/* a new one is like the one before it without blank lines; the first is no model: it has no comma */
	if (i == 1 && b->n > 2 && has_lead(w, b, seq[2]))
		lead = space_before(start_of(b->d, b->t, seq[2]->home));
	else if (i == 1)
		lead = l->rest;
	put(w, TEXT(","));
	return last_line(lead).n > 0 ? last_line(lead) : lead;
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
	put(w, lead);
	if (b->object)
		put_name(w, b, seq[i], l);
	return lead;
}

static void put_box(struct writer *w, struct box *b, const struct style *s, unsigned depth)
{
	struct text whole = span_of(b->d, b->t);

	if (depth > RECORD_MAX_DEPTH) {
		w->failed = true;
		return;
	}
	if (b->n == 0) {
		put(w, b->nkids == 0 ? whole : b->object ? TEXT("{}") : TEXT("[]"));
		return;
	}
	struct slot **seq = b->object ? members(w, b) : elements(w, b);
	struct layout l = layout_of(w, b, s);
	struct text lead = l.first;

	put(w, (struct text){ whole.s, 1 });
	for (uint32_t i = 0; i < b->n; i++) {
		/* mostly nothing has changed between two values: then what is there is put as a whole */
		if (i > 0 && is_next(w, b, seq[i - 1], seq[i])) {
			put(w, between(end_of(b->d, seq[i - 1]->home), b->d->text + b->d->tok[seq[i]->home].off));
			lead = space_before(start_of(b->d, b->t, seq[i]->home));
		} else {
			lead = put_head(w, b, seq, i, &l, lead);
		}
		put_slot_value(w, seq, i, b, &l, lead, s, depth);
	}
	put(w, l.close);
	put(w, (struct text){ whole.s + whole.n - 1, 1 });
}

/* ---- the whole ---- */

/* The indentation of the line that the root begins in. */
static struct text root_indent(const struct doc *d)
{
	const char *root = d->text + d->tok[0].off, *s = root;

	while (s > d->text && (s[-1] == ' ' || s[-1] == '\t'))
		s--;
	return between(s, root);
}

static void put_value(struct writer *w, const struct value *v)
{
	struct style s = *source_style(w->o);

	s.indent = root_indent(w->o->src);
	if (v->box)
		put_box(w, v->box, &s, 0);
	else if (v->d == w->o->src)
		put(w, span_of(v->d, v->t));
	else
		put_new(w, v->d, v->t, &s);
}

int overlay_write_value(struct overlay *o, const struct value *v, struct buf *out)
{
	struct writer w = { .o = o, .out = out, .start = out->len };

	put_value(&w, v);
	flush(&w);
	return w.failed ? -1 : 0;
}

int overlay_write(struct overlay *o, struct buf *out)
{
	const struct doc *d = o->src;
	struct writer w = { .o = o, .out = out, .start = out->len };

	put(&w, between(d->text, d->text + d->tok[0].off));
	put_value(&w, &o->root);
	put(&w, between(end_of(d, 0), d->text + d->len));
	flush(&w);
	return w.failed ? -1 : 0;
}
