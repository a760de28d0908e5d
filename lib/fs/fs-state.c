/* fs-state.c -- see fs-state.h */
#include "fs-state.h"

#include "fs-names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700 };

static int foreign(struct diag *d, const char *name, const char *what)
{
	return diag_add(d, MIG_PRECONDITION, "foreign_state", name, "%s: refused, nothing of ours is kept there", what);
}

/* A link or another kind of file where one of ours should be, or errno as it is. */
static int refuse(struct diag *d, const char *name, int err)
{
	if (err == ELOOP || err == ENOTDIR || err == EISDIR || err == ENXIO)
		return foreign(d, name, err == ELOOP ? "a symbolic link" : "not what it should be");
	return fs_fault(d, name, "open", err, false);
}

/* Open a folder of ours, making it if make; *fd is -1 where it lacks. */
static int folder(const struct fs_state *s, int at, const char *path, const char *shown, bool make, int *fd,
                  struct diag *d)
{
	*fd = fs_open(s->root, at, path, O_RDONLY | O_DIRECTORY, 0);
	if (*fd < 0 && errno == ENOENT && make) {
		if (mkdirat(at, path, FOLDER_MODE) < 0 && errno != EEXIST)
			return fs_fault(d, shown, "make", errno, false);
		*fd = fs_open(s->root, at, path, O_RDONLY | O_DIRECTORY, 0);
		/* a default ACL that came from above would be passed on to every file made here */
		if (*fd >= 0)
			(void)fremovexattr(*fd, "system.posix_acl_default");
	}
	if (*fd < 0 && (errno != ENOENT || make))
		return refuse(d, shown, errno);
	return 0;
}

static int folders(struct fs_state *s, bool make, struct diag *d)
{
	if (s->mig < 0 && folder(s, s->root->fd, FS_STATE, FS_STATE, make, &s->mig, d) < 0)
		return -1;
	if (s->mig < 0)
		return 0;
	const struct {
		int *fd;
		const char *name, *shown;
	} all[] = {
		{ &s->plans, "plans", FS_STATE "/plans" },
		{ &s->objects, "objects", FS_STATE "/objects" },
		{ &s->tmp, "tmp", FS_STATE "/tmp" },
		{ &s->conflicts, "conflicts", FS_STATE "/conflicts" },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (*all[i].fd < 0 && folder(s, s->mig, all[i].name, all[i].shown, make, all[i].fd, d) < 0)
			return -1;
	return 0;
}

int fs_state_open(struct fs_state *s, const struct fs_root *root, struct diag *d)
{
	*s = (struct fs_state)FS_STATE_INIT;
	s->root = root;
	s->mig = fs_open(root, root->fd, FS_STATE, O_RDONLY | O_DIRECTORY, 0);
	s->denied = s->mig < 0 && errno == EACCES;
	return s->denied ? 0 : folders(s, false, d);
}

int fs_state_reopen(struct fs_state *s, struct diag *d)
{
	int *const fds[] = { &s->conflicts, &s->tmp, &s->objects, &s->plans, &s->mig };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	return folders(s, false, d);
}

int fs_state_look(struct fs_state *s, struct diag *d)
{
	return s->denied ? 0 : folders(s, false, d);
}

void fs_state_close(struct fs_state *s)
{
	int *const fds[] = { &s->lock, &s->conflicts, &s->tmp, &s->objects, &s->plans, &s->mig };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	buf_release(&s->scratch);
}

/* One rename must reach from every document to every folder of ours. */
static int same_mount(const struct fs_state *s, struct diag *d)
{
	const int fds[] = { s->mig, s->plans, s->objects, s->tmp, s->conflicts };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		struct statx st;

		if (fs_stat(fds[i], &st) < 0)
			return fs_fault(d, FS_STATE, "stat", errno, false);
		if (!fs_same_mount(&st, &s->root->st))
			return foreign(d, FS_STATE, "on another file system than the root");
	}
	return 0;
}

int fs_state_make_top(struct fs_state *s, struct diag *d)
{
	return s->mig < 0 ? folder(s, s->root->fd, FS_STATE, FS_STATE, true, &s->mig, d) : 0;
}

int fs_state_make(struct fs_state *s, struct diag *d)
{
	return folders(s, true, d) < 0 ? -1 : same_mount(s, d);
}

