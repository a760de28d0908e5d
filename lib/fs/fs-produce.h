/*
 * fs-produce.h -- the new bytes of a document, beside its old ones.
 *
 * Floor 11.  They wait in fs->arena, from the check of the plan to its writing,
 * while there is room; there they are at f->old_at, and from f->at on.
 */
#ifndef MIG_FS_PRODUCE_H
#define MIG_FS_PRODUCE_H

#include "fs-file.h"
#include "fs.h"

/*
 * Make the new bytes of the document f, whose bytes were just read into
 * fs->bytes; time is that of its history entry.  f->kept where both stay in the
 * arena, else it is only proven that the new ones can be made.  0, or -1 after a
 * finding: MIG_PRECONDITION "object_missing", or what effect_forward finds.
 */
int fs_produce(struct fs *fs, const struct plan *p, const char *time, struct fs_file *f, struct diag *d);

/*
 * Make them once more, at f->at, from the open file of a document that was not
 * kept: 0, or -1 after a finding, MIG_INVALID "drift" if it has other bytes by now.
 */
int fs_produce_again(struct fs *fs, const struct plan *p, const char *time, struct fs_file *f, struct diag *d);

/* Give up what fs_produce_again has made. */
void fs_produce_forget(struct fs *fs, struct fs_file *f);

#endif
