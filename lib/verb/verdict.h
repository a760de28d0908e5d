/*
 * verdict.h -- what was found of a plan, or of a whole database, as a record.
 *
 * Floor 9.
 */
#ifndef MIG_VERDICT_H
#define MIG_VERDICT_H

#include "complaint.h"
#include "plan.h"
#include "stream.h"

/*
 * Write the verdict that the complaints come to; p is NULL where it is about no plan.
 * A plan that is not a rollback itself is named as what can be rolled back.  0, or -1 as
 * stream_put.
 */
int verdict_put(const struct complaints *found, const struct plan *p, struct out *out);

#endif
