/*
 * arena.h -- memory that is given back all at once.
 *
 * Floor 1.  The first ARENA_FIRST bytes are inside the struct, which lives on
 * its user's stack: small work allocates nothing.
 */
#ifndef MIG_ARENA_H
#define MIG_ARENA_H

#include <stddef.h>
#include <string.h>

#define ARENA_FIRST 16384

struct arena {
	char *at, *end;
	struct arena_block *blocks;
	max_align_t first[ARENA_FIRST / sizeof(max_align_t)];
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
void *arena_grow(struct arena *a, size_t n); /* arena_get's slow half */

/* n bytes aligned for anything, not zeroed, valid until arena_release. */
static inline void *arena_get(struct arena *a, size_t n)
{
	size_t room = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);

	if (room < n || room > (size_t)(a->end - a->at))
		return arena_grow(a, n);
	char *p = a->at;

	a->at += room;
	return p;
}

/* A copy of n bytes. */
static inline char *arena_copy(struct arena *a, const char *s, size_t n)
{
	char *p = arena_get(a, n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

/* A copy of the n bytes at p with room for more: how a list in an arena grows.  p may be NULL. */
static inline void *arena_more(struct arena *a, const void *p, size_t n, size_t more)
{
	void *q = arena_get(a, n + more);

	if (n > 0)
		memcpy(q, p, n);
	return q;
}

#endif
