/*
 * fs-file.h -- one document of a plan, from the check to the exchange.
 *
 * Floor 9.  Whatever happens between two calls, the document has either its old
 * or its new bytes, and the old ones also stand in .mig/objects before the
 * exchange.
 */
#ifndef MIG_FS_FILE_H
#define MIG_FS_FILE_H

#include "fs-state.h"
#include "plan.h"

#define FS_UNDO ".undo" /* behind the name of a temporary file that is being exchanged back */

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
	size_t at, len;          /* the new bytes in the caller's arena, if kept */
	bool kept;
	char temp[32];           /* its name in .mig/tmp */
	char *backup;            /* the name of its backup beside it, or NULL */
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

/* Give the original bytes a second name in .mig/objects: a hard link, or a copy where links are not possible. */
int fs_file_keep(struct fs_state *s, struct fs_file *f, struct diag *d);

/* And a third beside the file, if the plan asks for it; an existing one is never overwritten. */
int fs_file_back_up(struct fs_state *s, struct fs_file *f, struct diag *d);

/* The name of the backup with these bytes, <name><suffix> or <name><suffix>.<from>: new, or NULL. */
char *fs_file_find_backup(struct fs_state *s, const struct fs_file *f, const char *raw);

/* Is there anything by either of the two names? */
bool fs_file_has_backup(const struct fs_file *f);

/* Remove the backup of that name: 0, or -1 and errno. */
int fs_file_remove_backup(const struct fs_file *f, const char *name);

/*
 * Put the staged file in the original's place.  FS_CONFLICT: something else than
 * the original was displaced; it is in *kept (new), and the new file in its
 * place.  FS_FAILED: there is a finding, and nothing was changed unless
 * f->exchanged says so; first: nothing was exchanged before either.
 */
enum fs_result { FS_OK, FS_FAILED, FS_CONFLICT };
enum fs_result fs_file_exchange(struct fs_state *s, struct fs_file *f, bool first, char **kept, struct diag *d);

/* Put the original back: the inverse, with the same results; there is a finding unless FS_OK. */
enum fs_result fs_file_undo(struct fs_state *s, struct fs_file *f, char **kept, struct diag *d);

/* Remove the temporary file; with undo also the object and backup that were made, if the original is in its place. */
void fs_file_forget(struct fs_state *s, struct fs_file *f, bool undo);

#endif
