/*
 * transform.h -- take documents along the hops of a set.
 *
 * Floor 12.  Pure: reads records, touches nothing.
 */
#ifndef MIG_TRANSFORM_H
#define MIG_TRANSFORM_H

#include "set.h"
#include "stream.h"

/*
 * Read documents from in and write a change, a current or a reject for each to
 * out, everything else unchanged and in order.  A change carries patch and undo,
 * both executed and compared before it is written.  0, or -1 after a finding: a
 * broken stream, a document whose hash does not hold (MIG_INVALID
 * "hash_mismatch"), an invalid or impure program (MIG_INVALID).  The process may
 * also end with MIG_INVALID after a fault "jq_died": see jqrun_guard.
 */
int transform_run(const struct set *set, const char *target, struct stream *in, struct out *out, struct diag *d);

#endif
