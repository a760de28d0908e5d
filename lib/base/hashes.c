/* hashes.c -- see hashes.h */
#include "hashes.h"

#include "base.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

void hashes_release(struct hashes *h)
{
	free(h->list);
	free(h->slot);
}

/* Where in slot the last of a hash's places is, or goes. */
static uint32_t *slot_of(const struct hashes *h, const char *hash)
{
	size_t i = text_hash(text_cstr(hash)) & (h->nslot - 1);

	while (h->slot[i] && strcmp(h->list[h->slot[i] - 1], hash) != 0)
		i = (i + 1) & (h->nslot - 1);
	return &h->slot[i];
}

static void grow(struct hashes *h)
{
	h->cap = h->cap ? h->cap * 2 : 16;
	h->list = xrealloc(h->list, h->cap, sizeof *h->list);
	free(h->slot);
	h->nslot = h->cap * 2;
	h->slot = xcalloc(h->nslot, sizeof *h->slot);
	for (size_t i = 0; i < h->n; i++)
		*slot_of(h, h->list[i]) = (uint32_t)i + 1;
}

size_t hashes_add(struct hashes *h, const char *hash)
{
	if (h->n == h->cap)
		grow(h);
	snprintf(h->list[h->n], sizeof *h->list, "%s", hash);
	*slot_of(h, h->list[h->n]) = (uint32_t)h->n + 1;
	return h->n++;
}

int64_t hashes_find(const struct hashes *h, const char *hash)
{
	uint32_t at = h->nslot ? *slot_of(h, hash) : 0;

	return at ? (int64_t)at - 1 : HASHES_NONE;
}
