/* cell.c -- see cell.h */
#include "cell.h"

#include "canon.h"
#include "number.h"
#include "utf8.h"

#include <stdio.h>

enum { EXACT_DIGITS = 15, EXACT_EXPONENT = 300, ARRAY_DEPTH = 16 };

void cell_release(struct cell *c)
{
	buf_release(&c->text);
	doc_release(&c->doc);
}

static void put_text(struct buf *out, const struct db_value *v)
{
	const struct db_value text = { DB_TEXT, v->s, v->n };

	db_json(out, &text);
}

/* As PostgreSQL spells it, or as the C library does. */
static void put_real(struct buf *out, const struct db_value *v)
{
	char s[NUMBER_SIZE];
	const char *digit = v->s + (*v->s == '-');
	size_t n = *digit >= '0' && *digit <= '9' ? number_canonical(v->s, v->n, s) : 0;

	if (n)
		buf_add(out, s, n);
	else if (*digit == 'i' || *digit == 'I')
		buf_addstr(out, digit == v->s ? "\"Infinity\"" : "\"-Infinity\"");
	else
		buf_addstr(out, "\"NaN\"");
}

/*
 * Does a double hold it to the last digit?  Fifteen digits come back from any;
 * "1230000" has three, and so has "0.00123".
 */
static bool is_exact(const char *s, size_t n)
{
	size_t digits = 0, zeros = 0, point = n;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.')
			point = i;
		if (s[i] < '0' || s[i] > '9')
			continue;
		zeros = s[i] == '0' ? zeros + 1 : 0;
		digits += digits || s[i] != '0';
	}
	return digits <= EXACT_DIGITS + zeros && point < EXACT_EXPONENT && n - point < EXACT_EXPONENT;
}

static void put_decimal(struct buf *out, const struct db_value *v)
{
	char s[NUMBER_SIZE];
	const char *digit = v->s + (*v->s == '-');
	int64_t whole;

	if (*digit < '0' || *digit > '9') {
		put_text(out, v); /* NaN, Infinity */
		return;
	}
	bool integer = !memchr(v->s, '.', v->n);
	size_t n = number_canonical(v->s, v->n, s);

	if ((n == v->n && memcmp(s, v->s, n) == 0) || (integer && number_int(v->s, v->n, &whole)) ||
	    (n && is_exact(v->s, v->n)))
		buf_add(out, s, n);
	else
		put_text(out, v);
}

/* "2025-01-01 00:00:00.5+00": four digits for the year, no era behind it */
static void put_time(struct buf *out, const struct db_value *v, bool zoned)
{
	static const char shape[] = "0000-00-00 00:00:00";
	size_t n = sizeof shape - 1, at = out->len, i = 0;
	const char *zone = zoned ? "+00" : "";

	while (i < n && i < v->n && (shape[i] == '0' ? v->s[i] >= '0' && v->s[i] <= '9' : v->s[i] == shape[i]))
		i++;
	if (i == n && i < v->n && v->s[i] == '.')
		for (i++; i < v->n && v->s[i] >= '0' && v->s[i] <= '9';)
			i++;
	if (i < n || v->n - i != strlen(zone) || memcmp(v->s + i, zone, v->n - i) != 0) {
		put_text(out, v); /* infinity, or far away */
		return;
	}
	buf_addch(out, '"');
	buf_add(out, v->s, i);
	out->s[at + 11] = 'T';
	buf_addstr(out, zoned ? "Z\"" : "\"");
}

static const char *put_json(struct cell *c, const struct db_value *v, struct buf *out)
{
	/* the reader wants its zeros behind the text */
	buf_reset(&c->text);
	buf_reserve(&c->text, v->n + 1);
	buf_add(&c->text, v->s, v->n);
	if (doc_parse(&c->doc, c->text.s, c->text.len, DOC_MAX_DEPTH - ARRAY_DEPTH - 1) == 0) {
		canon_value(out, &c->doc, 0, DOC_NONE);
		return NULL;
	}
	snprintf(c->why, sizeof c->why, "not JSON: line %zu, column %zu: %s", c->doc.err.line, c->doc.err.column,
	         c->doc.err.reason);
	return c->why;
}

