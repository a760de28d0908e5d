/*
 * quoted.h -- a JSON string as it stands in a text: its escapes and characters.
 *
 * Floor 2.
 */
#ifndef MIG_QUOTED_H
#define MIG_QUOTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct escape {
	uint32_t c;   /* the character; D800..DFFF: a lone surrogate */
	bool spelled; /* as canonical JSON escapes it (RFC 8785 section 3.2.2.2) */
};

/*
 * Read the escape at s, a backslash.  Returns its bytes (12 for \ud83d\ude00),
 * or 0 if it is none.  Looks at up to 11 bytes behind s.
 */
size_t quoted_escape(const char *s, struct escape *e);

/* A walk over the characters of a valid string, a byte of their UTF-8 at a time. */
struct quoted {
	const char *p, *end;
	bool plain; /* no quotes around it, and a backslash is a character like others */
	char c[4];  /* private: what the last escape stands for */
	unsigned char n, i;
};

/* len counts the quotes. */
static inline struct quoted quoted(const char *s, size_t len)
{
	return (struct quoted){ .p = s + 1, .end = s + len - 1 };
}

static inline struct quoted quoted_plain(const char *s, size_t len)
{
	return (struct quoted){ .p = s, .end = s + len, .plain = true };
}

/* The next byte, or -1 at the end. */
int quoted_next(struct quoted *q);

/* Compare as sequences of UTF-16 code units: <0, 0, >0. */
int quoted_compare(struct quoted a, struct quoted b);

/* The first 8 bytes, the first one highest, as a number that sorts like them. */
uint64_t quoted_prefix(struct quoted q);

#endif
