/*
 * split.h -- the statements of a script, by the engine's own rules.
 *
 * Floor 8.
 */
#ifndef MIG_SPLIT_H
#define MIG_SPLIT_H

#include "diag.h"
#include "lex.h"

/* One statement: from its first token to its last, without comments around it and without its semicolon. */
struct statement {
	size_t at, n; /* its bytes in the script */
	size_t line;  /* where it begins, from 1 */
};

struct script {
	struct statement *list;
	size_t n, cap;
	bool no_transaction; /* its first comment is "mig:transaction=none" */
};

#define SCRIPT_INIT { NULL, 0, 0, false }

/*
 * Split the n bytes at s into out, which is reused.  A semicolon ends a
 * statement unless it stands in a quote, a comment, in parentheses
 * (PostgreSQL), in the body of a trigger (SQLite: up to "; END") or in that of
 * a function (PostgreSQL: BEGIN ATOMIC .. END).  0, or -1 after a finding of
 * MIG_INVALID "bad_script" at "where:line": NUL or invalid UTF-8, a quote,
 * comment or body without an end, a command of psql or sqlite3, COPY FROM STDIN.
 */
int script_split(struct script *out, const char *s, size_t n, enum dialect dialect, const char *where,
                 struct diag *d);
void script_release(struct script *s);

/*
 * Append a file's text as scripts are read: without a byte order mark, lines
 * ended by LF alone.  What a script does cannot depend on either.
 */
void script_fold(struct buf *out, const char *s, size_t n);

#endif
