/*
 * fs-inverse.h -- what undoes a plan that a killed run began.
 *
 * Floor 11.
 */
#ifndef MIG_FS_INVERSE_H
#define MIG_FS_INVERSE_H

#include "fs.h"

#define FS_REDO ".r" /* behind the name of a temporary file of such a plan's undoing */

/* The plan once more, its steps turned into ones that restore; the last first, numbered as the plan's are. */
struct fs_inverse {
	struct plan plan;  /* borrows the plan's texts */
	struct step *step; /* as many as plan.nstep */
	char (*hex)[2][HEX_SIZE];
};

#define FS_INVERSE_INIT { .step = NULL }

/*
 * Fill v for p.  What a forward plan replaced is named in it; what a rollback
 * replaced, in the ledger's commit of the plan it undoes.  0, or -1 after
 * MIG_PRECONDITION "not_undoable" where the ledger does not know the bytes.
 */
int fs_inverse_init(struct fs_inverse *v, struct fs *fs, const struct plan *p, struct diag *d);
void fs_inverse_release(struct fs_inverse *v);

/* The step for the document of the plan's step number index, or NULL. */
const struct step *fs_inverse_step(const struct fs_inverse *v, int64_t index);

#endif
