/*
 * fs-lock.h -- the one writer's lock of a store.
 *
 * Floor 8.
 */
#ifndef MIG_FS_LOCK_H
#define MIG_FS_LOCK_H

#include "fs-state.h"

/*
 * Make .mig and .mig/lock where they lack, take the lock, waiting up to seconds,
 * and write holder (one line of JSON) into it: 0 and s->lock, or -1 after
 * MIG_PRECONDITION "locked" that shows who holds it.
 */
int fs_lock(struct fs_state *s, unsigned seconds, const char *holder, struct diag *d);

#endif
