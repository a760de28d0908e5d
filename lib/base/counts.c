/* counts.c -- see counts.h */
#include "counts.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

void counts_init(struct counts *c, size_t max)
{
	*c = (struct counts){ .max = max };
}

void counts_release(struct counts *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].key);
		for (size_t k = 0; k < COUNT_EXAMPLES; k++)
			free(c->v[i].example[k]);
	}
	free(c->v);
	free(c->slot);
	*c = (struct counts){ .max = c->max };
}

/* FNV-1a */
static uint32_t hash(const char *s, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

/* The slot of a key: the one that holds it, or a free one (0).  A slot holds an index into v, plus 1. */
static uint32_t *find(const struct counts *c, const char *key, size_t n)
{
	size_t i = hash(key, n) & (c->nslot - 1);

	for (; c->slot[i]; i = (i + 1) & (c->nslot - 1)) {
		const char *k = c->v[c->slot[i] - 1].key;

		if (strlen(k) == n && memcmp(k, key, n) == 0)
			break;
	}
	return &c->slot[i];
}

static void grow(struct counts *c)
{
	free(c->slot);
	c->nslot = c->nslot ? c->nslot * 2 : FIRST_SLOTS;
	c->slot = xcalloc(c->nslot, sizeof *c->slot);
	for (size_t i = 0; i < c->n; i++)
		*find(c, c->v[i].key, strlen(c->v[i].key)) = (uint32_t)i + 1;
	c->cap = c->nslot / 2;
	c->v = xrealloc(c->v, c->cap, sizeof *c->v);
}

struct count *counts_add(struct counts *c, const char *key, size_t n)
{
	const char *nul = memchr(key, '\0', n);

	n = nul ? (size_t)(nul - key) : n;
	if (c->n == c->cap)
		grow(c);
	uint32_t *slot = find(c, key, n);

	c->total++;
	if (!*slot) {
		if (c->n == c->max) {
			c->others++;
			return NULL;
		}
		c->v[c->n++] = (struct count){ .key = xmemdup(key, n) };
		*slot = (uint32_t)c->n;
	}
	struct count *e = &c->v[*slot - 1];

	e->n++;
	return e;
}

void count_example(struct count *c, const char *s, size_t n)
{
	for (size_t i = 0; i < COUNT_EXAMPLES; i++)
		if (!c->example[i]) {
			c->example[i] = xmemdup(s, n);
			return;
		}
}

/* Pointers into v: their order is that of the first coming, which tells equals apart. */
static int by_number(const void *a, const void *b)
{
	const struct count *const *x = a, *const *y = b;

	if ((*x)->n != (*y)->n)
		return (*x)->n < (*y)->n ? 1 : -1;
	return *x < *y ? -1 : *x > *y;
}

void counts_sort(struct counts *c)
{
	struct count **order = xcalloc(c->n + 1, sizeof *order), *sorted = xcalloc(c->n + 1, sizeof *sorted);

	for (size_t i = 0; i < c->n; i++)
		order[i] = &c->v[i];
	qsort(order, c->n, sizeof *order, by_number);
	for (size_t i = 0; i < c->n; i++)
		sorted[i] = *order[i];
	free(order);
	free(c->v);
	c->v = sorted;
}
