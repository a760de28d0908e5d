/*
 * cell.h -- the value of a column as canonical JSON, for those who transform rows.
 *
 * Floor 7.
 *
 *	1, 2.50, 1e300            1, 2.5, 1e+300
 *	true (BOOLEAN)            true
 *	{"b": 1, "a": 2} (JSON)   {"a":2,"b":1}
 *	{1,NULL} (INTEGER[])      [1,null]
 *	2025-01-01 00:00:00+00    "2025-01-01T00:00:00Z"
 *	\x00ff                    {"hex":"00ff"}
 *	bytes, said to be a text  {"text":"ff"}
 *	NaN, Infinity             "NaN", "Infinity"
 *
 * A decimal that a double does not hold to its last digit is a text: "0.12345678901234567890".
 * Unlike db_json this does not lead back to the value: the table's types do.
 */
#ifndef MIG_CELL_H
#define MIG_CELL_H

#include "db.h"
#include "doc.h"

/* Room that is used again and again. */
struct cell {
	struct buf text;
	struct doc doc;
	char why[160];
};

#define CELL_INIT { .doc = DOC_INIT }

void cell_release(struct cell *c);

/* Append a value: NULL, or, with nothing appended, why there is no JSON for it, until the next call. */
const char *cell_write(struct cell *c, const struct db_column *col, const struct db_value *v, struct buf *out);

#endif
