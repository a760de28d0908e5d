/*
 * transform-rows.h -- the records that a program made of one row, as changes.
 *
 * Floor 12.  Pure.  Either all records of a row become changes, or the row is
 * rejected: it is never taken in part.
 */
#ifndef MIG_TRANSFORM_ROWS_H
#define MIG_TRANSFORM_ROWS_H

#include "rowmade.h"
#include "way.h"

/* Reused from row to row. */
struct rowmaker {
	struct rowmade_work work; /* its reason is that of a reject */
	size_t max;               /* bytes of one change at most */
	struct rowmade *made;     /* the records of this row */
	size_t n, cap;
	struct buf lines;         /* the changes, each with LF */
};

#define ROWMAKER_INIT(set, bytes) { .work = { .targets = (set)->targets }, .max = (bytes) }

void rowmaker_release(struct rowmaker *m);

/*
 * Make the changes of the source row r, whose program gave the array out, in
 * m->lines, in the order of their entities and ids.  NULL, or the code of a
 * reject, with its reason in m->work.reason.  No records and a set that allows it: no lines.
 */
const char *rowmaker_take(struct rowmaker *m, const struct record *r, const struct way *way, const struct doc *out);

#endif
