/* quoted.c -- see quoted.h */
#include "quoted.h"

#include "utf8.h"

#include <string.h>

/* The value of four hex digits, or -1. */
static int hex4(const char *s)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		int c = s[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

static size_t hex_escape(const char *s, struct escape *e)
{
	int c = hex4(s + 2);

	if (c < 0)
		return 0;
	e->c = (uint32_t)c;
	/* only controls without a short form, and in lower case */
	e->spelled = c < ' ' && !(c >= '\b' && c <= '\r' && c != '\v') && !(s[5] >= 'A' && s[5] <= 'F');
	if (c < 0xD800 || c > 0xDBFF || s[6] != '\\' || s[7] != 'u')
		return 6;
	c = hex4(s + 8);
	if (c < 0xDC00 || c > 0xDFFF)
		return 6;
	e->c = 0x10000 + ((e->c - 0xD800) << 10) + ((uint32_t)c - 0xDC00);
	return 12;
}

size_t quoted_escape(const char *s, struct escape *e)
{
	static const char names[] = "\"\\/bfnrt", chars[] = "\"\\/\b\f\n\r\t";

	if (s[1] == 'u')
		return hex_escape(s, e);
	const char *name = s[1] ? strchr(names, s[1]) : NULL;

	if (!name)
		return 0;
	e->c = (uint32_t)chars[name - names];
	e->spelled = s[1] != '/';
	return 2;
}

int quoted_next(struct quoted *q)
{
	struct escape e;

	if (q->i < q->n)
		return (unsigned char)q->c[q->i++];
	if (q->p == q->end)
		return -1;
	if (*q->p != '\\' || q->plain)
		return (unsigned char)*q->p++;
	q->p += quoted_escape(q->p, &e);
	q->n = (unsigned char)utf8_encode(e.c, q->c);
	q->i = 1;
	return (unsigned char)q->c[0];
}

int quoted_compare(struct quoted a, struct quoted b)
{
	int x, y;

	do {
		x = quoted_next(&a);
		y = quoted_next(&b);
	} while (x == y && x >= 0);
	return utf8_rank(x) - utf8_rank(y); /* the end, -1, ranks lowest */
}

uint64_t quoted_prefix(struct quoted q)
{
	uint64_t w = 0;

	for (int i = 0; i < 8; i++) {
		int c = quoted_next(&q);

		w = w << 8 | (uint64_t)(c < 0 ? 0 : utf8_rank(c));
	}
	return w;
}
