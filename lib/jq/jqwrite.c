/* jqwrite.c -- jqvalue_write of jqvalue.h: libjq's result becomes canonical text */
#include "base.h"
#include "canon.h"
#include "jqvalue.h"
#include "pointer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_TO_SORT = 48 };

/* "Nowhere in the input": DOC_NONE is the root, where a result does stand. */
#define NO_TOKEN UINT32_MAX

/* The largest integer n for which n and n+1 are doubles of their own, and its digits. */
#define EXACT_MAX 9007199254740991.0
#define EXACT_DIGITS 16

/* The digits that jq prints for an integer of the input, where they are not its own. */
struct rounded {
	char digits[24];
	size_t n;
};

/* A member of the result on its way to canonical order; borrows from the result. */
struct jqmember {
	jv key, value;
	const char *s;
	size_t n;
};

/* One step on the way down to the value being written. */
struct jqstep {
	const char *key; /* NULL: an element */
	size_t n;        /* bytes of key, or the index */
};

static void add_token(struct jqvalue *x, uint32_t t)
{
	const char *s;
	size_t n;

	if (!x->in->canonical) {
		canon_value(x->out, x->in, t, DOC_NONE);
		return;
	}
	s = doc_span(x->in, t, &n);
	buf_add(x->out, s, n);
}

static const char *refuse(struct jqvalue *x, const char *code, unsigned depth, const char *what)
{
	for (unsigned i = 0; i < depth; i++) {
		if (x->step[i].key)
			pointer_add(x->reason, x->step[i].key, x->step[i].n);
		else
			pointer_add_index(x->reason, x->step[i].n);
	}
	buf_addf(x->reason, "%s%s", depth ? ": " : "", what);
	return code;
}

/* The token that number v was made from, or NO_TOKEN. */
static uint32_t number_token(const struct jqvalue *x, jv v)
{
	uint32_t t = (uint32_t)v.size - 1;

	if (!v.size || t >= x->in->ntok || x->in->tok[t].type != DOC_NUMBER)
		return NO_TOKEN;
	return x->tok[t].val.u.number == v.u.number ? t : NO_TOKEN;
}

static const char *write_number(struct jqvalue *x, jv v, unsigned depth)
{
	uint32_t from = number_token(x, v);
	double number = jv_number_value(v);

	if (from != NO_TOKEN) {
		add_token(x, from);
		return NULL;
	}
	if (!isfinite(number))
		return refuse(x, "inexact_number", depth, "the program made a number that is not finite");
	if (fabs(number) > EXACT_MAX)
		return refuse(x, "inexact_number", depth,
		              "the program made an integer beyond 2^53-1, which jq rounds");
	canon_double(x->out, number);
	return NULL;
}

static int by_digits(const void *a, const void *b)
{
	const struct rounded *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? -1 : 1) : memcmp(x->digits, y->digits, x->n);
}

/* 9007199254740993, where jq prints 9007199254740992: keep the latter. */
static void add_rounded(struct jqvalue *x, uint32_t t)
{
	struct rounded r;
	int64_t exact;
	const char *s;
	jv text;

	if (!doc_int(x->in, t, &exact) || fabs((double)exact) <= EXACT_MAX)
		return;
	text = jv_dump_string(jv_number(fabs((double)exact)), 0);
	s = doc_span(x->in, t, &r.n);
	s += *s == '-';
	snprintf(r.digits, sizeof r.digits, "%s", jv_string_value(text));
	jv_free(text);
	r.n = strlen(r.digits);
	if (!strncmp(s, r.digits, r.n))
		return;
	if (x->nrounded == x->roundedcap)
		x->rounded = xrealloc(x->rounded, x->roundedcap = x->roundedcap * 2 + 16, sizeof r);
	x->rounded[x->nrounded++] = r;
}

static void know_rounded(struct jqvalue *x)
{
	for (uint32_t t = x->top; t < x->in->tok[x->top].next; t++)
		if (x->in->tok[t].type == DOC_NUMBER)
			add_rounded(x, t);
	if (x->nrounded)
		qsort(x->rounded, x->nrounded, sizeof *x->rounded, by_digits);
	x->rounded_known = true;
}

/*
 * Does a text that the program made hold the rounded digits of an integer of
 * the input?  tostring, tojson and "\(.id)" all print doubles, so it is how a
 * long identifier would silently become another one.
 */
static bool tells_rounded(struct jqvalue *x, const char *s, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i = k + 1) {
		struct rounded want;

		for (k = i; k < n && s[k] >= '0' && s[k] <= '9'; k++)
			;
		if (k - i < EXACT_DIGITS || k - i >= sizeof want.digits)
			continue;
		if (!x->rounded_known)
			know_rounded(x);
		want.n = k - i;
		memcpy(want.digits, s + i, want.n);
		if (x->nrounded && bsearch(&want, x->rounded, x->nrounded, sizeof want, by_digits))
			return true;
	}
	return false;
}

static const char *write_text(struct jqvalue *x, const char *s, size_t n, unsigned depth)
{
	if (tells_rounded(x, s, n))
		return refuse(x, "inexact_number", depth,
		              "the program wrote an integer beyond 2^53-1 as text, which jq rounds");
	canon_string(x->out, s, n);
	return NULL;
}

static const char *write_value(struct jqvalue *x, jv v, uint32_t at, unsigned depth);

