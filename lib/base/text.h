/*
 * text.h -- characters that somebody else keeps; not NUL-ended.
 *
 * Floor 1.
 */
#ifndef MIG_TEXT_H
#define MIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *s;
	size_t n;
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })

static inline struct text text_cstr(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

/* s may be NULL where n is 0, so memcmp is not asked then. */
static inline bool text_same(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static inline bool text_is(struct text t, const char *s)
{
	return text_same(t, (struct text){ s, strlen(s) });
}

/* By their bytes; of two that begin alike the shorter one comes first: <0, 0, >0. */
static inline int text_compare(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.s, b.s, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* For tables in memory; never written anywhere. */
static inline uint32_t text_hash(struct text t)
{
	uint64_t h = t.n * 0x9E3779B97F4A7C15u, w;

	for (; t.n >= 8; t.s += 8, t.n -= 8) {
		memcpy(&w, t.s, 8);
		h = (h ^ w) * 0xD6E8FEB86659FD93u;
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, t.s, t.n);
	h = (h ^ w) * 0xD6E8FEB86659FD93u;
	return (uint32_t)(h ^ h >> 32);
}

#endif
