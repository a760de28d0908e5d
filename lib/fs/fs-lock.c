/* fs-lock.c -- see fs-lock.h */
#include "fs-lock.h"

#include "filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define LOCK_SHOWN FS_STATE "/lock"

int fs_lock(struct fs_state *s, unsigned seconds, const char *holder, struct diag *d)
{
	int err;

	if (fs_state_make_top(s, d) < 0)
		return -1;
	while (s->lock < 0) {
		int fd = fs_state_file(s, "lock", LOCK_SHOWN, O_RDWR | O_CREAT, &err, d);

		if (fd < 0)
			return err == ENOENT ? fs_fault(d, LOCK_SHOWN, "make", err, false) : -1;
		if (filelock_take(fd, seconds, s->root->name, d) < 0) {
			if (errno != EWOULDBLOCK)
				fs_fault(d, LOCK_SHOWN, "lock", errno, false);
			close(fd);
			return -1;
		}
		if (filelock_names(fd, s->mig, "lock"))
			s->lock = fd;
		else /* somebody has removed it: there is another one to wait for */
			close(fd);
	}
	return filelock_sign(s->lock, holder) < 0 ? fs_fault(d, LOCK_SHOWN, "write", errno, false) : 0;
}
