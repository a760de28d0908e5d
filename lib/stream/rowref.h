/*
 * rowref.h -- the reference of a row: its entity and its id.
 *
 *	thread_items   50%   thread_items/50%25
 *
 * Floor 2.  Control characters and "%" are written as %XX, as in the references
 * of files, and a slash in the entity as %2F: it ends at the first slash.
 */
#ifndef MIG_ROWREF_H
#define MIG_ROWREF_H

#include "buf.h"
#include "text.h"

/* May a text be an entity (not empty, no slash) or an id (not empty), both without control characters? */
bool rowref_entity_valid(struct text entity);
bool rowref_id_valid(struct text id);

/* Append the reference. */
void rowref_write(struct buf *out, struct text entity, struct text id);

/* Append the id in a reference of entity; false, with nothing appended, if it is not such a one. */
bool rowref_id(struct text ref, struct text entity, struct buf *out);

#endif
