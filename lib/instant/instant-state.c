/* instant-state.c -- see instant-state.h */
#include "instant-state.h"

#include "filelock.h"
#include "io.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600 };

static const char ledger_file[] = "ledger.ndjson";

int instant_state_open(struct instant_state *s, const char *path, bool must, struct diag *d)
{
	*s = (struct instant_state)INSTANT_STATE_INIT;
	if (!path) {
		diag_hint(d, "--state DIR: the ledger and the backups of the app");
		return diag_add(d, MIG_PRECONDITION, "no_state", NULL,
		                "an InstantDB app keeps no ledger of ours: --state DIR is required");
	}
	return sql_state_open(&s->folder, path, must, d);
}

void instant_state_release(struct instant_state *s)
{
	if (s->lock >= 0)
		close(s->lock);
	sql_state_release(&s->folder);
	s->lock = -1;
}

/* The folder that STATE is to be made in, by its descriptor. */
static int parent_of(const struct instant_state *s)
{
	const char *path = s->folder.path;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	char *parent = n ? xmemdup(path, n) : xstrdup(".");
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(parent);
	return fd;
}

int instant_state_confine(const struct instant_state *s, bool writes, struct diag *d)
{
	if (!writes || s->folder.dir >= 0)
		return sandbox_client(writes ? s->folder.dir : -1, d);
	/* a dry run leaves nothing behind, so STATE is made only when it is needed */
	int parent = parent_of(s);

	if (parent < 0)
		return diag_add(d, MIG_PRECONDITION, "state_missing", s->folder.path,
		                "cannot open the folder that it is to be made in: %s", strerror(errno));
	int rc = sandbox_client(parent, d);

	close(parent);
	return rc;
}

/* Names of new folders, too, must outlive a power cut. */
static int sync_names(const struct instant_state *s, struct diag *d)
{
	int parent = parent_of(s), rc = 0;

	if (fsync(s->folder.dir) < 0 || (parent >= 0 && fsync(parent) < 0))
		rc = sql_state_fault(d, s->folder.path, "sync", errno);
	if (parent >= 0)
		close(parent);
	return rc;
}

static int make_all(struct instant_state *s, struct diag *d)
{
	if (sql_state_make(&s->folder, d) < 0)
		return -1;
	if (mkdirat(s->folder.dir, "plans", FOLDER_MODE) < 0 && errno != EEXIST)
		return sql_state_fault(d, s->folder.path, "make its folder of plans", errno);
	return sync_names(s, d);
}

/* ---- the lock ---- */

static int foreign(const char *name, struct diag *d)
{
	return diag_add(d, MIG_PRECONDITION, "foreign_state", name, "not the plain file that it should be");
}

int instant_state_lock(struct instant_state *s, unsigned seconds, const char *holder, struct diag *d)
{
	if (make_all(s, d) < 0)
		return -1;
	int fd = openat(s->folder.dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return sql_state_fault(d, "lock", "open", errno);
	int rc = filelock_take(fd, seconds, s->folder.path, d);

	if (rc < 0 && errno != EWOULDBLOCK)
		sql_state_fault(d, "lock", "take", errno);
	if (rc == 0 && !filelock_names(fd, s->folder.dir, "lock"))
		rc = foreign("lock", d);
	if (rc == 0 && filelock_sign(fd, holder) < 0)
		rc = sql_state_fault(d, "lock", "write", errno);
	if (rc < 0)
		close(fd);
	else
		s->lock = fd;
	return rc;
}

/* ---- files ---- */

int instant_state_ledger(struct instant_state *s, bool writes, struct diag *d)
{
	int flags = writes ? O_RDWR | O_APPEND | O_CREAT : O_RDONLY;
	int fd = s->folder.dir < 0 ? -1
	                           : openat(s->folder.dir, ledger_file, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	                                    FILE_MODE);

	if (fd < 0 && (s->folder.dir < 0 || errno == ENOENT))
		return -1;
	if (fd < 0)
		return sql_state_fault(d, ledger_file, "open", errno);
	if (filelock_names(fd, s->folder.dir, ledger_file) && (!writes || fsync(s->folder.dir) == 0))
		return fd;
	close(fd);
	return foreign(ledger_file, d);
}

static int open_folder(const struct instant_state *s, const char *folder)
{
	return s->folder.dir < 0 ? -1
	                         : openat(s->folder.dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int write_whole(int dir, const char *temp, const char *name, const char *text, size_t n, struct diag *d)
{
	int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE), rc = 0;

	if (fd < 0)
		return sql_state_fault(d, name, "write", errno);
	if (io_write(fd, text, n) < 0 || fsync(fd) < 0)
		rc = sql_state_fault(d, name, "write", errno);
	close(fd);
	if (rc == 0 && (renameat(dir, temp, dir, name) < 0 || fsync(dir) < 0))
		rc = sql_state_fault(d, name, "write", errno);
	if (rc < 0)
		unlinkat(dir, temp, 0);
	return rc;
}

int instant_state_put(struct instant_state *s, const char *folder, const char *name, const char *text, size_t n,
                      struct diag *d)
{
	int dir = open_folder(s, folder);
	char *temp = xasprintf("%s.tmp", name);
	int rc = dir < 0 ? sql_state_fault(d, folder, "open", errno) : write_whole(dir, temp, name, text, n, d);

	if (dir >= 0)
		close(dir);
	free(temp);
	return rc;
}

int instant_state_get(const struct instant_state *s, const char *folder, const char *name, struct buf *out,
                      struct diag *d)
{
	int dir = open_folder(s, folder);
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err = errno, rc = 1;
	struct stat st;

	if (dir >= 0)
		close(dir);
	if (fd < 0)
		return s->folder.dir < 0 || err == ENOENT ? 0 : sql_state_fault(d, name, "open", err);
	buf_reset(out);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = foreign(name, d);
	else if (io_slurp(fd, out, (size_t)st.st_size, UINT32_MAX) < 0)
		rc = diag_add(d, MIG_ERROR, "io_failed", name, "cannot read: %s", strerror(errno));
	close(fd);
	if (!out->s)
		buf_reserve(out, 1), buf_setlen(out, 0);
	return rc;
}
