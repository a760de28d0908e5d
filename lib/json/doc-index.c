/* doc-index.c -- reading the index of doc.h: strings, members, numbers, parts */
#include "base.h"
#include "doc.h"
#include "number.h"
#include "quoted.h"
#include "utf8.h"
#include "word.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_TO_SORT = 24 }; /* members that insertion sorts faster than qsort */

void *doc_room(void *p, uint32_t *cap, uint64_t n, size_t size)
{
	if (n > *cap) {
		n += n / 2 + 32;
		*cap = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		p = xrealloc(p, *cap, size);
	}
	return p;
}

/* --- strings --- */

static struct quoted chars_of(const struct doc *d, uint32_t t)
{
	return quoted(d->text + d->tok[t].off, d->tok[t].len);
}

void doc_string(const struct doc *d, uint32_t t, struct buf *out)
{
	struct quoted q = chars_of(d, t);

	if (!(d->tok[t].flags & DOC_ESCAPED)) {
		buf_add(out, q.p, (size_t)(q.end - q.p));
		return;
	}
	buf_reserve(out, d->tok[t].len);
	for (int c; (c = quoted_next(&q)) >= 0;)
		out->s[out->len++] = (char)c;
	buf_setlen(out, out->len);
}

bool doc_equals_escaped(const struct doc *d, uint32_t t, const char *s, size_t n)
{
	struct quoted q = chars_of(d, t);

	for (size_t i = 0; i < n; i++)
		if (quoted_next(&q) != (unsigned char)s[i])
			return false;
	return quoted_next(&q) < 0;
}

/* --- the order of keys --- */

int doc_compare_keys(const char *a, size_t na, const char *b, size_t nb)
{
	return utf8_compare(a, na, b, nb);
}

static int compare_keys(const struct doc *d, uint32_t a, uint32_t b)
{
	if ((d->tok[a].flags | d->tok[b].flags) & DOC_ESCAPED)
		return quoted_compare(chars_of(d, a), chars_of(d, b));
	return utf8_compare(d->text + d->tok[a].off + 1, d->tok[a].len - 2,
	                    d->text + d->tok[b].off + 1, d->tok[b].len - 2);
}

struct doc_key {
	uint64_t prefix; /* the first 8 characters, the first one highest: sorts like them */
	uint32_t key;
};

static inline uint64_t prefix(const struct doc *d, uint32_t key)
{
	const struct tok *t = &d->tok[key];
	uint64_t w = word_load(d->text + t->off + 1);

	if (t->len < 8 + 2)
		w &= (UINT64_C(1) << (8 * (t->len - 2))) - 1;
	if (t->flags & DOC_ESCAPED || w & EACH_BYTE(0x80))
		return quoted_prefix(chars_of(d, key));
	return __builtin_bswap64(w);
}

static int compare_entries(const struct doc *d, const struct doc_key *a, const struct doc_key *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return compare_keys(d, a->key, b->key);
}

/* For qsort_r; equal keys stay in the order of the text. */
static int compare_sorting(const void *x, const void *y, void *d)
{
	const struct doc_key *a = x, *b = y;
	int c = compare_entries(d, a, b);

	return c ? c : (a->key > b->key) - (a->key < b->key);
}

static void sort_keys(struct doc *d, struct doc_key *k, uint32_t n)
{
	if (n > FEW_TO_SORT) {
		qsort_r(k, n, sizeof *k, compare_sorting, d);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct doc_key x = k[i];
		uint32_t j = i;

		for (; j > 0 && compare_entries(d, &k[j - 1], &x) > 0; j--)
			k[j] = k[j - 1];
		k[j] = x;
	}
}

bool doc_keys_ascend(const struct doc *d, uint32_t a, uint32_t b)
{
	struct doc_key x = { prefix(d, a), a }, y = { prefix(d, b), b };

	return compare_entries(d, &x, &y) < 0;
}

