/*
 * stringify.h -- JSON as JavaScript prints it, for checksums that others have made.
 *
 * Floor 5.  JSON.stringify(value, null, 2) of a value whose objects were made
 * anew with their keys sorted.  JavaScript lists the keys that are array indexes
 * first, by number, wherever they were put: {"b":1,"10":2,"9":3} is 9, 10, b.
 */
#ifndef MIG_STRINGIFY_H
#define MIG_STRINGIFY_H

#include "doc.h"

/*
 * Append value t.  ids, if not NULL, has a number for each element of the array
 * t: where it is not 0, that element is an object that gets it as its "id".
 */
void stringify(struct buf *out, const struct doc *d, uint32_t t, const int64_t *ids);

#endif
