/*
 * utf8.h -- UTF-8 (RFC 3629): strict, and in the order of UTF-16.
 *
 * Floor 0.
 */
#ifndef MIG_UTF8_H
#define MIG_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the character at s, which ends before end; 0 if there is none:
 * overlong forms, surrogates and what is beyond U+10FFFF are none.
 */
size_t utf8_length(const char *s, const char *end);

/* Are these n bytes whole characters? */
bool utf8_valid(const char *s, size_t n);

/* Write character c, which is no surrogate; returns its bytes. */
size_t utf8_encode(uint32_t c, char out[4]);

/* Compare two valid texts as sequences of UTF-16 code units: <0, 0, >0. */
int utf8_compare(const char *a, size_t na, const char *b, size_t nb);

/*
 * A byte's place in that order.  Only one thing differs from the bytes': the
 * pairs of units that four bytes stand for (F0..F4) come before U+E000..U+FFFF
 * (EE, EF).
 */
static inline int utf8_rank(int c)
{
	return c < 0xEE ? c : c < 0xF0 ? c + 5 : c - 2;
}

#endif
