/*
 * pointer.h -- RFC 6901 JSON Pointers.
 *
 * Floor 4.
 */
#ifndef MIG_POINTER_H
#define MIG_POINTER_H

#include "doc.h"

/* Is s a pointer: empty, or "/"-led with "~" only as ~0 and ~1, valid UTF-8? */
bool pointer_valid(const char *s, size_t n);

/* *t = the token that the pointer names below root; false if there is none ("-" names none). */
bool pointer_find(const struct doc *d, uint32_t root, const char *s, size_t n, uint32_t *t);

/* Append "/" and the reference token for a member name or an array index. */
void pointer_add(struct buf *out, const char *name, size_t n);
void pointer_add_index(struct buf *out, size_t i);

/*
 * Split the first reference token off *s of *n bytes (which begins with "/"),
 * appending it unescaped to name; *s and *n are moved behind it.
 */
void pointer_next(const char **s, size_t *n, struct buf *name);

/* Append the pointer of token t below the root of d. */
void pointer_of(const struct doc *d, uint32_t t, struct buf *out);

/* An array index as RFC 6901 spells it (no leading zeros): true and *i. */
bool pointer_index(const char *s, size_t n, size_t *i);

#endif
