/*
 * fs-judge.h -- what is to do of a plan, by what the documents are now.
 *
 * Floor 12.  Writes nothing.
 */
#ifndef MIG_FS_JUDGE_H
#define MIG_FS_JUDGE_H

#include "fs-run.h"

/*
 * Look at every document of the plan: what is to do is counted in r->todo, its
 * new bytes made; what is done is STEP_SKIPPED.  0, or -1 after findings for all
 * that is wrong, of which the first twenty are named: MIG_INVALID "drift" for a
 * document that is neither, what fs_file_replaceable and fs_produce find, and
 * MIG_PRECONDITION "pruned" where the plan to be undone was dropped.
 */
int fs_judge(struct fs_run *r);

#endif
