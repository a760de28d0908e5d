/*
 * fs-names.h -- the names in a folder.
 *
 * Floor 1.
 */
#ifndef MIG_FS_NAMES_H
#define MIG_FS_NAMES_H

#include "base.h"

struct fs_names {
	char **name; /* without "." and ".." */
	size_t n, cap;
};

/* The names in a folder, in byte order: 0, or -1 and errno.  Needs fs_names_release. */
int fs_names(int dir, struct fs_names *l);
void fs_names_release(struct fs_names *l);

#endif
