/*
 * rowid.h -- ids as programs give them, made what their target wants.
 *
 * Floor 8.
 */
#ifndef MIG_ROWID_H
#define MIG_ROWID_H

#include "set.h"

/* Append an id, a text or an integer, as it is spelled; false for anything else, null included. */
bool rowid_read(const struct doc *d, uint32_t t, struct buf *b);

/*
 * Make the id at b's offset at what target to, or NULL for none, wants, in place;
 * false if it cannot be.  A UUID keeps its value in lower case; of any other id the
 * name is "entity/id".
 */
bool rowid_fit(const struct targets *all, const struct target *to, struct buf *b, size_t at);

#endif
