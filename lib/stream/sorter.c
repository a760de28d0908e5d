/* sorter.c -- see sorter.h */
#include "sorter.h"

#include "temporary.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { RUN_BYTES = 16 << 20, WINDOWS_BYTES = 8 << 20, WINDOW_LEAST = 16 << 10, WINDOW_MOST = 1 << 20 };

/*
 * A frame is what one blob takes up: the two lengths, the key, the blob, and a
 * pad of zeros, so that it can be handed out as it lies in a window.
 */
struct frame {
	uint64_t nkey, nblob;
};

/* One sorted run in the file and the window through which it is read. */
struct run {
	uint64_t at, end; /* what is still to be read into the window */
	struct buf window;
	size_t pos;       /* of the frame that comes next */
};

static int failed(struct diag *d, int err, const char *what)
{
	return diag_add(d, MIG_ERROR, "spool_failed", "temporary file", "%s: %s", what, strerror(err));
}

int sorter_init(struct sorter *s, struct diag *d)
{
	*s = (struct sorter){ .fd = temporary_file("sort", d) };
	if (s->fd < 0)
		return -1;
	out_init(&s->out, s->fd);
	return 0;
}

void sorter_release(struct sorter *s)
{
	if (s->fd >= 0) {
		out_release(&s->out);
		close(s->fd);
	}
	for (size_t i = 0; i < s->nrun; i++)
		buf_release(&s->run[i].window);
	buf_release(&s->heap);
	free(s->frame);
	free(s->run);
	free(s->order);
	*s = (struct sorter){ .fd = -1 };
}

static size_t frame_size(const struct frame *f)
{
	return sizeof *f + f->nkey + f->nblob + BUF_PAD;
}

static struct text key_at(const char *p)
{
	struct frame f;

	memcpy(&f, p, sizeof f);
	return (struct text){ p + sizeof f, f.nkey };
}

static int compare(struct text a, struct text b)
{
	int c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Frames lie in the order in which they were added, which decides between equal keys. */
static int by_key(const void *a, const void *b, void *heap)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = compare(key_at((char *)heap + x), key_at((char *)heap + y));

	return c ? c : (x > y) - (x < y);
}

/* Write the frames in memory as one run. */
static int put_run(struct sorter *s, struct diag *d)
{
	uint64_t at = s->size;

	if (!s->nframe)
		return 0;
	qsort_r(s->frame, s->nframe, sizeof *s->frame, by_key, s->heap.s);
	for (size_t i = 0; i < s->nframe; i++) {
		struct frame f;

		memcpy(&f, s->heap.s + s->frame[i], sizeof f);
		if (out_write(&s->out, s->heap.s + s->frame[i], frame_size(&f)) < 0)
			return failed(d, s->out.err, "write");
		s->size += frame_size(&f);
	}
	if (s->nrun == s->runcap) {
		s->runcap = s->runcap ? s->runcap * 2 : 16;
		s->run = xrealloc(s->run, s->runcap, sizeof *s->run);
	}
	s->run[s->nrun++] = (struct run){ .at = at, .end = s->size };
	s->nframe = 0;
	buf_reset(&s->heap);
	return 0;
}

int sorter_add(struct sorter *s, struct text key, const void *p, size_t n, struct diag *d)
{
	static const char pad[BUF_PAD];
	struct frame f = { key.n, n };

	if (s->heap.len && s->heap.len + frame_size(&f) > RUN_BYTES && put_run(s, d) < 0)
		return -1;
	if (s->nframe == s->framecap) {
		s->framecap = s->framecap ? s->framecap * 2 : 1024;
		s->frame = xrealloc(s->frame, s->framecap, sizeof *s->frame);
	}
	s->frame[s->nframe++] = s->heap.len;
	buf_add(&s->heap, (const char *)&f, sizeof f);
	buf_add(&s->heap, key.s, key.n);
	buf_add(&s->heap, p, n);
	buf_add(&s->heap, pad, sizeof pad);
	return 0;
}

/* ---- merging ---- */

