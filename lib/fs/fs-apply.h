/*
 * fs-apply.h -- do what a plan says to a folder of documents, or nothing.
 *
 * Floor 13.  Seven steps, in an order that a crash at any instant survives:
 * (1) check all, (2) store the plan and begin, (3) write the new files, (4) keep
 * the originals and sync, (5) exchange, (6) sync, (7) commit.  Until the commit
 * is on the disk the originals stay at hand in .mig/tmp, so that an error undoes
 * what was done without needing room.
 */
#ifndef MIG_FS_APPLY_H
#define MIG_FS_APPLY_H

#include "fs.h"
#include "store.h"

/*
 * Undo the plan p, which a killed run began: inverse holds its documents as
 * steps that restore, numbered as in p.  All or nothing, as fs_apply; ends with
 * the ledger's undo.  0, or -1 after findings.
 */
int fs_apply_undo(struct fs *fs, const struct plan *inverse, const struct apply_ctx *c, struct diag *d);

/* See the apply of store.h. */
int fs_apply(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d);

/* See the check of store.h. */
int fs_check(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d);

#endif
