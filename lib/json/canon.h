/*
 * canon.h -- canonical JSON: RFC 8785 (JCS) with exact 64-bit integers.
 *
 * Floor 4.  Members sorted by UTF-16 code units, no white space, JCS's string
 * escapes, numbers as ECMAScript prints them (ECMA-262 Number::toString; -0 is
 * 0), except that an integer literal outside +-(2^53-1) that fits a signed
 * 64-bit integer keeps its digits.
 */
#ifndef MIG_CANON_H
#define MIG_CANON_H

#include "digest.h"
#include "doc.h"

/*
 * Append the canonical text of value t.  skip, if not DOC_NONE, is the token of
 * a member's value or an element somewhere inside t that is left out.
 */
void canon_value(struct buf *out, const struct doc *d, uint32_t t, uint32_t skip);

/* SHA-256 of what canon_value would append. */
void canon_hash(const struct doc *d, uint32_t t, uint32_t skip, char hex[HEX_SIZE]);

/* Append one scalar: a JSON string of n bytes of valid UTF-8, an integer, a finite double. */
void canon_string(struct buf *out, const char *s, size_t n);
void canon_int(struct buf *out, int64_t v);
void canon_double(struct buf *out, double v);

#endif
