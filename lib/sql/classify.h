/*
 * classify.h -- what a statement is: what it destroys, locks, and needs.
 *
 * Floor 11.  The statement is lexed, not parsed: what is not known is said to be
 * unknown, and for review.  Rule ids are those of the declared schemas' plans
 * where the matter is the same; mig-set(5) lists them.
 */
#ifndef MIG_CLASSIFY_H
#define MIG_CLASSIFY_H

#include "meaning.h"

/* Fill m, which is reused, with what the statement of n bytes at s does. */
void classify(struct meaning *m, const char *s, size_t n, enum dialect dialect);

/* Does the statement only ask: SELECT, VALUES, TABLE, or WITH one of them? */
bool classify_is_query(const char *s, size_t n, enum dialect dialect);

#endif
