/*
 * word.h -- eight bytes of a text at once.
 *
 * Floor 1.
 */
#ifndef MIG_WORD_H
#define MIG_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* The 8 bytes at s, the first one lowest. */
static inline uint64_t word_load(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof w);
	return le64toh(w);
}

#endif
