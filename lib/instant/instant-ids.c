/* instant-ids.c -- what links lead to; see instant-batch.h */
#include "instant-batch.h"

#include <stdlib.h>

void instant_ids_release(struct instant_ids *ids)
{
	free(ids->v);
	*ids = (struct instant_ids){ .n = 0 };
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, UUID_SIZE);
}

/* "2f.." or {"id":"2f..",..} */
static bool take(struct instant_ids *ids, const struct doc *d, uint32_t t)
{
	uint32_t id = d->tok[t].type == DOC_OBJECT ? doc_member(d, t, "id", 2) : t;
	unsigned char uuid[UUID_BYTES];
	size_t n;

	if (id == DOC_NONE || d->tok[id].type != DOC_STRING)
		return false;
	const char *s = doc_span(d, id, &n);

	if (!uuid_read((struct text){ s + 1, n - 2 }, uuid))
		return false;
	uuid_write(uuid, ids->v[ids->n++]);
	return true;
}

static void sort(struct instant_ids *ids)
{
	size_t kept = 0;

	if (ids->n)
		qsort(ids->v, ids->n, sizeof *ids->v, by_id);
	for (size_t i = 0; i < ids->n; i++)
		if (i == 0 || by_id(ids->v[i], ids->v[kept - 1]) != 0)
			memmove(ids->v[kept++], ids->v[i], UUID_SIZE);
	ids->n = kept;
}

bool instant_ids_read(struct instant_ids *ids, const struct doc *d, uint32_t value)
{
	bool list = value != DOC_NONE && d->tok[value].type == DOC_ARRAY, ok = true;

	*ids = (struct instant_ids){ .v = xcalloc(list ? d->tok[value].n : 1, sizeof *ids->v) };
	if (list)
		for (uint32_t t = value + 1; ok && t < d->tok[value].next; t = d->tok[t].next)
			ok = take(ids, d, t);
	else if (value != DOC_NONE && d->tok[value].type != DOC_NULL)
		ok = take(ids, d, value);
	sort(ids);
	if (!ok)
		instant_ids_release(ids);
	return ok;
}

bool instant_ids_have(const struct instant_ids *ids, const char *id)
{
	return ids->n && bsearch(id, ids->v, ids->n, sizeof *ids->v, by_id);
}

bool instant_ids_same(const struct instant_ids *a, const struct instant_ids *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof *a->v) == 0);
}

void instant_ids_write(const struct instant_ids *ids, struct buf *out)
{
	buf_addch(out, '[');
	for (size_t i = 0; i < ids->n; i++)
		buf_addf(out, "%s\"%s\"", i ? "," : "", ids->v[i]);
	buf_addch(out, ']');
}
