/*
 * plan-rejects.h -- rejects that a planner passes on, in a spool until it knows how many they are.
 *
 * Floor 7.
 */
#ifndef MIG_PLAN_REJECTS_H
#define MIG_PLAN_REJECTS_H

#include "spool.h"
#include "stream.h"

/* Write the spooled lines: 0, or -1 after a finding. */
int plan_rejects_put(struct spool *lines, struct out *out, struct diag *d);

/*
 * Say why it stops: MIG_INVALID "too_many_rejects", that n are more than max,
 * with a hint; then what each of the first twenty says.
 */
void plan_rejects_name(struct spool *lines, int64_t n, int64_t max, struct diag *d);

/* Warn that it goes on without n of them. */
void plan_rejects_left(int64_t n, int64_t max, struct diag *d);

#endif
