/*
 * transform.h -- take documents along the hops of a set.
 *
 * Floor 13.  Pure: reads records, touches nothing.
 */
#ifndef MIG_TRANSFORM_H
#define MIG_TRANSFORM_H

#include "set.h"
#include "stream.h"

struct transform_ask {
	const struct set *set;
	const char *target;
	bool check_paths; /* every path to the target must lead to the same document */
};

/*
 * Read documents from in and write a change, a current or a reject for each to
 * out, everything else unchanged and in order.  A change carries patch and undo,
 * both executed and compared before it is written.  0, or -1 after a finding: a
 * broken stream, a document whose hash does not hold (MIG_INVALID
 * "hash_mismatch"), an invalid or impure program (MIG_INVALID).  The process may
 * also end with MIG_INVALID after a fault "jq_died": see jqrun_guard.
 *
 * With check_paths, a document on which the paths do not agree is a finding of
 * MIG_INVALID "paths_differ" and gives no record; all documents are looked at,
 * then the end is left out.  Too many paths: MIG_INVALID "too_many_paths".
 */
int transform_run(const struct transform_ask *ask, struct stream *in, struct out *out, struct diag *d);

#endif
