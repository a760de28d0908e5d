/*
 * rowmade.h -- a record that a program made of a row: checked, its id and links fitted to their targets.
 *
 * Floor 9.
 *
 *	{"data":{"title":"A"},"entity":"posts","id":7,"links":{"author":"3"}}
 *	{"entity":"posts","id":7,"op":"delete"}
 */
#ifndef MIG_ROWMADE_H
#define MIG_ROWMADE_H

#include "set.h"

struct rowmade {
	const struct target *target;
	struct text id;
	uint32_t data;     /* DOC_NONE: it is to be deleted */
	struct text links; /* {"author":{"entity":"users","ids":["3"]}} */
	size_t place;      /* among the outputs, from 0 */
	struct buf text;   /* of the id and the links; reused */
};

/* What the records of all rows share. */
struct rowmade_work {
	const struct targets *targets;
	struct buf scratch, reason; /* of the last reject */
};

void rowmade_work_release(struct rowmade_work *w);

/*
 * Take the record at token t of d, number place: NULL, or the code of a reject:
 * "bad_row", "unknown_entity", "missing_id", "bad_id", "not_a_uuid", "bad_data",
 * "required_missing", "bad_link", "unknown_link", "missing_link".
 */
const char *rowmade_take(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t, size_t place);

/* Reject it: gives the code, and "record 2 (thread_items): what more" as the reason; more may be "". */
const char *rowmade_reject(const struct rowmade *x, struct rowmade_work *w, const char *code, const char *what,
                           const char *more);

#endif
