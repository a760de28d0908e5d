/* buf.c -- see buf.h */
#include "buf.h"

#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_release(struct buf *b)
{
	free(b->s);
	*b = (struct buf)BUF_INIT;
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + BUF_PAD;

	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : 64;

		while (cap < need)
			cap += cap / 2 + 64;
		b->s = xrealloc(b->s, cap, 1);
		b->cap = cap;
	}
	memset(b->s + b->len, 0, BUF_PAD);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	buf_reserve(b, (size_t)n);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	buf_setlen(b, b->len + (size_t)n);
}

char *buf_steal(struct buf *b)
{
	if (!b->s)
		buf_reserve(b, 0);
	char *s = b->s;

	*b = (struct buf)BUF_INIT;
	return s;
}
