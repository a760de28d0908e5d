/*
 * fs-state.h -- what is ours below a root: .mig and all that is in it.
 *
 * Floor 7.  fs-lock takes the lock, fs-stored keeps plans and objects.
 *
 *	.mig/lock              the one writer, and his name
 *	.mig/ledger.ndjson     what was done
 *	.mig/plans/H.json      the plans that were begun, by plan_hash
 *	.mig/objects/H         original files, by the SHA-256 of their bytes
 *	.mig/tmp/H16.N         the new file of step N of the plan whose hash begins with H16;
 *	                       after the exchange the displaced original, until the commit;
 *	                       .mig/tmp/H16.N.undo while that is being exchanged back
 *	.mig/conflicts/        files that somebody put in our way
 *	.mig/trust/            keys, *.pem, whose signatures count; made by hand
 */
#ifndef MIG_FS_STATE_H
#define MIG_FS_STATE_H

#include "fs-root.h"
#include "relay.h"

#define FS_LEDGER FS_STATE "/ledger.ndjson"
#define FS_TRUST FS_STATE "/trust"

enum { FS_STATE_FILE_MODE = 0600 };

struct fs_state {
	const struct fs_root *root; /* borrowed */
	int mig, plans, objects, tmp, conflicts, lock; /* folders and the lock file; -1: not open */
	bool denied;                /* .mig is there, but we may not look into it */
	struct buf scratch;         /* room for reading */
	int link_way;               /* fs-file's: how an open file gets a second name here */
	const struct relay *relay;  /* who syncs for this process, or NULL: itself */
};

#define FS_STATE_INIT { .mig = -1, .plans = -1, .objects = -1, .tmp = -1, .conflicts = -1, .lock = -1 }

/*
 * Look at what is there and make nothing: 0, or -1 after MIG_PRECONDITION
 * "foreign_state" (a link, a file in a folder's place).  One that may not be
 * looked into is no finding until something in it is asked for.
 */
int fs_state_open(struct fs_state *s, const struct fs_root *root, struct diag *d);

/* Look again for what lacked then: another process may have made it since.  0, or -1 as above. */
int fs_state_look(struct fs_state *s, struct diag *d);
void fs_state_close(struct fs_state *s);

/*
 * Open the folders anew: a disk error is reported once for each time that a
 * file was opened, and what a fork has inherited counts as its parent's.  The
 * lock stays shared.
 */
int fs_state_reopen(struct fs_state *s, struct diag *d);

/* Make .mig itself, where it lacks; what lacks in it, holding the lock (see fs-lock.h): 0, or -1 after a finding. */
int fs_state_make_top(struct fs_state *s, struct diag *d);
int fs_state_make(struct fs_state *s, struct diag *d);

/*
 * Open a regular file in .mig, which messages call shown: its descriptor; or -1
 * with *err, ENOENT without a finding, else after one ("foreign_state" for a link
 * and whatever else is not a file of ours).
 */
int fs_state_file(const struct fs_state *s, const char *name, const char *shown, int flags, int *err, struct diag *d);

/* Replace out by a regular file of one of our folders, -1 where that lacks: 1, 0 if absent, -1 after a finding. */
int fs_state_read(const struct fs_state *s, int dir, const char *name, const char *shown, struct buf *out,
                  struct diag *d);

/* The ledger's descriptor, made if create; -1 with *err = ENOENT, or after a finding. */
int fs_state_ledger(struct fs_state *s, bool create, int *err, struct diag *d);

/*
 * Call each for every .mig/trust/NAME.pem, in byte order: 1, 0 if there is no
 * such folder, -1 after a finding (MIG_PRECONDITION for what cannot be read, a
 * link included) or because each returned -1.
 */
int fs_state_trust(struct fs_state *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                   struct diag *d);

/*
 * Move .mig/tmp/name to .mig/conflicts, under a name that is free there: 0 and
 * the path below the root in *kept (new), or -1 after a finding.
 */
int fs_state_keep(const struct fs_state *s, const char *name, char **kept, struct diag *d);

/* Wait until everything is on the disk: 0, or -1 after MIG_ERROR "sync_failed". */
int fs_state_sync(const struct fs_state *s, struct diag *d);

#endif
