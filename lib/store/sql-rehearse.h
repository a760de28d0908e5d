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

/*
 * Make a scratch copy of db, do the plan there and then its rollback list, and
 * compare schema and rows with what they were.  What is different is a complaint
 * "rehearsal", and so is what fails there; that all is as it was is the note
 * "rehearsed", and of a plan that cannot be undone, and is only tried forward, the
 * warning "rehearsed_forward".  db is not changed.  0, or -1 after a finding of another kind.
 */
int sql_rehearse(struct db *db, const struct plan *p, struct complaints *found, struct diag *d);

#endif
