/*
 * fs-work.h -- carry out a plan that was judged: steps (2) to (7) of fs-apply.h.
 *
 * Floor 12.
 */
#ifndef MIG_FS_WORK_H
#define MIG_FS_WORK_H

#include "fs-run.h"

/*
 * Do all that is to do.  0, or -1 after a finding; what was done by then is
 * fs_revert's to take back.
 */
int fs_work(struct fs_run *r);

/*
 * Where nothing is to do: see to what comes after the exchange, a commit that a
 * killed run has left out and backups that are not wanted any more.  0, or -1 after a finding.
 */
int fs_work_end(struct fs_run *r);

#endif
