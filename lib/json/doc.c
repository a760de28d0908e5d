/* doc.c -- see doc.h */
#include "doc.h"

#include "base.h"
#include "number.h"
#include "quoted.h"
#include "utf8.h"
#include "word.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct tok) == 20, "a token is 20 bytes");

enum { POINTER_SHOWN = 200 }; /* bytes of a pointer in a message */

#define NOBODY UINT32_MAX /* the array or object around the root */

struct scan {
	struct doc *d;
	const char *text, *end;
	const char *known; /* an array that was indexed before, or NULL */
	size_t nknown;
	bool canonical;
};

void doc_release(struct doc *d)
{
	free(d->tok);
	free(d->perm);
	free(d->sort);
	*d = (struct doc)DOC_INIT;
}

/* --- errors --- */

/* Cut s, which was cut to n bytes by its buffer, at the end of a character. */
static void trim(char *s, size_t n)
{
	size_t i = n;

	while (i > 0 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
		i--;
	if (i > 0 && (unsigned char)s[i - 1] >= 0xC0)
		s[i - 1] = '\0';
}

__attribute__((format(printf, 3, 4)))
static void fail(struct scan *s, const char *at, const char *fmt, ...)
{
	struct doc_error *e = &s->d->err;
	const char *line = s->text;
	va_list ap;

	*e = (struct doc_error){ .line = 1, .offset = (size_t)(at - s->text) };
	for (const char *lf; (lf = memchr(line, '\n', (size_t)(at - line))); line = lf + 1)
		e->line++;
	e->column = (size_t)(at - line) + 1;
	va_start(ap, fmt);
	int n = vsnprintf(e->reason, sizeof e->reason, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof e->reason)
		trim(e->reason, sizeof e->reason - 1);
}

static void fail_expected(struct scan *s, const char *at, const char *what)
{
	unsigned char c = (unsigned char)*at;

	if (at == s->end)
		fail(s, at, "the text ends where %s is expected", what);
	else if (c > ' ' && c < 0x7F)
		fail(s, at, "expected %s, not '%c'", what, c);
	else
		fail(s, at, "expected %s, not the byte 0x%02x", what, c);
}

/* --- strings --- */

/*
 * Bit 7 of every byte that ends a plain run: quote, backslash, control and
 * non-ASCII.  Only the lowest is exact (a subtraction borrows upwards).
 */
static uint64_t stops(uint64_t w)
{
	uint64_t quote = (w ^ EACH_BYTE('"')) - EACH_BYTE(1);
	uint64_t backslash = (w ^ EACH_BYTE('\\')) - EACH_BYTE(1);
	uint64_t control = w - EACH_BYTE(' ');

	return (quote | backslash | control | w) & EACH_BYTE(0x80);
}

static const char *escape(struct scan *s, const char *p, uint8_t *flags)
{
	struct escape e;
	size_t n = quoted_escape(p, &e);

	if (n == 0) {
		fail(s, p, "a backslash that begins no escape");
		return NULL;
	}
	if (e.c >= 0xD800 && e.c <= 0xDFFF) {
		fail(s, p, "a lone surrogate \\u%.4s", p + 2);
		return NULL;
	}
	*flags |= DOC_ESCAPED;
	if (!e.spelled)
		*flags &= (uint8_t)~DOC_SPELLED;
	return p + n;
}

/* Past what stops() found: an escape or a run of non-ASCII; NULL on anything else. */
static const char *past_stop(struct scan *s, const char *p, uint8_t *flags)
{
	unsigned char c = (unsigned char)*p;

	if (c == '\\')
		return escape(s, p, flags);
	for (; c >= 0x80; c = (unsigned char)*p) {
		size_t n = utf8_length(p, s->end);

		if (n == 0) {
			fail(s, p, "invalid UTF-8 (byte 0x%02x)", c);
			return NULL;
		}
		p += n;
	}
	if (c >= ' ')
		return p;
	if (p == s->end)
		fail(s, p, "the text ends within a string");
	else
		fail(s, p, "the control character 0x%02x in a string must be escaped", c);
	return NULL;
}

/* What ends the plain run at p: a quote, an escape, something that is not ASCII, or the pad. */
static inline const char *plain_end(const char *p)
{
	uint64_t hit;

	while (!(hit = stops(word_load(p))))
		p += 8;
	return p + (__builtin_ctzll(hit) >> 3);
}

/* --- scanning --- */

static inline uint32_t push(struct scan *s, const char *at, uint32_t len, enum doc_type type, uint8_t flags)
{
	struct doc *d = s->d;
	uint32_t t = d->ntok;

	if (t == d->cap)
		d->tok = doc_room(d->tok, &d->cap, (uint64_t)t + 1, sizeof *d->tok);
	d->tok[t] = (struct tok){
		.off = (uint32_t)(at - s->text), .len = len, .next = t + 1, .type = (uint8_t)type, .flags = flags
	};
	d->ntok = t + 1;
	return t;
}

static inline void push_scalar(struct scan *s, const char *at, const char *end, enum doc_type type,
                               uint8_t flags)
{
	push(s, at, (uint32_t)(end - at), type, flags);
}

static const char *skip_space(struct scan *s, const char *p)
{
	const char *start = p;
	uint64_t odd;

	for (;;) {
		if (*p == '\n') { /* indentation follows */
			p++;
			while (!(odd = word_load(p) ^ EACH_BYTE(' ')))
				p += 8;
			p += __builtin_ctzll(odd) >> 3;
		} else if (*p == ' ' || *p == '\t' || *p == '\r') {
			p++;
		} else {
			break;
		}
	}
	if (p != start)
		s->canonical = false;
	return p;
}

static inline const char *skip(struct scan *s, const char *p)
{
	return (unsigned char)*p > ' ' ? p : skip_space(s, p);
}

/* The string at at, whose first plain run ends at p without a quote. */
__attribute__((noinline))
static const char *scan_odd_string(struct scan *s, const char *at, const char *p)
{
	uint8_t flags = DOC_SPELLED;

	for (; *p != '"'; p = plain_end(p))
		if (!(p = past_stop(s, p, &flags)))
			return NULL;
	push_scalar(s, at, p + 1, DOC_STRING, flags);
	s->canonical &= (flags & DOC_SPELLED) != 0;
	return p + 1;
}

static inline const char *scan_string(struct scan *s, const char *at)
{
	const char *p = plain_end(at + 1);

	if (*p != '"')
		return scan_odd_string(s, at, p);
	push_scalar(s, at, p + 1, DOC_STRING, DOC_SPELLED);
	return p + 1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *digits(struct scan *s, const char *p)
{
	if (!is_digit(*p)) {
		fail_expected(s, p, "a digit");
		return NULL;
	}
	while (is_digit(*p))
		p++;
	return p;
}

/*
 * Is the literal, an integer of 19 digits or more or any real, in range?
 * *spelled tells whether it is spelled as canonical JSON does.
 */
static bool in_range(const char *at, size_t n, bool integer, bool *spelled)
{
	char out[NUMBER_SIZE];
	size_t len = number_canonical(at, n, out);

	*spelled = len == n && memcmp(out, at, n) == 0;
	return integer ? *spelled : len > 0;
}

static const char *scan_number(struct scan *s, const char *at)
{
	const char *first = at + (*at == '-'), *p = digits(s, first);
	bool integer = true, exponent = false;

	if (!p)
		return NULL;
	if (*first == '0' && p - first > 1) {
		fail(s, first, "a number with a leading zero");
		return NULL;
	}
	if (*p == '.') {
		integer = false;
		p = digits(s, p + 1);
	}
	if (p && (*p | 0x20) == 'e') {
		integer = false;
		exponent = true;
		p = digits(s, p + 1 + (p[1] == '-' || p[1] == '+'));
	}
	if (!p)
		return NULL;

	/* how a real is spelled matters only while all before it is canonical */
	bool spelled = integer && !(*first == '0' && first > at); /* -0 */
	bool small = integer ? p - first <= 18 : !exponent && p - first < 300 && !s->canonical;

	if (!small && !in_range(at, (size_t)(p - at), integer, &spelled)) {
		fail(s, at, integer ? "an integer that 64 bits cannot hold exactly"
		                    : "a number too large for a double");
		return NULL;
	}
	s->canonical &= spelled;
	push_scalar(s, at, p, DOC_NUMBER,
	            (uint8_t)((integer ? DOC_INTEGER : 0) | (spelled ? DOC_SPELLED : 0)));
	return p;
}

static inline const char *scan_word(struct scan *s, const char *at, const char *word, size_t n,
                                    enum doc_type type)
{
	if (memcmp(at, word, n) != 0) {
		fail_expected(s, at, "a value");
		return NULL;
	}
	push_scalar(s, at, at + n, type, DOC_SPELLED);
	return at + n;
}

/* What was indexed before is one token. */
static const char *scan_known(struct scan *s, const char *at)
{
	push_scalar(s, at, at + s->nknown, DOC_ARRAY, 0);
	return at + s->nknown;
}

static const char *scan_scalar(struct scan *s, const char *p)
{
	switch (*p) {
	case '[': return scan_known(s, p);
	case '"': return scan_string(s, p);
	case 't': return scan_word(s, p, "true", 4, DOC_TRUE);
	case 'f': return scan_word(s, p, "false", 5, DOC_FALSE);
	case 'n': return scan_word(s, p, "null", 4, DOC_NULL);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9': return scan_number(s, p);
	}
	if (strncmp(p, "\xEF\xBB\xBF", 3) == 0)
		fail(s, p, "a byte order mark is not allowed");
	else
		fail_expected(s, p, "a value");
	return NULL;
}

/* Does a key's first byte tell its place before others?  A quote is the end of an empty one. */
static inline bool tells_order(unsigned char c)
{
	return c < 0x80 && c != '"' && c != '\\';
}

static inline bool ascend(const struct doc *d, uint32_t a, uint32_t b)
{
	unsigned char x = (unsigned char)d->text[d->tok[a].off + 1], y = (unsigned char)d->text[d->tok[b].off + 1];

	return x != y && tells_order(x) && tells_order(y) ? x < y : doc_keys_ascend(d, a, b);
}

/* A member's name and its colon.  While an object is open, its len is its last key. */
static const char *scan_key(struct scan *s, const char *p, uint32_t obj)
{
	struct doc *d = s->d;
	uint32_t key = d->ntok, last = d->tok[obj].len;

	p = skip(s, p);
	if (*p != '"') {
		fail_expected(s, p, "a member name");
		return NULL;
	}
	if (!(p = scan_string(s, p)))
		return NULL;
	if (last && !(d->tok[obj].flags & DOC_UNSORTED) && !ascend(d, last, key))
		d->tok[obj].flags |= DOC_UNSORTED;
	d->tok[obj].len = key;
	p = skip(s, p);
	if (*p != ':') {
		fail_expected(s, p, "':'");
		return NULL;
	}
	return p + 1;
}

/* p is behind the closing bracket; returns whether the members are all different. */
static bool close_value(struct scan *s, const char *p, uint32_t t)
{
	struct doc *d = s->d;

	if (d->tok[t].type == DOC_OBJECT && (d->tok[t].flags & DOC_UNSORTED || d->tok[t].n > DOC_FEW)) {
		uint32_t twice = doc_order(d, t);

		if (twice) {
			const char *key = s->text + d->tok[twice].off;
			int len = d->tok[twice].len < 96 ? (int)d->tok[twice].len : 96;

			fail(s, key, "duplicate member %.*s", len, key);
			return false;
		}
		s->canonical &= !(d->tok[t].flags & DOC_UNSORTED);
	}
	d->tok[t].next = d->ntok;
	d->tok[t].len = (uint32_t)(p - s->text) - d->tok[t].off;
	return true;
}

static uint32_t open_value(struct scan *s, const char *p, uint32_t up)
{
	uint32_t t = push(s, p, 0, *p == '{' ? DOC_OBJECT : DOC_ARRAY, 0);

	s->d->tok[t].next = up;
	return t;
}

/*
 * Index the value at p; returns the byte behind it, or NULL.  No stack: the
 * next of an open array or object, up, is the one around it.
 */
static const char *scan(struct scan *s, const char *p, unsigned max_depth)
{
	struct doc *d = s->d;
	uint32_t up = NOBODY;
	unsigned depth = 0;
	char end = '\0'; /* what closes up */

	for (;;) {
		if (end == '}' && !(p = scan_key(s, p, up)))
			break;
		p = skip(s, p);
		if ((*p == '{' || *p == '[') && p != s->known) {
			if (depth++ == max_depth) {
				fail(s, p, "arrays and objects nest deeper than %u", max_depth);
				d->within = true;
				break;
			}
			up = open_value(s, p, up);
			end = *p == '{' ? '}' : ']';
			p = skip(s, p + 1);
			if (*p != end)
				continue;
		} else if ((p = scan_scalar(s, p))) {
			if (up == NOBODY)
				return p;
			d->tok[up].n++;
			p = skip(s, p);
		} else {
			d->within = true;
			break;
		}
		while (*p == end) {
			uint32_t around = d->tok[up].next;

			if (!close_value(s, ++p, up))
				goto failed;
			up = around;
			if (up == NOBODY)
				return p;
			end = d->tok[up].type == DOC_OBJECT ? '}' : ']';
			depth--;
			d->tok[up].n++;
			p = skip(s, p);
		}
		if (*p != ',') {
			fail_expected(s, p, end == '}' ? "',' or '}'" : "',' or ']'");
			break;
		}
		p++;
	}
failed:
	d->open = up;
	return NULL;
}

/* Begin again with d.  Returns the byte behind the white space that text begins with, or NULL. */
static const char *begin(struct scan *s, struct doc *d, const char *text, size_t len)
{
	static const char nothing[BUF_PAD];

	if (!text) /* the s of an empty buf */
		text = nothing;
	*s = (struct scan){ .d = d, .text = text, .end = text + len, .canonical = true };
	d->text = text;
	d->len = len;
	d->ntok = d->nperm = 0;
	d->open = NOBODY;
	d->within = d->canonical = false;
	if (len >= UINT32_MAX) {
		fail(s, text, "a text of 4 GiB or more");
		return NULL;
	}
	return skip_space(s, text);
}

/* Index all that is left of the text from p on. */
static int scan_all(struct scan *s, const char *p, unsigned max_depth)
{
	if (!p || !(p = scan(s, p, max_depth)))
		return -1;
	p = skip(s, p);
	if (p != s->end) {
		fail_expected(s, p, "the end of the text");
		return -1;
	}
	s->d->canonical = s->canonical;
	return 0;
}

int doc_parse(struct doc *d, const char *text, size_t len, unsigned max_depth)
{
	struct scan s;

	return scan_all(&s, begin(&s, d, text, len), max_depth);
}

int doc_parse_around(struct doc *d, const char *text, size_t len, unsigned max_depth, size_t off, size_t n)
{
	struct scan s;
	const char *p = begin(&s, d, text, len);

	s.known = text + off;
	s.nknown = n;
	return scan_all(&s, p, max_depth);
}

int doc_parse_next(struct doc *d, const char *text, size_t len, unsigned max_depth, size_t *used)
{
	struct scan s;
	const char *p = begin(&s, d, text, len);

	*used = len;
	if (p == s.end)
		return 0;
	s.canonical = true; /* the value's own bytes count */
	if (!p || !(p = scan(&s, p, max_depth)))
		return -1;
	if (p != s.end && (*p == '\0' || !strchr(" \t\r\n", *p))) {
		fail_expected(&s, p, "white space");
		return -1;
	}
	*used = d->len = (size_t)(p - s.text);
	d->canonical = s.canonical;
	return 1;
}

static void add_reference(const struct doc *d, uint32_t key, struct buf *out)
{
	struct quoted q = quoted(d->text + d->tok[key].off, d->tok[key].len);

	buf_addch(out, '/');
	for (int c; (c = quoted_next(&q)) >= 0;)
		if (c == '~' || c == '/')
			buf_addstr(out, c == '~' ? "~0" : "~1");
		else
			buf_addch(out, (char)c);
}

/* The pointer of the next value in the open array or object t. */
static void add_open_pointer(const struct doc *d, uint32_t t, struct buf *out)
{
	const struct tok *k = &d->tok[t];

	if (k->next != NOBODY)
		add_open_pointer(d, k->next, out);
	if (k->type == DOC_ARRAY)
		buf_addf(out, "/%u", k->n);
	else
		add_reference(d, k->len, out);
}

/* A text of 100,000 open brackets must not make a message of that length. */
static void shorten(struct buf *b, size_t start)
{
	size_t at = start + POINTER_SHOWN;

	if (b->len <= at)
		return;
	while (at > start && ((unsigned char)b->s[at] & 0xc0) == 0x80)
		at--;
	buf_setlen(b, at);
	buf_addstr(b, "..");
}

void doc_error_pointer(const struct doc *d, struct buf *out)
{
	size_t start = out->len;

	if (d->open == NOBODY)
		return;
	if (d->within)
		add_open_pointer(d, d->open, out);
	else if (d->tok[d->open].next != NOBODY)
		add_open_pointer(d, d->tok[d->open].next, out);
	shorten(out, start);
}
