/*
 * dialect.h -- from changes to SQL.
 *
 * Floor 9.  A dialect says of each change whether it makes a step, which
 * statements it takes, and on the way back too: the way back of a change is the
 * change backwards.
 */
#ifndef MIG_DIALECT_H
#define MIG_DIALECT_H

#include "delta.h"
#include "part.h"

/* One half of a step being written. */
struct half {
	const struct delta *x;
	const struct change *c; /* backwards on the way back */
	struct part *part;
	bool back;
};

struct dialect_ops {
	/* Once, before the others: decide how each table is changed.  0, or -1 after findings. */
	int (*prepare)(struct delta *x, struct diag *d);
	/* Does the change have a step of its own? */
	bool (*steps)(const struct delta *x, const struct change *c);
	/* Append the statements. */
	void (*act)(const struct half *h);
	/* Is the change done inside of the step of rebuild? */
	bool (*absorbed)(const struct delta *x, const struct change *c);
};

extern const struct dialect_ops dialect_pg, dialect_sqlite;

/* Ask of the data what the change needs of it, and say what reviewers should know (ask.c, lint.c). */
void ask_change(const struct half *h);
void lint_change(const struct half *h);

/* The key of the table whose rows are kept, by the names of its columns while the step runs; the array is new. */
const char **half_key(const struct half *h, size_t *n);

/* A view's query without the semicolon and white space behind it: new. */
char *view_query(const char *query);

/*
 * "backup" before the change destroys, "restore" after its way back: of one column,
 * or (NULL) of all; where (NULL: all rows) says of which rows of that column.
 */
void half_rows(const struct half *h, const char *op, const char *column, const char *where);

/*
 * What no dialect can do: a type that nothing leads to or back from, a key that
 * goes while its table stays, so that rows could not be told apart.  MIG_INVALID
 * "unsupported_feature".
 */
void half_refuse(const struct delta *x, const struct change *c, struct diag *d);

/* One statement; and with ddl_addf's directives. */
void half_sql(const struct half *h, const char *fmt, ...);

#endif
