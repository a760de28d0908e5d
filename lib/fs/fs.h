/*
 * fs.h -- an open file store, as its verbs see it.
 *
 * Floor 10.
 */
#ifndef MIG_FS_H
#define MIG_FS_H

#include "effect.h"
#include "fs-state.h"
#include "ledger.h"

struct fs {
	struct fs_root root;
	struct fs_state state;
	struct ledger ledger;  /* open while the lock is held */
	char *user;            /* who runs this, for the ledger */
	size_t max_open;       /* documents of a plan whose descriptors may stay open */
	struct effect effect;
	struct buf bytes;      /* the document being looked at */
	struct buf arena;      /* the new bytes of a plan's documents */
};

#endif
