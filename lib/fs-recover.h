/*
 * fs-recover.h -- clear away what a killed run left in .mig/tmp.
 *
 * Floor 11.
 */
#ifndef MIG_FS_RECOVER_H
#define MIG_FS_RECOVER_H

#include "fs.h"
#include "store.h"

/* See the recover of store.h. */
int fs_recover(struct fs *fs, const struct apply_ctx *c, struct diag *d);

#endif
