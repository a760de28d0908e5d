/*
 * sql-rehearse.h -- a plan and its rollback, tried on a copy.
 *
 * Floor 12.
 */
#ifndef MIG_SQL_REHEARSE_H
#define MIG_SQL_REHEARSE_H

#include "complaint.h"
#include "db.h"
#include "plan.h"

/* A stream of plans on its way there and back. */
struct rehearsal;

/* A new one in a scratch copy of db, which is not changed; NULL after a finding. */
struct rehearsal *rehearsal_begin(struct db *db, struct diag *d);
void rehearsal_free(struct rehearsal *r);

/*
 * Do the next plan; what fails there is kept for rehearsal_judge, and the plans
 * behind it are not tried.  Copies the plan.  0, or -1 after a finding that is not
 * about it: MIG_USAGE "no_rehearsal" for a rollback plan.
 */
int rehearsal_forward(struct rehearsal *r, const struct plan *p, struct diag *d);

/* Do all rollback lists, the last plan's first, and compare schema and rows with what they were: 0, or -1 likewise. */
int rehearsal_back(struct rehearsal *r, struct diag *d);

/* The plans that were taken in; the i-th is borrowed. */
size_t rehearsal_count(const struct rehearsal *r);
const struct plan *rehearsal_plan(const struct rehearsal *r, size_t i);

/*
 * The verdict on the i-th plan: a complaint "rehearsal" for what failed or is
 * different, else the note "rehearsed"; the warning "rehearsed_forward" where a
 * plan of the stream cannot be undone, so that none was taken back.
 */
void rehearsal_judge(const struct rehearsal *r, size_t i, struct complaints *found);

#endif
