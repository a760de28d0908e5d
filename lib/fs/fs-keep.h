/*
 * fs-keep.h -- the original of a document under other names: its object and its backup.
 *
 * Floor 10.  Hard links where the file system has them, else copies.
 */
#ifndef MIG_FS_KEEP_H
#define MIG_FS_KEEP_H

#include "fs-file.h"

/* Give the original bytes a second name in .mig/objects: 0, or -1 after a finding. */
int fs_keep_original(struct fs_state *s, struct fs_file *f, struct diag *d);

/*
 * And a third beside the file, as the plan asks for it.  An existing backup is
 * never overwritten: one with the same bytes will do, and is ours only where it
 * stood as such; else the next name is tried; MIG_PRECONDITION "backup_exists"
 * if both are taken.
 */
int fs_keep_backup(struct fs_state *s, struct fs_file *f, struct diag *d);

/* Is there anything by that name beside f?  Its folder must be open: see fs_file_parent. */
bool fs_backup_exists(const struct fs_file *f, const char *name);

/* Is it another name of the original, or a file with the bytes of raw? */
bool fs_backup_holds(struct fs_state *s, const struct fs_file *f, const char *name, const char *raw);

/* Remove the backup of that name: 0, or -1 and errno. */
int fs_backup_remove(const struct fs_file *f, const char *name);

#endif
