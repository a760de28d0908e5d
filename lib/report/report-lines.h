/*
 * report-lines.h -- the front door's fixed lines about plans and outcomes.
 *
 * Floor 12.
 *
 *	migration-tool plan
 *	env=dev migration=manifest target=1.2.0
 *	plan_hash=35d6ad23.. steps=2 rollback=2
 */
#ifndef MIG_REPORT_LINES_H
#define MIG_REPORT_LINES_H

#include "report-views.h"

/*
 * Write what is said of the record that v has just taken in; p is the plan in it if
 * it is a plan or a permit.  Nothing for other kinds than these and outcomes.
 */
void report_lines_add(const struct report_views *v, const struct record *x, const struct plan *p, struct out *out);

/* Write what is said once all has been read. */
void report_lines_end(const struct report_views *v, struct out *out);

#endif
