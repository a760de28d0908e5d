/*
 * planner.h -- from changes to plans.
 *
 * Floor 13.  Pure but for its spools.  Nothing is written before the input's end
 * has been verified.
 */
#ifndef MIG_PLANNER_H
#define MIG_PLANNER_H

#include "plan-ask.h"
#include "plan-rows.h"
#include "spool.h"
#include "stream.h"

/*
 * Read change, current and reject records; write the rejects, then the plans,
 * then their end.  0, or -1 after a finding: a sum that does not hold, refs out
 * of order, an end that speaks of other records (MIG_INVALID), changes of
 * several sets or another target, more rejects than allowed (MIG_INVALID; the
 * rejects are written all the same), and what rowplan_finish finds.  Borrows the
 * spools and rows, open and empty.
 */
int planner_run(const struct plan_ask *ask, struct spool *steps, struct spool *rejects, struct rowplan *rows,
                struct stream *in, struct out *out, struct diag *d);

#endif
