/*
 * against.h -- the plans of a file, which those of a stream must equal one by one.
 *
 * Floor 7.  Pure.
 */
#ifndef MIG_AGAINST_H
#define MIG_AGAINST_H

#include "complaint.h"

/* Where nothing was read, every plan is fine. */
struct against {
	const char *file; /* borrowed; NULL: nothing was read */
	char **want;      /* plan hashes in order */
	size_t nwant, seen;
};

void against_release(struct against *a);

/*
 * Read the plans in the text of file; other kinds of records are passed over.
 * a is zero before.  0, or -1 after a finding at file: MIG_USAGE "not_json", MIG_INVALID
 * "plan_hash_integrity_failed" for a plan that was changed.
 */
int against_read(struct against *a, const char *file, const struct buf *text, struct diag *d);

/* The next plan has this hash: a complaint "plan_hash_mismatch" if the file has another there, or none. */
void against_check(struct against *a, const char *hash, struct complaints *found);

/* After the last: a finding of MIG_INVALID "plan_hash_mismatch" if the file has more. */
void against_finish(const struct against *a, struct diag *d);

#endif
