/*
 * fs-stored.h -- what a store keeps: the plans that were begun, and original files.
 *
 * Floor 8.
 */
#ifndef MIG_FS_STORED_H
#define MIG_FS_STORED_H

#include "fs-state.h"

/* Store a plan's text under its hash and wait for the disk: 0, or -1 after a finding. */
int fs_stored_put_plan(struct fs_state *s, const char *plan_hash, const char *text, size_t n, struct diag *d);

/* Append a stored plan's text: 1, 0 if there is none, -1 after a finding. */
int fs_stored_plan(const struct fs_state *s, const char *plan_hash, struct buf *out, struct diag *d);

/* The name of the one stored plan whose hash begins with 16 digits: 1, 0 if there is none or more than one, -1. */
int fs_stored_find_plan(const struct fs_state *s, const char *prefix, char plan_hash[HEX_SIZE], struct diag *d);

/*
 * Replace out by the bytes of an object: 1, 0 if there is none, -1 after a
 * finding (MIG_INVALID "object_damaged" if they have another hash).
 */
int fs_stored_object(const struct fs_state *s, const char *raw, struct buf *out, struct diag *d);

#endif
