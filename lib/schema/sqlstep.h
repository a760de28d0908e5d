/*
 * sqlstep.h -- a change as a step of a plan, and as the entry that undoes it.
 *
 * Floor 11.
 */
#ifndef MIG_SQLSTEP_H
#define MIG_SQLSTEP_H

#include "dialect.h"
#include "plan.h"

/* What all steps of a plan share. */
struct steps {
	const struct delta *x;
	const struct dialect_ops *ops;
	struct text env, tenant, project, migration_id; /* s == NULL: none */
	const char *hash;      /* of the live schema: the first step insists on it */
	int64_t from, to;      /* history versions; 0: none */
	size_t n;
	struct buf forward;    /* the steps, with commas between them */
	struct buf back;       /* the entries, each with a NUL for its index */
	size_t *entry;         /* where each one begins */
};

/* Append the step of a change, and the entry that undoes it. */
void steps_add(struct steps *s, const struct change *c);

/* Append the list of entries, the last step's first. */
void steps_rollback(const struct steps *s, struct buf *out);
void steps_release(struct steps *s);

#endif
