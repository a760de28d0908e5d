/* jqvalue.c -- see jqvalue.h */
#include "jqvalue.h"

#include "base.h"

#include <stdlib.h>
#include <string.h>

enum {
	NNAMES = 512,     /* member names remembered from document to document */
	NAME_MAX_LEN = 64 /* longer ones are made anew */
};

/* A member name that libjq has a string of already. */
struct jqname {
	jv str;
	const char *s; /* its bytes; NULL: an empty place */
	size_t n;
};

void jqvalue_init(struct jqvalue *x)
{
	*x = (struct jqvalue){ .root = jv_invalid() };
}

void jqvalue_release(struct jqvalue *x)
{
	jqvalue_forget(x);
	for (size_t i = 0; x->names && i < NNAMES; i++)
		if (x->names[i].s)
			jv_free(x->names[i].str);
	free(x->names);
	free(x->tok);
	free(x->was);
	free(x->rounded);
	free(x->member);
	free(x->step);
	buf_release(&x->text);
}

void jqvalue_forget(struct jqvalue *x)
{
	jv_free(x->root);
	x->root = jv_invalid();
	x->mould = false;
}

/* ---- index -> jv ---- */

/* Keep what libjq got for a string token: keys and values alike. */
static jv keep_string(struct jqvalue *x, uint32_t t, jv v, const char *s, size_t n)
{
	x->tok[t] = (struct jqtok){ .val = v, .s = s, .n = (uint32_t)n, .next = t + 1 };
	return v;
}

static jv new_string(struct jqvalue *x, uint32_t t)
{
	const struct tok *k = &x->in->tok[t];
	const char *s = x->in->text + k->off + 1;
	size_t n = k->len - 2;
	jv v;

	if (k->flags & DOC_ESCAPED) {
		buf_reset(&x->text);
		doc_string(x->in, t, &x->text);
		s = x->text.s ? x->text.s : "";
		n = x->text.len;
	}
	v = jv_string_sized(s, (int)n);
	return keep_string(x, t, v, jv_string_value(v), n);
}

/* Documents of a set have the same member names: their strings and hashes are kept. */
static jv new_key(struct jqvalue *x, uint32_t t)
{
	const struct tok *k = &x->in->tok[t];
	const char *s = x->in->text + k->off + 1;
	size_t n = k->len - 2;
	struct jqname *name;

	if ((k->flags & DOC_ESCAPED) || !n || n > NAME_MAX_LEN)
		return new_string(x, t);
	name = &x->names[(n * 31 + (unsigned char)s[0] * 7 + (unsigned char)s[n / 2] * 131 +
	                  (unsigned char)s[n - 1] * 17) % NNAMES];
	if (!name->s || name->n != n || memcmp(name->s, s, n)) {
		if (name->s)
			jv_free(name->str);
		name->str = jv_string_sized(s, (int)n);
		name->s = jv_string_value(name->str);
		name->n = n;
	}
	return keep_string(x, t, jv_copy(name->str), name->s, n);
}

/*
 * A number that knows its token: libjq copies a jv whole and makes new ones with
 * size 0, so the mark goes wherever the program moves the number, and is gone
 * from whatever it computes.  A libjq that lost the mark would cost rejects,
 * never digits.
 */
static jv new_number(struct jqvalue *x, uint32_t t)
{
	int64_t i;
	jv v = jv_number(doc_int(x->in, t, &i) ? (double)i : doc_double(x->in, t));

	v.size = (int)(t + 1);
	return v;
}

static jv new_value(struct jqvalue *x, uint32_t t);

static jv new_array(struct jqvalue *x, uint32_t t)
{
	uint32_t n = x->in->tok[t].n, e;
	jv a = jv_array_sized(n ? (int)n : 1);

	for (e = t + 1; n--; e = x->in->tok[e].next)
		a = jv_array_append(a, new_value(x, e));
	return a;
}

/*
 * Members go in in canonical order, so that the order in which jq shows them
 * (.[], to_entries) depends on what a document says, not on how it is spelled.
 */
static jv new_object(struct jqvalue *x, uint32_t t)
{
	struct doc_walk w;
	uint32_t k;
	jv o = jv_object();

	for (doc_walk_init(&w, x->in, t); (k = doc_walk_next(&w)) != DOC_NONE;) {
		jv key = new_key(x, k);

		o = jv_object_set(o, key, new_value(x, k + 1));
	}
	return o;
}

static jv keep_value(struct jqvalue *x, uint32_t t, jv v)
{
	x->tok[t] = (struct jqtok){ .val = v, .n = x->in->tok[t].n, .next = x->in->tok[t].next };
	return v;
}

static jv new_value(struct jqvalue *x, uint32_t t)
{
	switch (x->in->tok[t].type) {
	case DOC_FALSE:
		return keep_value(x, t, jv_false());
	case DOC_TRUE:
		return keep_value(x, t, jv_true());
	case DOC_NUMBER:
		return keep_value(x, t, new_number(x, t));
	case DOC_STRING:
		return new_string(x, t);
	case DOC_ARRAY:
		return keep_value(x, t, new_array(x, t));
	case DOC_OBJECT:
		return keep_value(x, t, new_object(x, t));
	default:
		return keep_value(x, t, jv_null());
	}
}

