/*
 * fs-orphans.h -- the links of a folder that lead nowhere.
 *
 * Floor 11.
 */
#ifndef MIG_FS_ORPHANS_H
#define MIG_FS_ORPHANS_H

#include "fs-root.h"

/*
 * See the orphans of store.h.  Looks where a link leads and opens nothing there;
 * one that leads to something outside the root is no orphan.
 */
int fs_orphans(const struct fs_root *r, int (*each)(void *arg, struct text ref, struct text target), void *arg,
               struct diag *d);

#endif
