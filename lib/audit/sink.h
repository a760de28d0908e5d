/*
 * sink.h -- where the records of an audit go: one table of functions a kind.
 *
 * Floor 2.  append, will and close are called in a signal handler, too: they
 * allocate nothing and call nothing but system calls.
 */
#ifndef MIG_SINK_H
#define MIG_SINK_H

#include "diag.h"

/* Why something could not be kept. */
struct sink_said {
	enum mig_exit exit; /* MIG_USAGE: its name is none; else MIG_PRECONDITION */
	char why[400];      /* for people, without a password; empty: errno tells */
};

struct sink {
	const char *scheme; /* "file:" */
	/*
	 * Open what the rest of its name says: a handle, or -1 after a finding.
	 * What takes time may be left to the first append.
	 */
	int (*open)(const char *rest, struct diag *d);
	/* Keep a line, with its LF, for good: 0, or -1 and *said. */
	int (*append)(int handle, const char *line, size_t n, struct sink_said *said);
	/* The line to keep, should the process end without another; timeless: with the time of that.  NULL: cannot. */
	void (*will)(int handle, const char *line, size_t n, bool timeless);
	void (*close)(int handle);
};

/* Lines of a file; rows of a table, see audit-keep.h. */
extern const struct sink sink_file, sink_sqlite, sink_pg, sink_postgres;

#endif
