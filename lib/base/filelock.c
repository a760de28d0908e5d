/* filelock.c -- see filelock.h */
#include "filelock.h"

#include "backoff.h"
#include "io.h"
#include "moment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOLDER_MAX = 1024, POLL_MS = 20 };

static void tell_holder(int fd, const char *where, struct diag *d)
{
	char text[HOLDER_MAX + 1];
	ssize_t n = pread(fd, text, HOLDER_MAX, 0);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	diag_add(d, MIG_PRECONDITION, "locked", where, "another run holds the lock: %s",
	         *text ? text : "it has not said who it is");
}

int filelock_take(int fd, unsigned seconds, const char *where, struct diag *d)
{
	int64_t start = moment_ticks();

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -1;
		if (moment_ticks() - start >= (int64_t)seconds * 1000) {
			tell_holder(fd, where, d);
			errno = EWOULDBLOCK;
			return -1;
		}
		backoff_wait(POLL_MS);
	}
	return 0;
}

bool filelock_names(int fd, int dir, const char *name)
{
	struct stat mine, named;

	return fstat(fd, &mine) == 0 && S_ISREG(mine.st_mode) &&
	       fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == named.st_ino &&
	       mine.st_dev == named.st_dev;
}

int filelock_sign(int fd, const char *holder)
{
	return ftruncate(fd, 0) < 0 ? -1 : io_write(fd, holder, strlen(holder));
}
