/*
 * audit.h -- who ran which filter when, and how it ended: two records a run.
 *
 * Floor 9.  A snapshot record when a filter starts work, before it can change
 * anything, and a final one when it ends, also when it fails, in the sinks that
 * MIG_AUDIT names, parted by spaces:
 *
 *	file:FILE         lines of canonical JSON, each appended by one write and flushed
 *	sqlite:FILE       rows of the table migration_audit_records; the filter's own
 *	postgresql://..   child keeps them: see audit-keep.h
 *
 * One process has one audit, so that a signal handler finds it.  Everything is
 * open after audit_begin: it goes on working behind a sandbox.
 */
#ifndef MIG_AUDIT_H
#define MIG_AUDIT_H

#include "diag.h"
#include "text.h"

/* Who starts; texts are borrowed until audit_begin returns. */
struct audit_run {
	const char *run_id, *script, *actor;
	const char *env, *tenant; /* or NULL: not told */
	const char *options;      /* canonical JSON, without secrets */
	const char *now;          /* fixed time, or NULL: the clock */
	const char *store;        /* its URI, or NULL: what no sink may be */
};

/* How it ended. */
struct audit_end {
	enum mig_exit exit;
	const char *code, *reason; /* of the finding behind it, or NULL */
	const char *digest;        /* of the stream's end, or NULL: it has none */
	uint64_t records;
};

/*
 * Open the sinks and write the snapshot record: 0, or -1 after MIG_USAGE
 * "bad_audit" (not a sink), MIG_PRECONDITION "audit_unreachable".  Only once.
 * Where some took the record and others did not, audit_end is still due.
 */
int audit_begin(const char *sinks, const struct audit_run *run, struct diag *d);

/* Learn the env or tenant from what came in, for the final record; empty texts and later calls change nothing. */
void audit_scope(struct text env, struct text tenant);

/* Write the final record and close the sinks: 0, or MIG_ERROR "audit_failed".  Nothing where none was begun. */
int audit_end(const struct audit_end *end, struct diag *d);

/*
 * The same from a signal handler, or where memory has run out: nothing but
 * system calls.  Only in the process that began.
 */
void audit_died(enum mig_exit exit);

#endif
