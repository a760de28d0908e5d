/* canon.c -- see canon.h */
#include "canon.h"

#include "number.h"
#include "word.h"

#include <string.h>

struct writer {
	struct buf *out;
	const struct doc *d;
	uint32_t skip;
	size_t most; /* no fewer bytes than are still to come, were they copied: out has room for as many */
	struct buf chars; /* of the string in work */
};

/*
 * Copy n bytes where room is known to be.  Both sides have BUF_PAD bytes
 * behind them, so that short runs are copied as one or two blocks of 16.
 */
static inline void copy(struct buf *out, const char *s, size_t n)
{
	char *to = out->s + out->len;

	if (n <= 16)
		memcpy(to, s, 16);
	else
		memcpy(to, s, n);
	out->len += n;
}

static inline void put(struct buf *out, char c)
{
	out->s[out->len++] = c;
}

static void put_number(struct writer *w, const struct tok *t)
{
	char s[NUMBER_SIZE];
	size_t n = number_canonical(w->d->text + t->off, t->len, s);

	if (n > t->len)
		buf_reserve(w->out, n + w->most);
	memcpy(w->out->s + w->out->len, s, n);
	w->out->len += n;
}

/* A string whose escapes are not canonical; never longer than it was. */
static void put_string(struct writer *w, uint32_t t)
{
	buf_reset(&w->chars);
	doc_string(w->d, t, &w->chars);
	canon_string(w->out, w->chars.s, w->chars.len);
	buf_reserve(w->out, w->most);
}

static inline void put_scalar(struct writer *w, uint32_t t)
{
	const struct tok *k = &w->d->tok[t];

	if (k->flags & DOC_SPELLED)
		copy(w->out, w->d->text + k->off, k->len);
	else if (k->type == DOC_NUMBER)
		put_number(w, k);
	else
		put_string(w, t);
}

static void put_value(struct writer *w, uint32_t t);

static void put_object(struct writer *w, uint32_t t)
{
	struct doc_walk walk;
	char before = '{';

	doc_walk_init(&walk, w->d, t);
	for (uint32_t key; (key = doc_walk_next(&walk));) {
		if (key + 1 == w->skip)
			continue;
		put(w->out, before);
		before = ',';
		put_scalar(w, key);
		put(w->out, ':');
		put_value(w, key + 1);
	}
	if (before == '{')
		put(w->out, '{');
	put(w->out, '}');
}

static void put_array(struct writer *w, uint32_t t)
{
	const struct tok *tok = w->d->tok;
	char before = '[';

	for (uint32_t e = t + 1; e < tok[t].next; e = tok[e].next) {
		if (e == w->skip)
			continue;
		put(w->out, before);
		before = ',';
		put_value(w, e);
	}
	if (before == '[')
		put(w->out, '[');
	put(w->out, ']');
}

/* Recurses as deep as the value nests, which doc_parse has limited. */
static void put_value(struct writer *w, uint32_t t)
{
	switch (w->d->tok[t].type) {
	case DOC_OBJECT: put_object(w, t); break;
	case DOC_ARRAY: put_array(w, t); break;
	default: put_scalar(w, t);
	}
}

/*
 * The parts of the canonical value t that stay without skip and one comma
 * beside it: {"a":1,"b":2} without 2 is {"a":1 and }.
 */
struct parts {
	const char *s[2];
	size_t n[2];
};

static struct parts canonical_parts(const struct doc *d, uint32_t t, uint32_t skip)
{
	const char *start = d->text + d->tok[t].off, *end = start + d->tok[t].len;
	const char *from = end, *to = end;

	if (skip > t && skip < d->tok[t].next) {
		from = d->text + d->tok[skip].off;
		to = from + d->tok[skip].len;
		if (from[-1] == ':') /* a member: its key goes with it */
			from = d->text + d->tok[skip - 1].off;
		if (*to == ',')
			to++;
		else if (from[-1] == ',')
			from--;
	}
	return (struct parts){ { start, to }, { (size_t)(from - start), (size_t)(end - to) } };
}

void canon_value(struct buf *out, const struct doc *d, uint32_t t, uint32_t skip)
{
	struct writer w = { .out = out, .d = d, .skip = skip, .most = d->tok[t].len };

	if (d->canonical) {
		struct parts p = canonical_parts(d, t, skip);

		buf_reserve(out, w.most);
		buf_add(out, p.s[0], p.n[0]);
		buf_add(out, p.s[1], p.n[1]);
		return;
	}
	buf_reserve(out, w.most);
	put_value(&w, t);
	buf_setlen(out, out->len);
	buf_release(&w.chars);
}

void canon_hash(const struct doc *d, uint32_t t, uint32_t skip, char hex[HEX_SIZE])
{
	struct buf b = BUF_INIT;

	if (d->canonical) {
		struct parts p = canonical_parts(d, t, skip);

		digest_hex_of(p.s[0], p.n[0], p.s[1], p.n[1], hex);
		return;
	}
	canon_value(&b, d, t, skip);
	digest_hex(b.s, b.len, hex);
	buf_release(&b);
}

/* The escape of a quote, a backslash or a control character. */
static const char *escape_of(unsigned char c, char buf[7])
{
	static const char hex[] = "0123456789abcdef";

	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\f': return "\\f";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	}
	memcpy(buf, "\\u00", 4);
	buf[4] = hex[c >> 4];
	buf[5] = hex[c & 15];
	buf[6] = '\0';
	return buf;
}

/* How many of the first bytes stand for themselves in a string, counted in eights. */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w = word_load(s + i), quote = w ^ EACH_BYTE('"'), slash = w ^ EACH_BYTE('\\');

		/* a byte that is below 0x20 or one of the two sets a high bit; others may, and are looked at singly */
		if (((w - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (slash - EACH_BYTE(1))) & EACH_BYTE(0x80))
			break;
	}
	return i;
}

void canon_string(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;
	char tmp[7];

	buf_reserve(out, n + 2);
	buf_addch(out, '"');
	for (size_t i = plain_run(s, n); i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_add(out, s + from, i - from);
		buf_addstr(out, escape_of(c, tmp));
		from = i + 1;
	}
	if (from < n)
		buf_add(out, s + from, n - from);
	buf_addch(out, '"');
}

void canon_int(struct buf *out, int64_t v)
{
	char s[NUMBER_SIZE];

	buf_add(out, s, number_print_int(v, s));
}

void canon_double(struct buf *out, double v)
{
	char s[NUMBER_SIZE];

	buf_add(out, s, number_print(v, s));
}
