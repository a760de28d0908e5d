/*
 * fs-run.h -- one plan on its way into a folder: what is known of it so far.
 *
 * Floor 11.  fs-judge fills it in, fs-work carries it out, fs-revert takes back
 * what was done; fs-apply says which of them, in which order.
 */
#ifndef MIG_FS_RUN_H
#define MIG_FS_RUN_H

#include "fs-claims.h"
#include "fs.h"
#include "store.h"

struct fs_run {
	/* borrowed */
	struct fs *fs;
	const struct plan *plan;
	const struct apply_ctx *ctx;
	struct outcome *outcome;
	struct diag *d;
	struct fs_file *file; /* one a step */
	size_t n, todo;       /* steps; those of them that are not done yet */
	struct fs_claims claims; /* the backups that the plan, or the one that it undoes, has made */
	char time[LEDGER_TIME_SIZE];
	int64_t start;        /* moment_ticks() */
	bool undoing;         /* what a killed run has begun: the ledger's begin is there, its undo is the end */
	bool begun;           /* the ledger says so, and this run is to say what became of it */
	bool exchanged;       /* a document has its new bytes */
	bool sync_lost;       /* nobody knows what is on the disk: write nothing more */
	size_t failed;        /* the step that failed, or n */
	size_t conflict;      /* the step that met somebody else's file, or n */
};

/* Ready to be judged; needs fs_run_release, which closes the documents. */
void fs_run_init(struct fs_run *r, struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                 struct diag *d);
void fs_run_release(struct fs_run *r);

/* Close document i, to be opened again when it is needed, unless there are descriptors enough for it to stay open. */
void fs_run_close(struct fs_run *r, size_t i);

/* Step i has failed; the message of the last finding of d becomes that of its outcome. */
void fs_run_failed(struct fs_run *r, size_t i, const struct diag *d);

/* Was the run told to stop?  0, or -1 after MIG_ERROR "interrupted". */
int fs_run_interrupted(struct fs_run *r);

/* Milliseconds since fs_run_init; 0 where the time is fixed. */
int64_t fs_run_elapsed(const struct fs_run *r);

/* An entry of this plan for the ledger, to be completed and appended; borrows from r. */
struct entry fs_run_entry(const struct fs_run *r, const char *event);

/*
 * Append e, or the plain entry of an event, with the backups that are ours if
 * the plan makes any.  It reaches the disk with the next fs_run_sync_ledger.
 */
void fs_run_put(struct fs_run *r, struct entry *e);
void fs_run_append(struct fs_run *r, const char *event);

/*
 * Wait until the ledger, or all files, are on the disk: 0, or -1 after a
 * finding, with sync_lost where nobody knows what is there.
 */
int fs_run_sync_ledger(struct fs_run *r);
int fs_run_sync(struct fs_run *r);

#endif
