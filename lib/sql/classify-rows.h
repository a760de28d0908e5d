/*
 * classify-rows.h -- what a statement does to rows.
 *
 * Floor 10.
 */
#ifndef MIG_CLASSIFY_ROWS_H
#define MIG_CLASSIFY_ROWS_H

#include "meaning.h"

/*
 * Judge every INSERT, UPDATE and DELETE that the statement is or holds, as in
 * WITH gone AS (DELETE FROM a RETURNING *) ..  Is there any?
 */
bool classify_writes(struct meaning *m, const struct phrase *p);

/* Judge TRUNCATE from token i on, and a query, whose functions may do anything. */
void classify_truncate(struct meaning *m, const struct phrase *p, size_t i);
void classify_query(struct meaning *m, const struct phrase *p, size_t i);

#endif
