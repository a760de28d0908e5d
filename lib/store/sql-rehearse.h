/*
 * sql-rehearse.h -- a plan and its rollback, tried on a copy.
 *
 * Floor 12.
 */
#ifndef MIG_SQL_REHEARSE_H
#define MIG_SQL_REHEARSE_H

#include "db.h"
#include "plan.h"

/*
 * Make a scratch copy of db, do the plan there and then its rollback list, and
 * compare schema and rows with what they were: 0, or -1 after findings;
 * MIG_INVALID "rehearsal" for what is different.  A plan that cannot be undone is
 * only tried forward: *back is false.  db is not changed.
 */
int sql_rehearse(struct db *db, const struct plan *p, bool *back, struct diag *d);

#endif
