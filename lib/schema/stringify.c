/* stringify.c -- see stringify.h */
#include "stringify.h"

#include "base.h"
#include "canon.h"
#include "number.h"
#include "utf8.h"

#include <stdlib.h>

struct member_key {
	char *s;
	size_t n;
	uint32_t value; /* its token; DOC_NONE: the number to put in */
	int64_t index;  /* as an array index, or -1 */
};

/* ECMA-262 6.1.7: an array index is an integer below 2^32 - 1, spelled as itself. */
static int64_t array_index(const char *s, size_t n)
{
	int64_t v = 0;

	if (n == 0 || n > 10 || (s[0] == '0' && n > 1))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v < UINT32_MAX ? v : -1;
}

static int compare_keys(const void *a, const void *b)
{
	const struct member_key *x = a, *y = b;

	if (x->index >= 0 && y->index >= 0)
		return (x->index > y->index) - (x->index < y->index);
	if (x->index >= 0 || y->index >= 0)
		return x->index >= 0 ? -1 : 1;
	return utf8_compare(x->s, x->n, y->s, y->n);
}

static void line(struct buf *out, unsigned depth)
{
	buf_addch(out, '\n');
	while (depth--)
		buf_add(out, "  ", 2);
}

static void value(struct buf *out, const struct doc *d, uint32_t t, unsigned depth);

static struct member_key *keys_of(const struct doc *d, uint32_t obj, int64_t id, size_t *n)
{
	struct member_key *list = xcalloc(d->tok[obj].n + 1, sizeof *list);
	uint32_t key = obj + 1;

	for (*n = 0; *n < d->tok[obj].n; ++*n, key = d->tok[key + 1].next) {
		struct buf b = BUF_INIT;
		struct member_key *k = &list[*n];

		buf_reserve(&b, 0);
		doc_string(d, key, &b);
		k->n = b.len;
		k->s = buf_steal(&b);
		k->value = key + 1;
		k->index = array_index(k->s, k->n);
	}
	if (id)
		list[(*n)++] = (struct member_key){ xstrdup("id"), 2, DOC_NONE, -1 };
	qsort(list, *n, sizeof *list, compare_keys);
	return list;
}

static void object(struct buf *out, const struct doc *d, uint32_t t, int64_t id, unsigned depth)
{
	size_t n;
	struct member_key *list = keys_of(d, t, id, &n);

	buf_addch(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(out, ',');
		line(out, depth + 1);
		canon_string(out, list[i].s, list[i].n);
		buf_add(out, ": ", 2);
		if (list[i].value)
			value(out, d, list[i].value, depth + 1);
		else
			canon_int(out, id);
		free(list[i].s);
	}
	if (n)
		line(out, depth);
	buf_addch(out, '}');
	free(list);
}

static void array(struct buf *out, const struct doc *d, uint32_t t, const int64_t *ids, unsigned depth)
{
	size_t i = 0;

	buf_addch(out, '[');
	for (uint32_t e = t + 1; e < d->tok[t].next; e = d->tok[e].next, i++) {
		if (i)
			buf_addch(out, ',');
		line(out, depth + 1);
		if (ids && ids[i])
			object(out, d, e, ids[i], depth + 1);
		else
			value(out, d, e, depth + 1);
	}
	if (i)
		line(out, depth);
	buf_addch(out, ']');
}

static void value(struct buf *out, const struct doc *d, uint32_t t, unsigned depth)
{
	char number[NUMBER_SIZE];

	switch (d->tok[t].type) {
	case DOC_OBJECT:
		object(out, d, t, 0, depth);
		break;
	case DOC_ARRAY:
		array(out, d, t, NULL, depth);
		break;
	case DOC_NUMBER: /* JavaScript has doubles only */
		buf_add(out, number, number_print(doc_double(d, t), number));
		break;
	default:
		canon_value(out, d, t, DOC_NONE);
	}
}

void stringify(struct buf *out, const struct doc *d, uint32_t t, const int64_t *ids)
{
	if (d->tok[t].type == DOC_ARRAY)
		array(out, d, t, ids, 0);
	else
		value(out, d, t, 0);
}