static const char *put_one(struct cell *c, enum db_form form, const struct db_value *v, struct buf *out)
{
	switch (v->type) {
	case DB_REAL:
		put_real(out, v);
		return NULL;
	case DB_INT:
		if (form == DB_BOOLS && v->n == 1 && (*v->s == '0' || *v->s == '1'))
			buf_addstr(out, *v->s == '1' ? "true" : "false");
		else
			buf_add(out, v->s, v->n);
		return NULL;
	case DB_TEXT:
		break;
	default:
		db_json(out, v);
		return NULL;
	}
	switch (form) {
	case DB_JSON:
		return put_json(c, v, out);
	case DB_DECIMAL:
		put_decimal(out, v);
		break;
	case DB_TIME:
	case DB_INSTANT:
		put_time(out, v, form == DB_INSTANT);
		break;
	default:
		put_text(out, v);
	}
	return NULL;
}

/* ---- arrays: {1,NULL}, {"a\"b",{c}}, [2:3]={1,2} ---- */

struct array {
	struct cell *c;
	const struct db_column *col;
	struct buf *out, element, bytes;
	const char *s, *end;
	unsigned depth;
};

/* The text of an element, quotes and backslashes resolved; was it quoted? */
static bool take_element(struct array *a)
{
	bool quoted = a->s < a->end && *a->s == '"', inside = quoted;

	buf_reset(&a->element);
	for (a->s += quoted; a->s < a->end; a->s++) {
		if (inside ? *a->s == '"' : *a->s == a->col->comma || *a->s == '}')
			break;
		if (*a->s == '\\' && a->s + 1 < a->end)
			a->s++;
		buf_addch(&a->element, *a->s);
	}
	a->s += quoted && a->s < a->end;
	return quoted;
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static const char *put_element(struct array *a)
{
	bool quoted = take_element(a);
	struct db_value v = { a->col->type, a->element.s ? a->element.s : "", a->element.len };

	if (!quoted && text_is((struct text){ v.s, v.n }, "NULL"))
		v = (struct db_value){ DB_NULL, NULL, 0 };
	if (v.type == DB_BOOL)
		v = *v.s == 't' ? (struct db_value){ DB_BOOL, "true", 4 } : (struct db_value){ DB_BOOL, "false", 5 };
	if (v.type == DB_BLOB) { /* \x00ff */
		buf_reset(&a->bytes);
		for (size_t i = 2; i + 1 < v.n; i += 2)
			buf_addch(&a->bytes, (char)(nibble(v.s[i]) << 4 | nibble(v.s[i + 1])));
		v = (struct db_value){ DB_BLOB, a->bytes.s, a->bytes.len };
	}
	return put_one(a->c, a->col->form, &v, a->out);
}

/* An array is as deep as the server lets it be, six levels. */
static const char *put_elements(struct array *a)
{
	const char *why = NULL;
	bool first = true;

	if (++a->depth > ARRAY_DEPTH)
		return "an array that is nested too deep";
	buf_addch(a->out, '[');
	for (a->s++; !why && a->s < a->end && *a->s != '}'; first = false) {
		if (!first) {
			buf_addch(a->out, ',');
			a->s++; /* the comma */
		}
		why = a->s < a->end && *a->s == '{' ? put_elements(a) : put_element(a);
	}
	buf_addch(a->out, ']');
	a->s++;
	a->depth--;
	return why;
}

static const char *put_array(struct cell *c, const struct db_column *col, const struct db_value *v, struct buf *out)
{
	const char *brace = memchr(v->s, '{', v->n);
	struct array a = { .c = c, .col = col, .out = out, .s = brace, .end = v->s + v->n };

	if (!brace)
		return "an array that cannot be read";
	const char *why = put_elements(&a);

	buf_release(&a.element);
	buf_release(&a.bytes);
	return why;
}

const char *cell_write(struct cell *c, const struct db_column *col, const struct db_value *v, struct buf *out)
{
	size_t at = out->len;
	const char *why = col->comma && v->type == DB_TEXT ? put_array(c, col, v, out) : put_one(c, col->form, v, out);

	if (why && out->s)
		buf_setlen(out, at);
	return why;
}