/* Have need bytes from pos on in the run's window. */
static int fill(struct sorter *s, struct run *r, size_t need, struct diag *d)
{
	size_t want = WINDOWS_BYTES / s->nrun, have = r->window.len - r->pos;

	if (have >= need)
		return 0;
	want = want < WINDOW_LEAST ? WINDOW_LEAST : want > WINDOW_MOST ? WINDOW_MOST : want;
	if (have)
		memmove(r->window.s, r->window.s + r->pos, have);
	r->pos = 0;
	if (want < need - have)
		want = need - have;
	if (want > r->end - r->at)
		want = (size_t)(r->end - r->at);
	buf_reserve(&r->window, have + want);
	buf_setlen(&r->window, have);
	while (want) {
		ssize_t n = pread(s->fd, r->window.s + r->window.len, want, (off_t)r->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(d, n ? errno : EIO, "read");
		buf_setlen(&r->window, r->window.len + (size_t)n);
		r->at += (uint64_t)n;
		want -= (size_t)n;
	}
	return r->window.len < need ? failed(d, EIO, "read") : 0;
}

/* Have the run's next frame in its window: 1, or 0 when it is used up. */
static int have_frame(struct sorter *s, struct run *r, struct diag *d)
{
	struct frame f;

	if (r->pos == r->window.len && r->at == r->end)
		return 0;
	if (fill(s, r, sizeof f, d) < 0)
		return -1;
	memcpy(&f, r->window.s + r->pos, sizeof f);
	return fill(s, r, frame_size(&f), d) < 0 ? -1 : 1;
}

/* Does run a come before run b?  Earlier runs hold what was added earlier. */
static bool before(const struct sorter *s, size_t a, size_t b)
{
	const struct run *x = &s->run[a], *y = &s->run[b];
	int c = compare(key_at(x->window.s + x->pos), key_at(y->window.s + y->pos));

	return c ? c < 0 : a < b;
}

static void sink(struct sorter *s, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < s->norder; i = child) {
		if (child + 1 < s->norder && before(s, s->order[child + 1], s->order[child]))
			child++;
		if (!before(s, s->order[child], s->order[i]))
			break;
		size_t t = s->order[i];

		s->order[i] = s->order[child];
		s->order[child] = t;
	}
}

int sorter_sort(struct sorter *s, struct diag *d)
{
	int rc;

	if (put_run(s, d) < 0)
		return -1;
	if (out_flush(&s->out) < 0)
		return failed(d, s->out.err, "write");
	buf_release(&s->heap);
	free(s->frame);
	s->frame = NULL;
	s->framecap = 0;
	s->order = xcalloc(s->nrun, sizeof *s->order);
	for (size_t i = 0; i < s->nrun; i++) {
		if ((rc = have_frame(s, &s->run[i], d)) < 0)
			return -1;
		if (rc)
			s->order[s->norder++] = i;
	}
	for (size_t i = s->norder / 2; i-- > 0;)
		sink(s, i);
	return 0;
}

/* Leave the frame that was handed out last, and have the smallest of the others on top. */
static int step(struct sorter *s, struct diag *d)
{
	struct run *r = &s->run[s->order[0]];
	struct frame f;

	memcpy(&f, r->window.s + r->pos, sizeof f);
	r->pos += frame_size(&f);
	int rc = have_frame(s, r, d);

	if (rc < 0)
		return -1;
	if (rc == 0)
		s->order[0] = s->order[--s->norder];
	sink(s, 0);
	return 0;
}

int sorter_next(struct sorter *s, struct text *key, const char **p, size_t *n, struct diag *d)
{
	if (s->reading && s->norder && step(s, d) < 0)
		return -1;
	s->reading = true;
	if (!s->norder)
		return 0;
	const struct run *r = &s->run[s->order[0]];
	struct frame f;

	memcpy(&f, r->window.s + r->pos, sizeof f);
	*key = key_at(r->window.s + r->pos);
	*p = key->s + key->n;
	*n = f.nblob;
	return 1;
}
