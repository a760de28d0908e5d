/*
 * io.h -- reading and writing bytes.
 *
 * Floor 2.  Short writes and EINTR are dealt with here and nowhere else.
 */
#ifndef MIG_IO_H
#define MIG_IO_H

#include "buf.h"
#include "diag.h"

#include <sys/types.h>

/* Lines of an fd.  Memory is that of the longest line (at most max bytes). */
struct lines {
	int fd;
	size_t max;       /* refuse longer lines; 0: no limit */
	size_t no;        /* number of the line handed out last, from 1 */
	bool torn;        /* that line had no LF */
	struct buf b;     /* private from here */
	size_t pos, scan;
	bool eof;
	char saved[BUF_PAD];
	size_t saved_at;
	bool restore;
};

void lines_init(struct lines *l, int fd, size_t max);
void lines_release(struct lines *l);

/*
 * The next line without its LF in *s and *n, followed by BUF_PAD zero bytes,
 * valid until the next call.  1: a line; 0: the end; -1: a finding (MIG_ERROR
 * on a read error, MIG_USAGE on a line over max).
 */
int lines_next(struct lines *l, const char **s, size_t *n, struct diag *d);

/* Buffered output of 64 KB.  The first error sticks; nothing is written after it. */
struct out {
	int fd;
	int err; /* errno of the first failure; EPIPE: the reader has gone, be silent */
	struct buf b;
	struct {
		char digest[65];
		uint64_t records;
	} end; /* of the stream that was written here; digest is "" until it is */
};

void out_init(struct out *o, int fd);
void out_release(struct out *o);
int out_write(struct out *o, const void *p, size_t n);   /* 0, or -1 once err is set */
int out_flush(struct out *o);
int out_finish(struct out *o, struct diag *d); /* flush; a failure that is not EPIPE becomes a finding */

/* Read n bytes or to the end, here or from at on; write n bytes.  Whatever the mood of the kernel; -1 and errno. */
ssize_t io_read(int fd, void *p, size_t n);
ssize_t io_read_at(int fd, void *p, size_t n, uint64_t at);
int io_write(int fd, const void *p, size_t n);

/* Append all of fd to b: 0, or -1 and errno.  Over max bytes: EFBIG.  size_hint may be 0. */
int io_slurp(int fd, struct buf *b, size_t size_hint, size_t max);

/*
 * Append the regular file at path to b.  A file that is missing, may not
 * be read or is none that a path leads to is MIG_PRECONDITION with rule (e.g.
 * "missing_plan_file"), any other failure MIG_ERROR.
 */
int io_read_file(const char *path, struct buf *b, const char *rule, struct diag *d);

/* Ask for a larger pipe and larger reads where fd is one; failures do not matter. */
void io_widen_pipe(int fd);

#endif
