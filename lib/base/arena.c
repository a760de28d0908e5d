/* arena.c -- see arena.h */
#include "arena.h"

#include "base.h"

#include <stdlib.h>

struct arena_block {
	struct arena_block *next;
	max_align_t bytes[];
};

enum { BLOCK = 65536 };

void arena_init(struct arena *a)
{
	a->at = (char *)a->first;
	a->end = a->at + sizeof a->first;
	a->blocks = NULL;
}

void arena_release(struct arena *a)
{
	struct arena_block *next;

	for (struct arena_block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
	a->at = a->end = NULL;
}

static char *new_block(struct arena *a, size_t n)
{
	struct arena_block *b = xmalloc(sizeof *b + n);

	b->next = a->blocks;
	a->blocks = b;
	return (char *)b->bytes;
}

void *arena_grow(struct arena *a, size_t n)
{
	/* something large gets a block of its own, and what is left here stays in use */
	if (n >= BLOCK / 4)
		return new_block(a, n);
	a->at = new_block(a, BLOCK);
	a->end = a->at + BLOCK;
	return arena_get(a, n);
}
