/*
 * transform-rows.h -- the records that a program made of one row, as changes.
 *
 * Floor 12.  Pure.  Either all records of a row become changes, or the row is
 * rejected: it is never taken in part.
 */
#ifndef MIG_TRANSFORM_ROWS_H
#define MIG_TRANSFORM_ROWS_H

#include "way.h"

struct made;

/* Reused from row to row. */
struct rowmaker {
	const struct set *set;
	size_t max;            /* bytes of one change at most */
	struct made *made;     /* the records of this row */
	size_t n, cap;
	struct buf *text;      /* their ids, links and refs, one buffer each record */
	size_t ntext;
	struct buf lines;      /* the changes, each with LF */
	struct buf scratch, reason;
};

#define ROWMAKER_INIT(of, bytes) { .set = (of), .max = (bytes) }

void rowmaker_release(struct rowmaker *m);

/*
 * Make the changes of the source row r, whose program gave the array out, in
 * m->lines, in the order of their entities and ids.  NULL, or the code of a
 * reject, with its reason in m->reason.  No records and a set that allows it: no lines.
 */
const char *rowmaker_take(struct rowmaker *m, const struct record *r, const struct way *way, const struct doc *out);

#endif
