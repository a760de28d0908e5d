/*
 * fs-root.h -- a folder of documents: refs, paths, and opening below it.
 *
 * Floor 6.  No path below the root is ever followed through a symbolic link,
 * above the root, or into /proc's magic links.
 *
 * A ref is the path below the root with bytes that are not UTF-8, controls and
 * "%" written as %XX:  a/50%.json is the ref a/50%25.json.
 */
#ifndef MIG_FS_ROOT_H
#define MIG_FS_ROOT_H

#include "record.h"

#include <sys/stat.h>

#define FS_STATE ".mig" /* what is ours, directly below the root */

struct fs_root {
	int fd;       /* the folder, opened for reading */
	char *name;   /* as the operator spelled it */
	bool beneath; /* the kernel has openat2 */
	struct statx st;
};

#define FS_ROOT_INIT { .fd = -1 }

/* Open dir, itself possibly reached through links: 0, or -1 after MIG_PRECONDITION "store_missing". */
int fs_root_open(struct fs_root *r, const char *dir, struct diag *d);
void fs_root_release(struct fs_root *r);

/*
 * open(2) for a relative path below the folder at, which is the root or a
 * folder below it; O_CLOEXEC, O_NOCTTY and O_NONBLOCK (so that a fifo cannot
 * hang us) are added.  A descriptor, or -1 and errno: ELOOP for a link anywhere.
 */
int fs_open(const struct fs_root *r, int at, const char *path, int flags, mode_t mode);

/* Append name with the bytes that a ref may not hold escaped; a "/" stays. */
void fs_escape(struct buf *out, const char *name, size_t n);

/* The inverse: append the bytes that a ref, or a part of one, stands for. */
void fs_unescape(struct buf *out, struct text ref);

/*
 * Append the path that ref stands for, NUL-ended by the pad: 0, or -1 after
 * MIG_INVALID "bad_ref" if ref is not exactly the escaped form of a path of
 * plain names, or leads into our own folder.
 */
int fs_path(struct buf *out, struct text ref, struct diag *d);

/* Replace what is in b by the whole of fd, which holds about size bytes: 0, or -1 and errno (EFBIG: 4 GiB and more). */
int fs_read_all(int fd, struct buf *b, size_t size);

/* statx(2) of an open file: 0, or -1 and errno. */
int fs_stat(int fd, struct statx *st);

/* Do two stats speak of the same inode? */
bool fs_same(const struct statx *a, const struct statx *b);

/* Are they reached through the same mount, so that a rename can lead from one to the other? */
bool fs_same_mount(const struct statx *a, const struct statx *b);

/* Rename to a name that nothing has yet: 0, or -1 and errno, EEXIST if something has. */
int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to);

/*
 * Add errno err of verb ("create", "rename") at where and return -1.  While
 * nothing has been exchanged, what the operator can mend (full, read-only,
 * forbidden) is MIG_PRECONDITION; everything else is MIG_ERROR.
 */
int fs_fault(struct diag *d, const char *where, const char *verb, int err, bool exchanged);

#endif
