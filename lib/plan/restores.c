/* restores.c -- see restores.h */
#include "restores.h"

#include <stdlib.h>

enum { REF_DIGITS = 32 };

struct restore {
	char ref[REF_DIGITS]; /* of its SHA-256 */
	char raw[HEX_LEN];
	uint32_t place;
};

void restores_release(struct restores *r)
{
	free(r->v);
	*r = (struct restores){ .v = NULL };
}

static void name_ref(char out[REF_DIGITS], struct text ref)
{
	char hex[HEX_SIZE];

	digest_hex(ref.s, ref.n, hex);
	memcpy(out, hex, REF_DIGITS);
}

void restores_add(struct restores *r, uint32_t place, const struct plan *p)
{
	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		if (!s->restore)
			continue;
		if (r->n == r->cap) {
			r->cap = r->cap ? r->cap * 2 : 256;
			r->v = xrealloc(r->v, r->cap, sizeof *r->v);
		}
		struct restore *x = &r->v[r->n++];

		name_ref(x->ref, s->ref);
		memcpy(x->raw, s->raw.s, HEX_LEN);
		x->place = place;
	}
}

static int by_ref_and_place(const void *a, const void *b)
{
	const struct restore *x = a, *y = b;
	int c = memcmp(x->ref, y->ref, REF_DIGITS);

	return c ? c : (x->place > y->place) - (x->place < y->place);
}

void restores_sort(struct restores *r)
{
	if (r->n)
		qsort(r->v, r->n, sizeof *r->v, by_ref_and_place);
}

/* The first that does not stand before the document's restore at place. */
static size_t lower_bound(const struct restores *r, const struct restore *key)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_ref_and_place(&r->v[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool restores_before(const struct restores *r, struct text ref, uint32_t place, char raw[HEX_SIZE])
{
	struct restore key = { .place = place };

	name_ref(key.ref, ref);
	size_t i = lower_bound(r, &key);

	if (i == 0 || memcmp(r->v[i - 1].ref, key.ref, REF_DIGITS) != 0)
		return false;
	memcpy(raw, r->v[i - 1].raw, HEX_LEN);
	raw[HEX_LEN] = '\0';
	return true;
}

bool restores_later(const struct restores *r, struct text ref, uint32_t place, const char *raw)
{
	struct restore key = { .place = place + 1 };

	name_ref(key.ref, ref);
	for (size_t i = lower_bound(r, &key); i < r->n && memcmp(r->v[i].ref, key.ref, REF_DIGITS) == 0; i++)
		if (memcmp(r->v[i].raw, raw, HEX_LEN) == 0)
			return true;
	return false;
}
