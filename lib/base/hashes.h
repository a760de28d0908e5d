/*
 * hashes.h -- hashes in the order they came, and where each of them came last.
 *
 * Floor 3.  For what is kept beside them, by the same place, in an array of the caller's.
 */
#ifndef MIG_HASHES_H
#define MIG_HASHES_H

#include "digest.h"

#include <stddef.h>
#include <stdint.h>

struct hashes {
	char (*list)[HEX_SIZE];
	size_t n, cap; /* cap: for how many there is room, a caller's array to have the same */
	/* private: a table over the list, of the last place of each hash, from 1 */
	uint32_t *slot;
	size_t nslot;
};

#define HASHES_INIT { .list = NULL }

enum { HASHES_NONE = -1 };

void hashes_release(struct hashes *h);

/* Put a hash of at most HEX_LEN characters last, even if it is there: its place. */
size_t hashes_add(struct hashes *h, const char *hash);

/* The last place of a hash, or HASHES_NONE. */
int64_t hashes_find(const struct hashes *h, const char *hash);

#endif
