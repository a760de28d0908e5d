/*
 * fs-claims.h -- which backups beside documents are ours, by the ledger.
 *
 * Floor 10.  A plan's begin, commit and undo name those that apply has made, or
 * is about to; only these are removed.
 *
 *	{"backups":["a.json.bak","d/b.json.bak.1.0.0"],"event":"commit",..}
 */
#ifndef MIG_FS_CLAIMS_H
#define MIG_FS_CLAIMS_H

#include "fs-file.h"
#include "ledger.h"

struct fs_claims {
	char **ref;  /* sorted */
	size_t n;
	bool open;   /* the plan was begun and never ended, or undone: they were left by that */
};

/* What the ledger's last word on a plan claims, into c: 0, or -1 after a finding; c is then empty. */
int fs_claims_read(struct fs_claims *c, struct ledger *l, const char *plan_hash, struct diag *d);
void fs_claims_release(struct fs_claims *c);

/* Is the file of that name beside f one of them? */
bool fs_claims_has(const struct fs_claims *c, const struct fs_file *f, const char *name);

/* The canonical list of the n files' backups that are ours: new. */
char *fs_claims_list(const struct fs_file *f, size_t n);

#endif
