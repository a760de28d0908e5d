/*
 * fs-prune.h -- drop stored plans, and the originals that only they needed.
 *
 * Floor 12.
 */
#ifndef MIG_FS_PRUNE_H
#define MIG_FS_PRUNE_H

#include "fs.h"
#include "store.h"

/*
 * See the prune of store.h; the ledger is open, unless there is none.  The
 * ledger's entry is on the disk before anything goes: a run that is killed in
 * between has pruned the plans, and the next one removes what it left.
 */
int fs_prune(struct fs *fs, const char *before, const struct apply_ctx *c,
             int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg, struct store_pruned *p,
             struct diag *d);

#endif