static const char *write_array(struct jqvalue *x, jv v, uint32_t at, unsigned depth)
{
	const struct tok *tok = x->in->tok;
	bool matched = at != NO_TOKEN && tok[at].type == DOC_ARRAY;
	uint32_t left = matched ? tok[at].n : 0, e = at + 1;
	const char *code = NULL;
	int n = jv_array_length(jv_copy(v));

	buf_addch(x->out, '[');
	for (int i = 0; i < n && !code; i++) {
		jv element = jv_array_get(jv_copy(v), i);

		if (i)
			buf_addch(x->out, ',');
		x->step[depth] = (struct jqstep){ NULL, (size_t)i };
		code = write_value(x, element, left ? e : NO_TOKEN, depth + 1);
		jv_free(element);
		if (left && --left)
			e = tok[e].next;
	}
	buf_addch(x->out, ']');
	return code;
}

static int by_key(const void *a, const void *b)
{
	const struct jqmember *x = a, *y = b;

	return doc_compare_keys(x->s, x->n, y->s, y->n);
}

/* Mostly they stand in order, and a few new ones behind them. */
static void sort_members(struct jqmember *m, size_t n)
{
	if (n > FEW_TO_SORT) {
		qsort(m, n, sizeof *m, by_key);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct jqmember x = m[i];
		size_t j = i;

		for (; j > 0 && by_key(&m[j - 1], &x) > 0; j--)
			m[j] = m[j - 1];
		m[j] = x;
	}
}

/* Push the members of object v in libjq's order; they borrow from v. */
static void push_members(struct jqvalue *x, jv v)
{
	for (int i = jv_object_iter(v); jv_object_iter_valid(v, i); i = jv_object_iter_next(v, i)) {
		struct jqmember *m;

		if (x->nmember == x->membercap)
			x->member = xrealloc(x->member, x->membercap = x->membercap * 2 + 32, sizeof *m);
		m = &x->member[x->nmember++];
		m->key = jv_object_iter_key(v, i);
		m->value = jv_object_iter_value(v, i);
		m->s = jv_string_value(m->key);
		m->n = (size_t)jv_string_length_bytes(m->key);
		jv_free(m->value);
	}
}

/*
 * Where m's value stood before: *k is the next key of the walk w, which has not
 * passed m yet.  Names are mostly the very strings of the input.
 */
static uint32_t match_member(struct jqvalue *x, struct doc_walk *w, uint32_t *k, const struct jqmember *m)
{
	while (*k != DOC_NONE) {
		const struct jqtok *key = &x->tok[*k];
		int c = key->s == m->s ? 0 : doc_compare_keys(key->s, key->n, m->s, m->n);

		if (c > 0)
			return NO_TOKEN;
		if (c == 0)
			return *k + 1;
		*k = doc_walk_next(w);
	}
	return NO_TOKEN;
}

static const char *write_member(struct jqvalue *x, const struct jqmember *m, uint32_t at, unsigned depth)
{
	const char *code = NULL;

	x->step[depth] = (struct jqstep){ m->s, m->n };
	if (at != NO_TOKEN)
		add_token(x, at - 1);
	else
		code = write_text(x, m->s, m->n, depth + 1);
	if (code)
		return code;
	buf_addch(x->out, ':');
	return write_value(x, m->value, at, depth + 1);
}

static const char *write_object(struct jqvalue *x, jv v, uint32_t at, unsigned depth)
{
	size_t base = x->nmember, end;
	const char *code = NULL;
	struct doc_walk w;
	uint32_t k = DOC_NONE;

	if (at != NO_TOKEN && x->in->tok[at].type == DOC_OBJECT) {
		doc_walk_init(&w, x->in, at);
		k = doc_walk_next(&w);
	}
	push_members(x, v);
	end = x->nmember;
	sort_members(&x->member[base], end - base);
	buf_addch(x->out, '{');
	for (size_t i = base; i < end && !code; i++) {
		struct jqmember m = x->member[i];

		if (i > base)
			buf_addch(x->out, ',');
		code = write_member(x, &m, match_member(x, &w, &k, &m), depth);
	}
	buf_addch(x->out, '}');
	x->nmember = base;
	return code;
}

/* v (borrowed) stood at token at before the program ran, or nowhere. */
static const char *write_value(struct jqvalue *x, jv v, uint32_t at, unsigned depth)
{
	if (at != NO_TOKEN && jqvalue_same(v, x->tok[at].val)) {
		add_token(x, at);
		return NULL;
	}
	switch (jv_get_kind(v)) {
	case JV_KIND_NUMBER:
		return write_number(x, v, depth);
	case JV_KIND_STRING:
		return write_text(x, jv_string_value(v), (size_t)jv_string_length_bytes(jv_copy(v)), depth);
	case JV_KIND_ARRAY:
	case JV_KIND_OBJECT:
		if (depth >= DOC_MAX_DEPTH)
			return refuse(x, "too_deep", 0, "the result is nested too deep");
		return jv_get_kind(v) == JV_KIND_ARRAY ? write_array(x, v, at, depth)
		                                       : write_object(x, v, at, depth);
	case JV_KIND_FALSE:
		buf_addstr(x->out, "false");
		return NULL;
	case JV_KIND_TRUE:
		buf_addstr(x->out, "true");
		return NULL;
	default:
		buf_addstr(x->out, "null");
		return NULL;
	}
}

const char *jqvalue_write(struct jqvalue *x, jv v, struct buf *out, struct buf *reason)
{
	if (!x->step)
		x->step = xcalloc(DOC_MAX_DEPTH, sizeof *x->step);
	x->nmember = 0;
	x->out = out;
	x->reason = reason;
	return write_value(x, v, x->top, 0);
}
