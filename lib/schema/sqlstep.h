/*
 * sqlstep.h -- a change as a step of a plan, and as the entry that undoes it.
 *
 * Floor 15.
 */
#ifndef MIG_SQLSTEP_H
#define MIG_SQLSTEP_H

#include "dialect.h"
#include "sql-text.h"

/* What all steps of a plan share. */
struct steps {
	const struct delta *x;
	const struct dialect_ops *ops;
	const struct sql_header *header;
	int64_t from, to;     /* history versions; 0: none */
	struct sql_plan plan; /* the steps so far */
};

/* Add the step of a change, and the entry that undoes it. */
void steps_add(struct steps *s, const struct change *c);

#endif
