/*
 * fs-revert.h -- after an error: take back what was done of a plan, or say what is left.
 *
 * Floor 12.
 */
#ifndef MIG_FS_REVERT_H
#define MIG_FS_REVERT_H

#include "fs-run.h"

/*
 * After fs_work has failed: put back every original, last first, give up what
 * was staged, and say so in the ledger.  Where some cannot be put back, the plan
 * stays begun for the next run, MIG_ERROR "not_undone".  If the disk did not
 * confirm the exchange nothing more is written, and MIG_ERROR "unconfirmed"
 * says what is not known.
 */
void fs_revert(struct fs_run *r);

#endif
