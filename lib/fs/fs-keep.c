/* fs-keep.c -- see fs-keep.h */
#include "fs-keep.h"

#include "fs-stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How an open file gets a second name; each is tried until one works, and remembered in the state. */
enum { LINK_FD, LINK_PROC, LINK_NAME, LINK_COPY };

/* Give the file a second name by that name, then make sure that it was that file: 0, or -1 and errno. */
static int link_by_name(const struct fs_file *f, int dir, const char *name)
{
	if (linkat(f->parent, f->base, dir, name, 0) < 0)
		return -1;
	if (fs_file_is(dir, name, &f->st))
		return 0;
	unlinkat(dir, name, 0);
	errno = ESTALE;
	return -1;
}

/* An errno of link that another way of linking would not mend. */
static bool is_final(int err)
{
	return err == EEXIST || err == ESTALE || err == ENOSPC || err == EDQUOT || err == EROFS || err == EIO;
}

/* Link the open original to dir/name: 0, or -1 and errno; EOPNOTSUPP where it must be copied. */
static int link_file(struct fs_state *s, const struct fs_file *f, int dir, const char *name)
{
	char proc[32];

	for (int way = s->link_way; way < LINK_COPY; way++) {
		int rc = -1;

		if (way == LINK_FD) {
			rc = linkat(f->fd, "", dir, name, AT_EMPTY_PATH);
		} else if (way == LINK_PROC) {
			snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
			rc = linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW);
		} else {
			rc = link_by_name(f, dir, name);
		}
		if (rc == 0) {
			s->link_way = way;
			return 0;
		}
		/* ENOENT: no right to link by descriptor, no /proc, or the last name of the file is gone */
		if (is_final(errno))
			return -1;
		if (way == LINK_NAME && errno == ENOENT) {
			errno = ESTALE;
			return -1;
		}
	}
	errno = EOPNOTSUPP;
	return -1;
}

/* Read the original into the scratch buffer: its bytes must still be those of the check. */
static int read_original(struct fs_state *s, const struct fs_file *f, struct diag *d)
{
	char is[HEX_SIZE];

	if (fs_read_all(f->fd, &s->scratch, f->st.stx_size) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", f->ref, "cannot read: %s", strerror(errno));
	digest_hex(s->scratch.s, s->scratch.len, is);
	return strcmp(is, f->raw) == 0 ? 0 : fs_file_drifted(d, f, "changed");
}

/* Copy the original to dir/name, which appears whole and on the disk: 0, 1 if there is one already, -1. */
static int copy_file(struct fs_state *s, const struct fs_file *f, int dir, const char *name, bool like, struct diag *d)
{
	char temp[48];
	struct statx fresh;

	snprintf(temp, sizeof temp, "%s.copy", f->temp);
	if (read_original(s, f, d) < 0 ||
	    fs_file_put(s, f, temp, s->scratch.s, s->scratch.len, like ? &fresh : NULL, true, d) < 0)
		return -1;
	int rc = fs_rename_new(s->tmp, temp, dir, name);

	if (rc == 0)
		return 0;
	int err = errno;

	unlinkat(s->tmp, temp, 0);
	return err == EEXIST ? 1 : fs_fault(d, f->ref, "keep its original", err, false);
}

/* Link, or else copy: 0, 1 if there is such a name already, -1. */
static int second_name(struct fs_state *s, const struct fs_file *f, int dir, const char *name, bool like,
                       struct diag *d)
{
	if (link_file(s, f, dir, name) == 0)
		return 0;
	if (errno == EEXIST)
		return 1;
	if (errno == EOPNOTSUPP)
		return copy_file(s, f, dir, name, like, d);
	return errno == ESTALE ? fs_file_drifted(d, f, "replaced or removed")
	                       : fs_fault(d, f->ref, "keep its original", errno, false);
}

int fs_keep_original(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	int rc = second_name(s, f, s->objects, f->raw, false, d);

	if (rc == 0)
		f->made_object = true;
	if (rc <= 0 || fs_file_is(s->objects, f->raw, &f->st))
		return rc < 0 ? -1 : 0;
	/* another document had the same bytes: they must still be there */
	rc = fs_stored_object(s, f->raw, &s->scratch, d);
	return rc == 1 ? 0 : rc == 0 ? diag_add(d, MIG_ERROR, "io_failed", f->ref, "its object vanished") : -1;
}

bool fs_backup_holds(struct fs_state *s, const struct fs_file *f, const char *name, const char *raw)
{
	return fs_file_is(f->parent, name, &f->st) || fs_file_holds(s, f->parent, name, raw);
}

int fs_keep_backup(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	for (int versioned = 0; versioned < 2; versioned++) {
		char *name = fs_file_backup(f, versioned);
		int rc = second_name(s, f, f->parent, name, true, d);

		if (rc == 0 || (rc == 1 && fs_backup_holds(s, f, name, f->raw))) {
			/* one that somebody else has made is used, but stays theirs */
			bool stood = f->stood && strcmp(f->backup, name) == 0;

			f->ours = f->made_backup = rc == 0 || stood;
			free(f->backup);
			f->backup = name;
			return 0;
		}
		free(name);
		if (rc < 0)
			return -1;
	}
	f->ours = false;
	return diag_add(d, MIG_PRECONDITION, "backup_exists", f->ref,
	                "both names for its backup are taken by other bytes, and a backup is never overwritten");
}

bool fs_backup_exists(const struct fs_file *f, const char *name)
{
	return faccessat(f->parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int fs_backup_remove(const struct fs_file *f, const char *name)
{
	return unlinkat(f->parent, name, 0);
}