uint32_t doc_order(struct doc *d, uint32_t obj)
{
	uint32_t n = d->tok[obj].n, twice = DOC_NONE;

	d->sort = doc_room(d->sort, &d->sortcap, n, sizeof *d->sort);
	d->perm = doc_room(d->perm, &d->permcap, (uint64_t)d->nperm + n, sizeof *d->perm);
	for (uint32_t i = 0, k = obj + 1; i < n; i++, k = d->tok[k + 1].next)
		d->sort[i] = (struct doc_key){ prefix(d, k), k };
	if (d->tok[obj].flags & DOC_UNSORTED)
		sort_keys(d, d->sort, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = d->sort[i].key;

		d->perm[d->nperm + i] = k;
		if (i > 0 && (!twice || k < twice) && compare_entries(d, &d->sort[i - 1], &d->sort[i]) == 0)
			twice = k;
	}
	d->tok[obj + 1].n = d->nperm + 1;
	d->nperm += n;
	return twice;
}

/* The keys of obj, which has some, in canonical order; NULL: they are few and stand so in the text. */
static const uint32_t *order_of(const struct doc *d, uint32_t obj)
{
	uint32_t place = d->tok[obj + 1].n;

	return place ? d->perm + place - 1 : NULL;
}

/* --- members --- */

static int compare_with(const struct doc *d, uint32_t key, const char *s, size_t n)
{
	if (d->tok[key].flags & DOC_ESCAPED)
		return quoted_compare(chars_of(d, key), quoted_plain(s, n));
	return utf8_compare(d->text + d->tok[key].off + 1, d->tok[key].len - 2, s, n);
}

uint32_t doc_member(const struct doc *d, uint32_t obj, const char *key, size_t n)
{
	const struct tok *o = &d->tok[obj];

	if (o->type != DOC_OBJECT)
		return DOC_NONE;
	if (o->n <= DOC_FEW) {
		for (uint32_t i = 0, k = obj + 1; i < o->n; i++, k = d->tok[k + 1].next)
			if (doc_equals(d, k, key, n))
				return k + 1;
		return DOC_NONE;
	}
	const uint32_t *order = order_of(d, obj);
	uint32_t low = 0, high = o->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = compare_with(d, order[mid], key, n);

		if (c == 0)
			return order[mid] + 1;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return DOC_NONE;
}

void doc_walk_init(struct doc_walk *w, const struct doc *d, uint32_t obj)
{
	w->d = d;
	w->left = d->tok[obj].type == DOC_OBJECT ? d->tok[obj].n : 0;
	w->key = obj + 1;
	w->order = w->left ? order_of(d, obj) : NULL;
}

uint32_t doc_walk_next(struct doc_walk *w)
{
	if (w->left == 0)
		return DOC_NONE;
	w->left--;
	if (w->order)
		return *w->order++;
	uint32_t key = w->key;

	w->key = w->d->tok[key + 1].next;
	return key;
}

/* --- numbers and parts --- */

double doc_double(const struct doc *d, uint32_t t)
{
	return number_value(d->text + d->tok[t].off, d->tok[t].len);
}

bool doc_int(const struct doc *d, uint32_t t, int64_t *v)
{
	return d->tok[t].flags & DOC_INTEGER && number_int(d->text + d->tok[t].off, d->tok[t].len, v);
}

void doc_part(struct doc *to, const struct doc *d, uint32_t t)
{
	const struct tok *root = &d->tok[t];
	uint32_t n = root->next - t;

	to->tok = doc_room(to->tok, &to->cap, n, sizeof *to->tok);
	to->perm = doc_room(to->perm, &to->permcap, d->nperm, sizeof *to->perm);
	for (uint32_t i = 0; i < n; i++) {
		to->tok[i] = root[i];
		to->tok[i].off -= root->off;
		to->tok[i].next -= t;
	}
	/* an order keeps its place; what belongs to other parts is never asked for */
	for (uint32_t i = 0; i < d->nperm; i++)
		to->perm[i] = d->perm[i] - t;
	to->text = d->text + root->off;
	to->len = root->len;
	to->ntok = n;
	to->nperm = d->nperm;
	to->canonical = d->canonical;
}
