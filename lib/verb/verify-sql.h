/*
 * verify-sql.h -- does a database hold what its plans promise?
 *
 * Floor 12.  Reads the database, never writes.
 */
#ifndef MIG_VERIFY_SQL_H
#define MIG_VERIFY_SQL_H

#include "complaint.h"
#include "sql-schema.h"

/*
 * What was recorded of the newest version, against itself and against what is
 * there: complaints "tampered" and "drift".  0, or -1 after a finding of another kind.
 */
int verify_sql_drift(struct db *db, struct complaints *found, struct diag *d);

/*
 * Complaints about the plan: "not_applied", "unfinished", "history", and, while no
 * later plan came, its postconditions and all of the above.  0, or -1 likewise.
 */
int verify_sql_plan(struct db *db, const struct plan *p, struct complaints *found, struct diag *d);

#endif
