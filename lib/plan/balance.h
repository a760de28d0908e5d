/*
 * balance.h -- how many rows of each entity there are, and a digest over them that no order changes.
 *
 * Floor 6.  The digest is the sum, modulo 2^256, of the SHA-256 of the canonical
 * text of each row's item:
 *
 *	["thread_items","item-1",{"title":"Hello"},{"thread":{"entity":"thread_threads","ids":["ctx-1"]}}]
 *
 * So two halves of a data set add up, and two rows whose values were swapped
 * are noticed although every count agrees.  A member "id" of the data that says
 * the row's id again is left out: some stores have it there, others do not.
 */
#ifndef MIG_BALANCE_H
#define MIG_BALANCE_H

#include "digest.h"
#include "record.h"

struct balance_sum {
	char *entity;
	uint64_t count;
	unsigned char sum[DIGEST_BYTES]; /* big-endian */
};

struct balance {
	struct balance_sum *v; /* in byte order of their entities */
	size_t n, cap;
	size_t last;           /* the one that was found last */
};

#define BALANCE_INIT { .v = NULL }

void balance_release(struct balance *b);
void balance_clear(struct balance *b); /* as if nothing had been added; keeps the room */

/* The digest of one row: data and links are tokens of d, links DOC_NONE for none. */
void balance_item(struct text entity, struct text id, const struct doc *d, uint32_t data, uint32_t links,
                  struct buf *scratch, unsigned char item[DIGEST_BYTES]);

/* Add one row, or one that only has a name: item NULL counts it. */
void balance_add(struct balance *b, struct text entity, const unsigned char *item);

/* [{"count":2,"digest":H,"entity":E},..] appended. */
void balance_json(const struct balance *b, struct buf *out);

#endif
