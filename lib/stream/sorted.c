/* sorted.c -- see sorted.h */
#include "sorted.h"

#include <stdlib.h>

enum { RUN_BYTES = 16 << 20, FAN = 64 };

/* The two lengths, the key, the value. */
struct entry {
	uint64_t nkey, nvalue;
};

/* A sorted run in the spool, and how far it has been read. */
struct sorted_run {
	uint64_t where, n;
	size_t age; /* which of two equal keys comes first */
	struct spool in;
	struct text key, value;
};

int sorted_init(struct sorted *s, struct diag *d)
{
	*s = (struct sorted){ .limit = RUN_BYTES };
	return spool_init(&s->file, d);
}

/* The readers share the spool's descriptor. */
static void close_runs(struct sorted_run *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_release(&r[i].in.in);
}

void sorted_release(struct sorted *s)
{
	close_runs(s->heap, s->nheap);
	free(s->heap);
	free(s->run);
	free(s->at);
	buf_release(&s->chunk);
	spool_release(&s->file);
}

static void split(const char *p, struct text *key, struct text *value)
{
	struct entry e;

	memcpy(&e, p, sizeof e);
	*key = (struct text){ p + sizeof e, (size_t)e.nkey };
	*value = (struct text){ p + sizeof e + e.nkey, (size_t)e.nvalue };
}

static int compare(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.s, b.s, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *x, const void *y, void *chunk)
{
	size_t a = *(const size_t *)x, b = *(const size_t *)y;
	struct text p, q, value;

	split((const char *)chunk + a, &p, &value);
	split((const char *)chunk + b, &q, &value);
	int c = compare(p, q);

	return c ? c : (a > b) - (a < b);
}

static void sort_chunk(struct sorted *s)
{
	if (s->nat)
		qsort_r(s->at, s->nat, sizeof *s->at, by_key, s->chunk.s);
}

/* The size of the entry at p. */
static size_t entry_size(const char *p)
{
	struct entry e;

	memcpy(&e, p, sizeof e);
	return sizeof e + e.nkey + e.nvalue;
}

static void new_run(struct sorted *s, uint64_t where, uint64_t n)
{
	s->run = xrealloc(s->run, s->nrun + 1, sizeof *s->run);
	s->run[s->nrun] = (struct sorted_run){ .where = where, .n = n, .age = s->nrun };
	s->nrun++;
}

/* The run in memory goes to the spool. */
static int spill(struct sorted *s, struct diag *d)
{
	uint64_t where = s->file.size;

	sort_chunk(s);
	for (size_t i = 0; i < s->nat; i++) {
		const char *p = s->chunk.s + s->at[i];

		if (spool_add(&s->file, p, entry_size(p), d) < 0)
			return -1;
	}
	new_run(s, where, s->nat);
	s->nat = 0;
	buf_reset(&s->chunk);
	return 0;
}

int sorted_add(struct sorted *s, struct text key, struct text value, struct diag *d)
{
	struct entry e = { key.n, value.n };

	if (s->nat && s->chunk.len + sizeof e + key.n + value.n > s->limit && spill(s, d) < 0)
		return -1;
	if (s->nat == s->atcap) {
		s->atcap = s->atcap * 2 + 64;
		s->at = xrealloc(s->at, s->atcap, sizeof *s->at);
	}
	s->at[s->nat++] = s->chunk.len;
	buf_add(&s->chunk, (const char *)&e, sizeof e);
	buf_add(&s->chunk, key.s, key.n);
	buf_add(&s->chunk, value.s, value.n);
	s->n++;
	return 0;
}

/* The run's next entry: 1, 0 at its end, -1. */
static int advance(struct sorted_run *r, struct diag *d)
{
	const char *p;
	size_t n;

	if (r->n == 0)
		return 0;
	r->n--;
	int rc = spool_next(&r->in, &p, &n, d);

	if (rc <= 0)
		return rc < 0 ? -1 : diag_add(d, MIG_ERROR, "spool_failed", "temporary file", "it is too short");
	split(p, &r->key, &r->value);
	return 1;
}

static bool is_before(const struct sorted_run *a, const struct sorted_run *b)
{
	int c = compare(a->key, b->key);

	return c < 0 || (c == 0 && a->age < b->age);
}

/* Let the run at i sink to its place in the heap, whose smallest is at 0. */
static void sink(struct sorted *s, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < s->nheap; c++)
			if (is_before(&s->heap[c], &s->heap[least]))
				least = c;
		if (least == i)
			return;
		struct sorted_run r = s->heap[i];

		s->heap[i] = s->heap[least];
		s->heap[least] = r;
		i = least;
	}
}

/* Take up the n runs from first on. */
static int open_heap(struct sorted *s, size_t first, size_t n, struct diag *d)
{
	s->heap = xrealloc(s->heap, n, sizeof *s->heap);
	s->merging = false;
	for (s->nheap = 0; s->nheap < n;) {
		struct sorted_run *r = &s->heap[s->nheap];

		*r = s->run[first + s->nheap++];
		r->in = (struct spool){ .fd = s->file.fd };
		if (spool_seek(&r->in, r->where, d) < 0 || advance(r, d) < 0)
			return -1;
	}
	for (size_t i = n / 2 + 1; i-- > 0;)
		sink(s, i);
	return 0;
}

/* The smallest of the heap, which stays there until the next call: only then may its window move. */
static int next_merged(struct sorted *s, struct text *key, struct text *value, struct diag *d)
{
	if (s->merging && s->nheap) {
		int rc = advance(&s->heap[0], d);

		if (rc < 0)
			return -1;
		if (rc == 0) {
			close_runs(s->heap, 1);
			s->heap[0] = s->heap[--s->nheap];
		}
		sink(s, 0);
	}
	s->merging = true;
	if (s->nheap == 0)
		return 0;
	*key = s->heap[0].key;
	*value = s->heap[0].value;
	return 1;
}

/* Merge the n runs from first on into one at the end of the spool. */
static int merge(struct sorted *s, size_t first, size_t n, struct sorted_run *to, struct diag *d)
{
	struct text key, value;
	int rc;

	*to = (struct sorted_run){ .where = s->file.size };
	if (open_heap(s, first, n, d) < 0)
		return -1;
	while ((rc = next_merged(s, &key, &value, d)) > 0) {
		/* as they were written: the lengths stand in front of the key */
		if (spool_add(&s->file, key.s - sizeof(struct entry), sizeof(struct entry) + key.n + value.n, d) < 0)
			return -1;
		to->n++;
	}
	return rc < 0 ? -1 : spool_rewind(&s->file, d);
}

int sorted_begin(struct sorted *s, struct diag *d)
{
	if (s->nrun == 0) { /* all of it is in memory */
		sort_chunk(s);
		return 0;
	}
	if (s->nat && spill(s, d) < 0)
		return -1;
	buf_release(&s->chunk);
	if (spool_rewind(&s->file, d) < 0)
		return -1;
	while (s->nrun > FAN) {
		size_t made = 0;

		for (size_t i = 0; i < s->nrun; i += FAN) {
			struct sorted_run to;

			if (merge(s, i, s->nrun - i < FAN ? s->nrun - i : FAN, &to, d) < 0)
				return -1;
			to.age = made;
			s->run[made++] = to;
		}
		s->nrun = made;
	}
	return open_heap(s, 0, s->nrun, d);
}

int sorted_next(struct sorted *s, struct text *key, struct text *value, struct diag *d)
{
	if (s->nrun)
		return next_merged(s, key, value, d);
	if (s->next == s->nat)
		return 0;
	split(s->chunk.s + s->at[s->next++], key, value);
	return 1;
}
