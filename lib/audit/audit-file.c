/* audit-file.c -- a sink of lines in a file; see sink.h */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_torn(int fd)
{
	struct stat st;
	char last = '\n';

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/*
 * A writer that died in the middle of a line must not spoil the next one.  One
 * that is at work may show the same for an instant; the lock is for those who mend.
 */
static void mend(int fd)
{
	static const struct timespec instant = { .tv_nsec = 2000000 };

	if (!is_torn(fd))
		return;
	nanosleep(&instant, NULL);
	flock(fd, LOCK_EX | LOCK_NB);
	if (is_torn(fd) && write(fd, "\n", 1) < 0)
		return; /* the next write tells why */
	flock(fd, LOCK_UN);
}

static int file_open(const char *path, struct diag *d)
{
	struct stat st;
	int low = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 3); /* a closed stdin or stderr must not become the audit */

	if (low >= 0)
		close(low);
	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, "audit_unreachable", path, "the audit: %s", strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return diag_add(d, MIG_PRECONDITION, "audit_unreachable", path, "the audit is no regular file");
	}
	mend(fd);
	return fd;
}

/* One write, which O_APPEND makes one piece of the file; a part of it is a failure. */
static int file_append(int fd, const char *line, size_t n, struct sink_said *said)
{
	ssize_t w;

	while ((w = write(fd, line, n)) < 0 && errno == EINTR)
		;
	if (w >= 0 && (size_t)w < n)
		errno = ENOSPC;
	if (w == (ssize_t)n && fdatasync(fd) == 0)
		return 0;
	said->exit = MIG_PRECONDITION;
	said->why[0] = '\0';
	return -1;
}

static void file_close(int fd)
{
	close(fd);
}

const struct sink sink_file = { "file:", file_open, file_append, NULL, file_close };
