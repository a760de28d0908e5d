/*
 * fs-file.h -- one document of a plan: the file that was checked, and the new one for its place.
 *
 * Floor 9.  fs-keep gives the original more names, fs-exchange puts the new file
 * in its place.
 */
#ifndef MIG_FS_FILE_H
#define MIG_FS_FILE_H

#include "fs-state.h"
#include "plan.h"

struct fs_file {
	const struct step *step; /* borrowed */
	char *ref, *path;
	const char *base;        /* the last name in path */
	int parent, fd;          /* the folder and the original file; -1: closed for want of descriptors */
	bool borrows_parent;     /* the parent is closed by the file before */
	struct statx st;         /* the original file as it was checked */
	struct statx fresh;      /* the new one */
	char raw[HEX_SIZE];      /* SHA-256 of the original bytes */
	char written[HEX_SIZE];  /* SHA-256 of the new ones */
	bool todo;
	size_t old_at, at, len;  /* the old bytes and, behind them, the new ones in the caller's arena, if kept */
	bool kept;
	char temp[32];           /* its name in .mig/tmp */
	char *backup;            /* the name of its backup beside it, or NULL */
	bool ours, stood;        /* apply has made the backup or is about to; in an earlier run */
	bool staged, made_object, made_backup, exchanged, displaced; /* what was done so far */
};

/* Fill f for a step; index numbers its temporary file.  0, or -1 after MIG_INVALID "bad_ref". */
int fs_file_init(struct fs_file *f, const struct step *s, const char *plan_hash, struct diag *d);
void fs_file_release(struct fs_file *f);

/*
 * Open and stat the file, using the parent of the file before if it is the same
 * folder.  0, or -1 with *why: what stands there instead ("absent", "a symbolic
 * link"), which is drift; or NULL after a finding.
 */
int fs_file_open(const struct fs_root *r, struct fs_file *f, const struct fs_file *before, const char **why,
                 struct diag *d);

/* Close the descriptors, to be opened again by fs_file_again. */
void fs_file_close(struct fs_file *f);

/* Open the file again if it was closed, and see that it is the same: 0, or -1 after MIG_INVALID "drift". */
int fs_file_again(const struct fs_root *r, struct fs_file *f, struct diag *d);

/* Open its folder again, if that was closed: 0, or -1 and errno. */
int fs_file_parent(const struct fs_root *r, struct fs_file *f);

/*
 * Can the file be replaced at all?  Refuses hard links that are not ours
 * (MIG_INVALID "hard_linked"), other file systems, immutable files and folders
 * that cannot be written (MIG_PRECONDITION).
 */
int fs_file_replaceable(struct fs_state *s, const struct fs_file *f, struct diag *d);

/* Write n new bytes to its temporary file, with the original's owner, mode, ACL and attributes. */
int fs_file_stage(struct fs_state *s, struct fs_file *f, const char *text, size_t n, struct diag *d);

/* Make .mig/tmp/name with n bytes of text, like the original if fresh is not NULL, on the disk if sync: 0, or -1. */
int fs_file_put(const struct fs_state *s, const struct fs_file *f, const char *name, const char *text, size_t n,
                struct statx *fresh, bool sync, struct diag *d);

/* Is dir/name another name of the inode st? */
bool fs_file_is(int dir, const char *name, const struct statx *st);

/* Does the regular file dir/name hold the bytes with this hash? */
bool fs_file_holds(struct fs_state *s, int dir, const char *name, const char *raw);

/* The name for its backup: <name><suffix>, and with a version <name><suffix>.<from>: new. */
char *fs_file_backup(const struct fs_file *f, bool versioned);

/* Add MIG_INVALID "drift": what happened since it was checked.  Returns -1. */
int fs_file_drifted(struct diag *d, const struct fs_file *f, const char *what);

#endif
