/*
 * gate.h -- decide whether plans may run.
 *
 * Floor 12.  Pure: reads plans, touches no store.
 */
#ifndef MIG_GATE_H
#define MIG_GATE_H

#include "permit.h"
#include "spool.h"
#include "stream.h"

/*
 * Read plans; write a permit for each, and their end, once the last has been
 * read and judged by the built-in rules.  ask holds what the operator granted;
 * its digest is set from the stream's end.  Rejects are forwarded.  0, or -1
 * after the findings of every plan (MIG_UNSAFE, MIG_INVALID), with no permit
 * written; a kind that is not known is MIG_USAGE.  Borrows the spool, open and
 * empty.
 */
int gate_run(struct grant *ask, struct spool *plans, struct stream *in, struct out *out, struct diag *d);

#endif
