/*
 * audit-keep.h -- the process that keeps the audit of another in a database.
 *
 * Floor 7.  It is told by lines, and answers each that begins with SAY by a struct
 * sink_said, whose exit is MIG_OK where the record was kept:
 *
 *	w{..}   SAY: a record to keep; the first is the snapshot, the second the final one
 *	k{..}   a record to keep if the lines end without a final one
 *	t{..}   the same, with the time at which they end
 *
 * Columns of the table migration_audit_records, which is made where it lacks: id,
 * run_id, script, stage, created_at, env, tenant, ok, exit, code, payload, and in a
 * final record the id of its snapshot, each of which has at most one.
 */
#ifndef MIG_AUDIT_KEEP_H
#define MIG_AUDIT_KEEP_H

#include "db.h"
#include "sink.h"

enum { KEEP_SAY = 'w', KEEP_WILL = 'k', KEEP_TIMELESS = 't' };

/* What opens its database: see db.h. */
typedef struct db *keep_open(const char *name, enum db_mode mode, struct diag *d);

/* Serve the lines of fd until their end, or the final record.  It gives up after a minute without an answer. */
void audit_keep(int fd, keep_open *open, const char *name);

#endif
