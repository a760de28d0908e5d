/*
 * classify-alter.h -- what the clauses of ALTER TABLE do.
 *
 * Floor 10.
 */
#ifndef MIG_CLASSIFY_ALTER_H
#define MIG_CLASSIFY_ALTER_H

#include "meaning.h"

/* Judge the clauses from token i on, behind the table's name. */
void classify_alter_table(struct meaning *m, const struct phrase *p, size_t i, const char *schema, const char *table);

/* Judge ALTER TYPE from token i on, behind the type's name. */
void classify_alter_type(struct meaning *m, const struct phrase *p, size_t i, const char *name);

#endif
