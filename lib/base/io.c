/* io.c -- see io.h */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_SIZE = 64 * 1024, PIPE_SIZE = 1024 * 1024, READ_SIZE = 64 * 1024 };

ssize_t io_read(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

ssize_t io_read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)p + got, n - got, (off_t)(at + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int io_write(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

int io_slurp(int fd, struct buf *b, size_t size_hint, size_t max)
{
	size_t start = b->len;

	for (size_t want = size_hint + 1;; want = READ_SIZE) {
		buf_reserve(b, want);
		ssize_t r = read(fd, b->s + b->len, want);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			return 0;
		buf_setlen(b, b->len + (size_t)r);
		if (max && b->len - start > max) {
			errno = EFBIG;
			return -1;
		}
	}
}

/* Errors that tell of the name, not of the machine. */
static bool is_not_there(int err)
{
	return err == ENOENT || err == ENOTDIR || err == EACCES || err == ELOOP || err == ENAMETOOLONG;
}

int io_read_file(const char *path, struct buf *b, const char *rule, struct diag *d)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return diag_add(d, is_not_there(errno) ? MIG_PRECONDITION : MIG_ERROR, rule, path, "%s",
		                strerror(errno));
	int rc = fstat(fd, &st);

	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = diag_add(d, MIG_PRECONDITION, rule, path, "not a regular file");
	else if (rc < 0 || (rc = io_slurp(fd, b, (size_t)st.st_size, 0)) < 0)
		diag_add(d, MIG_ERROR, "read_failed", path, "%s", strerror(errno));
	close(fd);
	return rc;
}

void io_widen_pipe(int fd)
{
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

void lines_init(struct lines *l, int fd, size_t max)
{
	*l = (struct lines){ .fd = fd, .max = max };
	io_widen_pipe(fd);
}

void lines_release(struct lines *l)
{
	buf_release(&l->b);
}

/* Read once more behind what is there, moving the unread part to the front first. */
static int fill(struct lines *l)
{
	if (l->pos > 0) {
		memmove(l->b.s, l->b.s + l->pos, l->b.len - l->pos);
		l->scan -= l->pos;
		buf_setlen(&l->b, l->b.len - l->pos);
		l->pos = 0;
	}
	buf_reserve(&l->b, READ_SIZE);
	for (;;) {
		ssize_t r = read(l->fd, l->b.s + l->b.len, l->b.cap - l->b.len - BUF_PAD);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		l->eof = r == 0;
		buf_setlen(&l->b, l->b.len + (size_t)r);
		return 0;
	}
}

int lines_next(struct lines *l, const char **s, size_t *n, struct diag *d)
{
	if (l->restore) { /* give back the bytes that the pad of the last line hid */
		memcpy(l->b.s + l->saved_at, l->saved, BUF_PAD);
		l->restore = false;
	}
	for (;;) {
		size_t have = l->b.len - l->scan;
		char *lf = have ? memchr(l->b.s + l->scan, '\n', have) : NULL;
		size_t end = lf ? (size_t)(lf - l->b.s) : l->b.len;

		if (l->max && end - l->pos > l->max)
			return diag_add(d, MIG_USAGE, "record_too_long", NULL,
			                "line %zu is longer than %zu bytes (MIG_MAX_RECORD)", l->no + 1, l->max);
		if (lf || (l->eof && end > l->pos)) {
			*s = l->b.s + l->pos;
			*n = end - l->pos;
			l->torn = !lf;
			l->pos = l->scan = lf ? end + 1 : end;
			l->no++;
			/* the pad may hide bytes of the next lines: keep them until the next call */
			memcpy(l->saved, l->b.s + end, BUF_PAD);
			memset(l->b.s + end, 0, BUF_PAD);
			l->saved_at = end;
			l->restore = true;
			return 1;
		}
		if (l->eof)
			return 0;
		l->scan = end;
		if (fill(l) < 0)
			return diag_add(d, MIG_ERROR, "read_failed", "stdin", "%s", strerror(errno));
	}
}

void out_init(struct out *o, int fd)
{
	*o = (struct out){ .fd = fd };
	/* a number that is free now will be the next file's: nothing meant for stdout may go there */
	if (fcntl(fd, F_GETFD) < 0)
		o->err = errno;
	io_widen_pipe(fd);
	buf_reserve(&o->b, OUT_SIZE);
}

void out_release(struct out *o)
{
	buf_release(&o->b);
}

int out_flush(struct out *o)
{
	if (!o->err && o->b.len && io_write(o->fd, o->b.s, o->b.len) < 0)
		o->err = errno;
	o->b.len = 0;
	return o->err ? -1 : 0;
}

int out_write(struct out *o, const void *p, size_t n)
{
	if (o->b.len + n > OUT_SIZE) {
		if (out_flush(o) < 0)
			return -1;
		if (n >= OUT_SIZE) {
			if (io_write(o->fd, p, n) < 0)
				o->err = errno;
			return o->err ? -1 : 0;
		}
	}
	if (o->err)
		return -1;
	memcpy(o->b.s + o->b.len, p, n);
	o->b.len += n;
	return 0;
}

int out_finish(struct out *o, struct diag *d)
{
	if (out_flush(o) == 0)
		return 0;
	if (o->err != EPIPE)
		diag_add(d, MIG_ERROR, "write_failed", "stdout", "%s", strerror(o->err));
	return -1;
}
