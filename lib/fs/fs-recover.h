/*
 * fs-recover.h -- clear away what a killed run left in .mig/tmp.
 *
 * Floor 12.
 */
#ifndef MIG_FS_RECOVER_H
#define MIG_FS_RECOVER_H

#include "fs.h"
#include "store.h"

/* Part of the recover of store.h: 0, or -1 after MIG_INVALID "conflict"; a warning "recovered" counts what went. */
int fs_recover(struct fs *fs, const struct apply_ctx *c, struct diag *d);

#endif
