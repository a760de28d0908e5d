/* fs-lock.c -- see fs-lock.h */
#include "fs-lock.h"

#include "io.h"
#include "moment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_SHOWN FS_STATE "/lock"

enum { HOLDER_MAX = 1024, POLL_MS = 20 };

/* What he wrote is shown in one line, whatever it is. */
static int held(const struct fs_state *s, int fd, struct diag *d)
{
	char text[HOLDER_MAX + 1];
	ssize_t n = pread(fd, text, HOLDER_MAX, 0);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return diag_add(d, MIG_PRECONDITION, "locked", s->root->name, "another run holds the lock: %s",
	                *text ? text : "it has not said who it is");
}

/* Is the file we hold still the one that has the name? */
static bool still_there(const struct fs_state *s, int fd)
{
	struct stat mine, named;

	return fstat(fd, &mine) == 0 && fstatat(s->mig, "lock", &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* Lock the open file, waiting for who holds it until ms have passed since start: 0, or -1 after a finding. */
static int wait_for(const struct fs_state *s, int fd, int64_t start, int64_t ms, struct diag *d)
{
	const struct timespec nap = { 0, POLL_MS * 1000000L };

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return fs_fault(d, LOCK_SHOWN, "lock", errno, false);
		if (moment_since(start) >= ms)
			return held(s, fd, d);
		nanosleep(&nap, NULL);
	}
	return 0;
}

int fs_lock(struct fs_state *s, unsigned seconds, const char *holder, struct diag *d)
{
	int64_t start = moment_ticks();
	int err;

	if (fs_state_make_top(s, d) < 0)
		return -1;
	while (s->lock < 0) {
		int fd = fs_state_file(s, "lock", LOCK_SHOWN, O_RDWR | O_CREAT, &err, d);

		if (fd < 0)
			return err == ENOENT ? fs_fault(d, LOCK_SHOWN, "make", err, false) : -1;
		if (wait_for(s, fd, start, (int64_t)seconds * 1000, d) < 0) {
			close(fd);
			return -1;
		}
		if (still_there(s, fd))
			s->lock = fd;
		else /* somebody has removed it: there is another one to wait for */
			close(fd);
	}
	if (ftruncate(s->lock, 0) < 0 || io_write(s->lock, holder, strlen(holder)) < 0)
		return fs_fault(d, LOCK_SHOWN, "write", errno, false);
	return 0;
}
