/*
 * tablerow.h -- a row of a table as a record: its body, its hash, its reference.
 *
 * Floor 10.
 */
#ifndef MIG_TABLEROW_H
#define MIG_TABLEROW_H

#include "cell.h"
#include "rowout.h"
#include "rowsource.h"

/* Rows of one source at a time; reused. */
struct tablerow {
	size_t max; /* bytes of a record at most */
	size_t key; /* the column that holds the id, from tablerow_begin on */
	/* private */
	const struct rowsource *source;
	struct tablerow_field *field; /* in canonical order */
	size_t nfield;
	struct cell cell;
	struct buf body, ref, reason;
	char hash[HEX_SIZE];
};

#define TABLEROW_INIT(bytes) { .max = (bytes), .cell = CELL_INIT }

void tablerow_release(struct tablerow *r);

/* From now on rows are of s, borrowed, with the columns of c, whose first row was asked for. */
void tablerow_begin(struct tablerow *r, const struct rowsource *s, const struct db_cursor *c);

/*
 * The row v of c as a record, borrowed until the next one; or a reject "no_id",
 * "bad_value", "too_large", whose reference has the hash of the body where there is
 * no id.
 */
struct row tablerow_make(struct tablerow *r, const struct db_cursor *c, const struct db_value *v);

#endif