/* ---- the last document made over ---- */

/*
 * Documents of a set look alike, and building libjq's objects is the dearest
 * part of running a program.  So the last document's value is made over where
 * it is, and only what differs is set:
 *
 *   {"id":"a1","n":{"x":1,"y":2}}
 *   {"id":"b2","n":{"x":1,"y":3}}     two strings, three objects' worth of keys stay
 *
 * That works on what nobody else holds (libjq then changes it in place, so that
 * the borrowed pointers stay good) and in a canonical text, whose tokens are in
 * the order of the members.
 */
static bool make_over(struct jqvalue *x, uint32_t t, uint32_t o);
static jv made_anew(struct jqvalue *x, uint32_t t);

/* Are the token and what was at o the same characters? */
static bool same_string(const struct jqvalue *x, uint32_t t, uint32_t o)
{
	const struct tok *k = &x->in->tok[t];
	const struct jqtok *was = &x->was[o];

	return !(k->flags & DOC_ESCAPED) && k->len - 2 == was->n &&
	       memcmp(x->in->text + k->off + 1, was->s, was->n) == 0;
}

static bool keep_old(struct jqvalue *x, uint32_t t, uint32_t o)
{
	x->tok[t] = x->was[o];
	x->tok[t].next = x->in->tok[t].next;
	return true;
}

static bool over_array(struct jqvalue *x, uint32_t t, uint32_t o)
{
	const struct tok *tok = x->in->tok;
	jv a = x->was[o].val;
	uint32_t e = t + 1;

	if (x->was[o].n != tok[t].n)
		return false;
	o++;
	for (uint32_t i = 0; i < tok[t].n; i++, e = tok[e].next, o = x->was[o].next)
		if (!make_over(x, e, o))
			a = jv_array_set(a, (int)i, made_anew(x, e));
	return true;
}

static bool over_object(struct jqvalue *x, uint32_t t, uint32_t o)
{
	const struct tok *tok = x->in->tok;
	uint32_t n = tok[t].n, k = t + 1, was = o + 1;
	jv object = x->was[o].val;

	if (x->was[o].n != n)
		return false;
	for (uint32_t i = 0; i < n; i++, k = tok[k + 1].next, was = x->was[was + 1].next)
		if (!same_string(x, k, was))
			return false;
	for (k = t + 1, was = o + 1; n--; k = tok[k + 1].next, was = x->was[was + 1].next) {
		keep_old(x, k, was);
		if (!make_over(x, k + 1, was + 1))
			object = jv_object_set(object, jv_copy(x->tok[k].val), made_anew(x, k + 1));
	}
	return true;
}

/* Make the value that was at o that of token t, in place; false: it must be built, nothing has changed. */
static bool make_over(struct jqvalue *x, uint32_t t, uint32_t o)
{
	jv old = x->was[o].val;

	switch (x->in->tok[t].type) {
	case DOC_STRING:
		return jv_get_kind(old) == JV_KIND_STRING && same_string(x, t, o) && keep_old(x, t, o);
	case DOC_ARRAY:
		return jv_get_kind(old) == JV_KIND_ARRAY && jv_get_refcnt(old) == 1 && over_array(x, t, o) &&
		       keep_old(x, t, o);
	case DOC_OBJECT:
		return jv_get_kind(old) == JV_KIND_OBJECT && jv_get_refcnt(old) == 1 && over_object(x, t, o) &&
		       keep_old(x, t, o);
	default: /* owned by nobody; the caller sets it where it is another one */
		return jqvalue_same(new_value(x, t), old);
	}
}

/* The value of a token that make_over refused: new. */
static jv made_anew(struct jqvalue *x, uint32_t t)
{
	return x->in->tok[t].type < DOC_STRING ? x->tok[t].val : new_value(x, t);
}

static void make_room(struct jqvalue *x, size_t n)
{
	struct jqtok *tok = x->was;
	size_t ntok = x->nwas;

	x->was = x->tok;
	x->nwas = x->ntok;
	if (ntok < n) {
		ntok = n + n / 2;
		free(tok);
		tok = xcalloc(ntok, sizeof *tok);
	}
	x->tok = tok;
	x->ntok = ntok;
	if (!x->names)
		x->names = xcalloc(NNAMES, sizeof *x->names);
}

void jqvalue_read(struct jqvalue *x, const struct doc *in, uint32_t t)
{
	uint32_t top = x->top;

	make_room(x, in->ntok);
	x->in = in;
	x->top = t;
	x->nrounded = 0;
	x->rounded_known = false;
	if (!x->mould || !in->canonical || !make_over(x, t, top)) {
		jqvalue_forget(x);
		x->root = new_value(x, t);
	}
	x->mould = in->canonical;
}
