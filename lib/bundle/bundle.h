/*
 * bundle.h -- a folder that holds what a migration needs, and says so.
 *
 * Floor 10.  DIR/bundle.json names the file of every stage with its hash, and what
 * ties it to the one before:
 *
 *	{"bundle_hash":H,"format":1,"kind":"run","others":[],"stages":[
 *	 {"digest":H,"files":[{"file":"datasets/documents.ndjson","sha256":H,"size":9}],
 *	  "records":3,"stage":"extract"},..]}
 *
 * It holds no time, no host and no path outside of DIR: the same files give the same
 * bytes.  bundle_hash is over all of it, and so over every file.
 */
#ifndef MIG_BUNDLE_H
#define MIG_BUNDLE_H

#include "bundle-stage.h"

/*
 * Make the folders of the kind below dir where they lack, read what is in them and
 * write bundle.json; append a line a stage to page.  Stages may lack.  0, or -1
 * after findings, with bundle.json as it was: of bundle_files_read and
 * bundle_stage_read, and MIG_INVALID "bundle_ambiguous" (several files for one
 * stage), "bundle_chain" (a stage that is not of the one before).
 */
int bundle_seal(int dir, enum bundle_kind kind, struct buf *page, struct diag *d);

/* What was found to be whole. */
struct bundle {
	enum bundle_kind kind;
	char hash[HEX_SIZE];
	char digest[HEX_SIZE]; /* of the plans' end; "" for a kind that has no plans */
};

/*
 * Recompute all that the bundle in the folder name says: 0, or -1 after findings.
 * MIG_PRECONDITION: "bundle_missing" (no bundle.json), "bundle_file_missing",
 * "bundle_incomplete" (a stage that its kind needs).  MIG_INVALID:
 * "bundle_hash", "bundle_file_changed", "bundle_file_unknown", "bad_bundle", and
 * those of bundle_seal.
 */
int bundle_check(struct bundle *b, const char *name, struct diag *d);

#endif
