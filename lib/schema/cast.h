/*
 * cast.h -- from one column type to another.
 *
 * Floor 9.  Types are PostgreSQL's names, as in model.h.
 */
#ifndef MIG_CAST_H
#define MIG_CAST_H

#include "ddl.h"

struct cast {
	struct buf value; /* the value in the new type */
	struct buf fits;  /* the condition under which a value that is not NULL has one; empty: always */
	bool plain;       /* value is what it was: nothing to convert */
	bool narrows;     /* value may be less than it was */
};

#define CAST_INIT { .plain = false }

/*
 * How the expression expr of type from becomes one of type to.  0, or -1 where
 * there is no way that keeps its meaning.
 */
int cast_find(struct cast *c, const char *from, const char *to, const char *expr, enum dialect dialect);
void cast_release(struct cast *c);

#endif