int fs_state_file(const struct fs_state *s, const char *name, const char *shown, int flags, int *err, struct diag *d)
{
	struct stat st;
	int fd = fs_open(s->root, s->mig, name, flags, FS_STATE_FILE_MODE);

	*err = fd < 0 ? errno : 0;
	if (fd < 0 && *err == ENOENT)
		return -1;
	if (fd < 0)
		return refuse(d, shown, *err);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return foreign(d, shown, "not a regular file");
}

/* Nothing in .mig can be asked for. */
static int denied(struct diag *d)
{
	return diag_add(d, MIG_PRECONDITION, "unreadable", FS_STATE, "no permission to read it");
}

int fs_state_ledger(struct fs_state *s, bool create, int *err, struct diag *d)
{
	int flags = create ? O_RDWR | O_APPEND : O_RDONLY;
	struct stat st;
	int fd = -1;

	*err = s->denied ? EACCES : ENOENT;
	if (s->mig < 0)
		return s->denied ? denied(d) : -1;
	fd = fs_state_file(s, "ledger.ndjson", FS_LEDGER, flags | (create ? O_CREAT : 0), err, d);
	/* its name, and the folders beside it, must outlive a power cut as surely as its entries */
	if (fd >= 0 && create && fstat(fd, &st) == 0 && st.st_size == 0 && fsync(s->mig) < 0) {
		*err = errno;
		close(fd);
		return diag_add(d, MIG_ERROR, "sync_failed", FS_STATE, "%s", strerror(*err));
	}
	return fd;
}

int fs_state_read(const struct fs_state *s, int dir, const char *name, const char *shown, struct buf *out,
                  struct diag *d)
{
	struct stat st;
	int fd = dir < 0 ? -1 : fs_open(s->root, dir, name, O_RDONLY, 0);
	int rc = 1;

	if (s->denied)
		return denied(d);
	if (fd < 0 && (dir < 0 || errno == ENOENT))
		return 0;
	if (fd < 0)
		return refuse(d, shown, errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = foreign(d, shown, "not a regular file");
	else if (fs_read_all(fd, out, (size_t)st.st_size) < 0)
		rc = diag_add(d, MIG_ERROR, "io_failed", shown, "cannot read: %s", strerror(errno));
	close(fd);
	return rc;
}

static bool is_pem(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".pem") == 0;
}

int fs_state_trust(struct fs_state *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                   struct diag *d)
{
	struct fs_names names;
	int dir = -1, rc = 1;

	if (s->denied)
		return denied(d);
	if (s->mig < 0 || folder(s, s->mig, "trust", FS_TRUST, false, &dir, d) < 0)
		return s->mig < 0 ? 0 : -1;
	if (dir < 0)
		return 0;
	if (fs_names(dir, &names) < 0)
		rc = fs_fault(d, FS_TRUST, "read", errno, false);
	for (size_t i = 0; rc == 1 && i < names.n; i++) {
		char *shown = xasprintf("%s/%s", FS_TRUST, names.name[i]);

		if (is_pem(names.name[i])) {
			buf_reset(&s->scratch);
			rc = fs_state_read(s, dir, names.name[i], shown, &s->scratch, d);
			/* gone since it was listed: better refused than trusted less than was meant */
			if (rc == 0)
				rc = diag_add(d, MIG_PRECONDITION, "missing_key", shown, "it has gone");
			if (rc == 1 && each(arg, shown, &s->scratch) < 0)
				rc = -1;
		}
		free(shown);
	}
	if (rc >= 0)
		rc = 1;
	fs_names_release(&names);
	close(dir);
	return rc;
}

int fs_state_keep(const struct fs_state *s, const char *name, char **kept, struct diag *d)
{
	char to[64];

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(to, sizeof to, i ? "%.40s.%u" : "%.40s", name, i);
		if (fs_rename_new(s->tmp, name, s->conflicts, to) == 0) {
			*kept = xasprintf("%s/conflicts/%s", FS_STATE, to);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return fs_fault(d, FS_STATE "/conflicts", "keep a displaced file", errno, true);
}

int fs_state_sync(const struct fs_state *s, struct diag *d)
{
	struct relay_answer a;

	if (s->relay)
		return s->relay->ask(s->relay->arg, RELAY_SYNC, true, NULL, 0, &a, d);
	if (syncfs(s->mig) == 0)
		return 0;
	return diag_add(d, MIG_ERROR, "sync_failed", s->root->name, "%s", strerror(errno));
}
