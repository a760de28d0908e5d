/*
 * change-count.h -- what came in of a stream of changes: each object once, in the order of their refs.
 *
 * Floor 7.  The sum of each record is checked, and the objects are counted as
 * mig-extract counted them, so that the end of the stream can be verified.
 */
#ifndef MIG_CHANGE_COUNT_H
#define MIG_CHANGE_COUNT_H

#include "stream.h"

struct change_count {
	struct tally seen;     /* of all objects */
	int64_t changes, current, rejects; /* objects of each kind; a row counts once, however many its records are */
	/* private */
	struct buf last_ref, ref;
	int64_t index, of;     /* which of the records of one row came last */
};

void change_count_init(struct change_count *c);
void change_count_release(struct change_count *c);

/*
 * Count a change, current or reject record.  0, or -1 after a finding:
 * MIG_INVALID "sum_mismatch", "ref_order", or "row_incomplete" where the records
 * of one row do not follow each other; MIG_USAGE for a row's malformed "from".
 */
int change_count_add(struct change_count *c, const struct record *r, struct diag *d);

/* After the last: 0, or -1 after MIG_INVALID "row_incomplete". */
int change_count_end(struct change_count *c, struct diag *d);

/* Add a finding of MIG_INVALID at the object that was counted last.  Returns -1. */
int change_count_refuse(const struct change_count *c, const char *rule, const char *what, struct diag *d);

#endif
