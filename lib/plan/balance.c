/* balance.c -- see balance.h */
#include "balance.h"

#include <stdlib.h>

void balance_release(struct balance *b)
{
	balance_clear(b);
	free(b->v);
	*b = (struct balance)BALANCE_INIT;
}

void balance_clear(struct balance *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].entity);
	b->n = b->last = 0;
}

/* Is t, a text or a number, spelled as the id? */
static bool says_id(const struct doc *d, uint32_t t, struct text id)
{
	if (d->tok[t].type == DOC_STRING)
		return doc_equals(d, t, id.s, id.n);
	size_t n;
	const char *s = doc_span(d, t, &n);

	return d->tok[t].type == DOC_NUMBER && text_same((struct text){ s, n }, id);
}

void balance_item(struct text entity, struct text id, const struct doc *d, uint32_t data, uint32_t links,
                  struct buf *scratch, unsigned char item[DIGEST_BYTES])
{
	uint32_t own = doc_member(d, data, "id", 2);

	buf_reset(scratch);
	buf_addch(scratch, '[');
	canon_string(scratch, entity.s, entity.n);
	buf_addch(scratch, ',');
	canon_string(scratch, id.s, id.n);
	buf_addch(scratch, ',');
	canon_value(scratch, d, data, own != DOC_NONE && says_id(d, own, id) ? own : DOC_NONE);
	buf_addch(scratch, ',');
	if (links == DOC_NONE)
		buf_add(scratch, "{}", 2);
	else
		canon_value(scratch, d, links, DOC_NONE);
	buf_addch(scratch, ']');
	digest_raw(scratch->s, scratch->len, item);
}

static int compare(const struct balance_sum *s, struct text entity)
{
	size_t n = strlen(s->entity);
	int c = memcmp(s->entity, entity.s, n < entity.n ? n : entity.n);

	return c ? c : (n > entity.n) - (n < entity.n);
}

/* The sum of the entity, made where it does not stand yet.  Rows of one entity mostly come together. */
static struct balance_sum *find(struct balance *b, struct text entity)
{
	size_t low = 0, high = b->n;

	if (b->last < b->n && compare(&b->v[b->last], entity) == 0)
		return &b->v[b->last];
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(&b->v[mid], entity);

		if (c == 0)
			return &b->v[b->last = mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 8;
		b->v = xrealloc(b->v, b->cap, sizeof *b->v);
	}
	memmove(b->v + low + 1, b->v + low, (b->n++ - low) * sizeof *b->v);
	b->v[low] = (struct balance_sum){ .entity = xmemdup(entity.s, entity.n) };
	return &b->v[b->last = low];
}

void balance_add(struct balance *b, struct text entity, const unsigned char *item)
{
	struct balance_sum *s = find(b, entity);
	unsigned carry = 0;

	s->count++;
	for (size_t i = DIGEST_BYTES; item && i-- > 0; carry >>= 8) {
		carry += (unsigned)s->sum[i] + item[i];
		s->sum[i] = (unsigned char)carry;
	}
}

void balance_json(const struct balance *b, struct buf *out)
{
	char hex[HEX_SIZE];
	struct rec w;

	buf_addch(out, '[');
	for (size_t i = 0; i < b->n; i++) {
		if (i)
			buf_addch(out, ',');
		digest_spell(b->v[i].sum, hex);
		rec_open(&w, out);
		rec_int(&w, "count", (int64_t)b->v[i].count);
		rec_cstr(&w, "digest", hex);
		rec_cstr(&w, "entity", b->v[i].entity);
		rec_close(&w);
	}
	buf_addch(out, ']');
}
