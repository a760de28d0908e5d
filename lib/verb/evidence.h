/*
 * evidence.h -- do the files beside the documents bear out what the documents say of them?
 *
 * Floor 13.  Reads the store, never writes.
 */
#ifndef MIG_EVIDENCE_H
#define MIG_EVIDENCE_H

#include "set.h"
#include "store.h"
#include "stream.h"

/*
 * Recompute what set->evidence declares for every document of the set, and look
 * for links that lead nowhere.  Writes verdicts without a plan, each of at most
 * 500 findings, and the end.  strict: warnings count.
 *
 * 0, or -1 after findings of MIG_INVALID: "file_missing", "file_refused",
 * "file_changed", "file_size", "files_hash", "files_id", "evidence_malformed",
 * "orphaned_symlink", the codes of store.h for documents that cannot be read,
 * and "malformed".  "legacy_unverifiable" is a warning.  All documents are
 * looked at.  A set that declares nothing is "bad_set".
 */
int evidence_run(struct store *s, const struct set *set, bool strict, struct out *out, struct diag *d);

#endif
