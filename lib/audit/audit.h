/*
 * audit.h -- who ran which filter when, and how it ended: two records a run.
 *
 * Floor 6.  A snapshot record when a filter starts work, before it can change
 * anything, and a final one when it ends, also when it fails, in the sink that
 * MIG_AUDIT names:
 *
 *	file:FILE   lines of canonical JSON, each appended by one write and flushed
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
};

/* How it ended. */
struct audit_end {
	enum mig_exit exit;
	const char *code, *reason; /* of the finding behind it, or NULL */
	const char *digest;        /* of the stream's end, or NULL: it has none */
	uint64_t records;
};

/*
 * Open the sink and write the snapshot record: 0, or -1 after MIG_USAGE
 * "bad_audit" (not a sink), MIG_PRECONDITION "audit_unreachable".  Only once.
 */
int audit_begin(const char *sink, const struct audit_run *run, struct diag *d);

/* Learn the env or tenant from what came in, for the final record; empty texts and later calls change nothing. */
void audit_scope(struct text env, struct text tenant);

/* Write the final record and close the sink: 0, or MIG_ERROR "audit_failed".  Nothing where none was begun. */
int audit_end(const struct audit_end *end, struct diag *d);

/*
 * The same from a signal handler, or where memory has run out: nothing but
 * write(2).  Only in the process that began.
 */
void audit_died(enum mig_exit exit);

#endif
