/*
 * backups.h -- would the copy that is kept beside a document be a document itself?
 *
 * Floor 8.  A set whose match is ["*"] and whose backup_suffix is ".bak" would
 * migrate its own backups at the next run; it is refused.
 */
#ifndef MIG_BACKUPS_H
#define MIG_BACKUPS_H

#include "fs-glob.h"
#include "set.h"

struct backups {
	const char *suffix; /* NULL: the set keeps none, or none that could be a document */
	struct glob glob;
	unsigned char *on, *next;
	struct buf path;
};

/* Borrows s.  Needs backups_release. */
void backups_init(struct backups *b, const struct set *s);
void backups_release(struct backups *b);

/* 0, or -1 after MIG_INVALID "bad_set" where the set takes the backup of the document at ref for a document. */
int backups_check(struct backups *b, struct text ref, struct diag *d);

#endif
