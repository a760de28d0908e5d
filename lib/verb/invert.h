/*
 * invert.h -- from plans to the plans that undo them.
 *
 * Floor 13.  Pure but for a spool.  Nothing is written before the input's end
 * has been verified.
 */
#ifndef MIG_INVERT_H
#define MIG_INVERT_H

#include "spool.h"
#include "stream.h"

/*
 * Read plans; write those that undo them, the last part of a stream first, and
 * their end; streams stay in the order in which they came, newest first.
 * reason, or NULL, stands in their headers.  0, or -1 after a finding: a
 * rollback plan is MIG_INVALID "rollback_of_rollback".  Borrows the spool, open
 * and empty.
 */
int invert_run(const char *reason, struct spool *plans, struct stream *in, struct out *out, struct diag *d);

#endif
