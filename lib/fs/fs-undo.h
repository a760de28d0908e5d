/*
 * fs-undo.h -- what killed runs have begun and not ended: name it, or undo it.
 *
 * Floor 14.
 */
#ifndef MIG_FS_UNDO_H
#define MIG_FS_UNDO_H

#include "fs.h"
#include "store.h"

/*
 * Look for plans that were begun and neither ended nor undone.  Each is a
 * warning "unfinished"; where c says STORE_UNDO it is undone, the last one
 * first, and the warning is "undone".  0, or -1 after a finding: nothing of the
 * plan that it names was changed, and those before it are as they were.
 */
int fs_undo(struct fs *fs, const struct apply_ctx *c, struct diag *d);

#endif
