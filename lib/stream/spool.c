/* spool.c -- see spool.h */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 256 * 1024 };

static int failed(struct diag *d, const char *what)
{
	return diag_add(d, MIG_ERROR, "spool_failed", "temporary file", "%s: %s", what, strerror(errno));
}

int spool_init(struct spool *s, struct diag *d)
{
	const char *dir = getenv("TMPDIR");

	*s = (struct spool){ .fd = -1 };
	if (!dir || !*dir)
		dir = "/tmp";
	s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0) { /* a file system without O_TMPFILE */
		char *name = xasprintf("%s/mig-spool-XXXXXX", dir);

		s->fd = mkostemp(name, O_CLOEXEC);
		if (s->fd >= 0)
			unlink(name);
		free(name);
	}
	if (s->fd < 0)
		return failed(d, dir);
	out_init(&s->out, s->fd);
	return 0;
}

void spool_release(struct spool *s)
{
	if (s->fd >= 0) {
		out_release(&s->out);
		close(s->fd);
	}
	buf_release(&s->in);
	s->fd = -1;
}

int spool_add(struct spool *s, const char *p, size_t n, struct diag *d)
{
	return spool_add_parts(s, "", 0, p, n, d);
}

int spool_add_parts(struct spool *s, const char *head, size_t nhead, const char *p, size_t n, struct diag *d)
{
	uint64_t len = nhead + n;

	static const char pad[BUF_PAD];

	out_write(&s->out, &len, sizeof len);
	out_write(&s->out, head, nhead);
	out_write(&s->out, p, n);
	if (out_write(&s->out, pad, sizeof pad) == 0) {
		s->n++;
		s->size += sizeof len + len + sizeof pad;
		return 0;
	}
	errno = s->out.err;
	return failed(d, "write");
}

int spool_rewind(struct spool *s, struct diag *d)
{
	return spool_seek(s, 0, d);
}

int spool_seek(struct spool *s, uint64_t where, struct diag *d)
{
	if (out_flush(&s->out) < 0) {
		errno = s->out.err;
		return failed(d, "write");
	}
	s->at = where;
	buf_reset(&s->in);
	s->pos = 0;
	return 0;
}

/* A frame is the blob's length in 8 bytes, the blob, and a pad of zeros.  Have need bytes from pos on in the window. */
static int window(struct spool *s, size_t need, struct diag *d)
{
	if (s->in.len - s->pos >= need)
		return 0;
	if (s->pos) {
		memmove(s->in.s, s->in.s + s->pos, s->in.len - s->pos);
		buf_setlen(&s->in, s->in.len - s->pos);
		s->pos = 0;
	}
	size_t want = need - s->in.len > WINDOW ? need - s->in.len : WINDOW;

	buf_reserve(&s->in, want);
	ssize_t r = io_read_at(s->fd, s->in.s + s->in.len, want, s->at);

	if (r < 0)
		return failed(d, "read");
	s->at += (size_t)r;
	buf_setlen(&s->in, s->in.len + (size_t)r);
	return 0;
}

int spool_next(struct spool *s, const char **p, size_t *n, struct diag *d)
{
	uint64_t len;

	if (window(s, sizeof len, d) < 0)
		return -1;
	if (s->in.len == s->pos)
		return 0;
	memcpy(&len, s->in.s + s->pos, sizeof len);
	size_t frame = sizeof len + len + BUF_PAD;

	if (window(s, frame, d) < 0)
		return -1;
	if (s->in.len - s->pos < frame) {
		errno = EIO;
		return failed(d, "read");
	}
	*p = s->in.s + s->pos + sizeof len;
	*n = len;
	s->pos += frame;
	return 1;
}
