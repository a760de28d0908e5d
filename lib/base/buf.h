/*
 * buf.h -- a growing run of bytes.
 *
 * Floor 1.  Whatever a buf holds is followed by BUF_PAD zero bytes that do not
 * count in len, so that its text can be handed to doc_parse as it is.
 */
#ifndef MIG_BUF_H
#define MIG_BUF_H

#include <stddef.h>
#include <string.h>

#define BUF_PAD 16

struct buf {
	char *s; /* NULL until the first byte is added or reserved */
	size_t len, cap;
};

#define BUF_INIT { NULL, 0, 0 }

void buf_release(struct buf *b);             /* free the bytes; b is as after BUF_INIT */
void buf_reserve(struct buf *b, size_t more); /* room for more bytes and the pad */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *buf_steal(struct buf *b); /* the text as a new NUL-ended string; b is empty */

/* Say that len bytes are now valid; zeroes the pad behind them. */
static inline void buf_setlen(struct buf *b, size_t len)
{
	b->len = len;
	memset(b->s + len, 0, BUF_PAD);
}

/* Forget the bytes, keep the room. */
static inline void buf_reset(struct buf *b)
{
	if (b->s)
		buf_setlen(b, 0);
}

static inline void buf_add(struct buf *b, const char *s, size_t n)
{
	if (b->cap < b->len + n + BUF_PAD)
		buf_reserve(b, n);
	if (n) /* s may be NULL where nothing is added */
		memcpy(b->s + b->len, s, n);
	buf_setlen(b, b->len + n);
}

static inline void buf_addstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_addch(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

#endif
