/*
 * instant-state.h -- what is ours of an app: a folder beside nothing, as the app keeps no ledger.
 *
 * Floor 9.
 *
 *	STATE/lock             the one writer, and his name
 *	STATE/ledger.ndjson    what was done
 *	STATE/plans/H.json     the plans that were begun, by plan_hash
 *	STATE/backups/         what batches found: see instant-backup.h
 *	STATE/trust/           keys, *.pem, whose signatures count; made by hand
 */
#ifndef MIG_INSTANT_STATE_H
#define MIG_INSTANT_STATE_H

#include "sql-state.h"

struct instant_state {
	struct sql_state folder;
	int lock; /* -1: not held */
};

#define INSTANT_STATE_INIT { .folder = SQL_STATE_INIT, .lock = -1 }

/*
 * Look for the folder, which must be there if must: 0, or -1 after
 * MIG_PRECONDITION "no_state" where path is NULL, "state_missing".
 */
int instant_state_open(struct instant_state *s, const char *path, bool must, struct diag *d);
void instant_state_release(struct instant_state *s);

/* Give up whatever else could be written; servers may still be spoken to if connects. */
int instant_state_confine(const struct instant_state *s, bool writes, struct diag *d);

/* Make what lacks, and take the lock: as fs_lock. */
int instant_state_lock(struct instant_state *s, unsigned seconds, const char *holder, struct diag *d);

/* The ledger, made if writes: a descriptor; -1 and no finding where there is none, or after a finding: see d->n. */
int instant_state_ledger(struct instant_state *s, bool writes, struct diag *d);

/* A file below STATE/folder, whole or not at all: 0 once it is on the disk, or -1 after a finding. */
int instant_state_put(struct instant_state *s, const char *folder, const char *name, const char *text, size_t n,
                      struct diag *d);

/* Replace out by a file below STATE/folder: 1, 0 if there is none, -1 after a finding. */
int instant_state_get(const struct instant_state *s, const char *folder, const char *name, struct buf *out,
                      struct diag *d);

#endif
