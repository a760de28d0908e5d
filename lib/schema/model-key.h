/*
 * model-key.h -- what is unique in a table, and its indexes.
 *
 * Floor 9.
 */
#ifndef MIG_MODEL_KEY_H
#define MIG_MODEL_KEY_H

#include "draft.h"

/*
 * Add the unique constraints and indexes of the i-th table: "unique" and
 * "indexed" of its fields, "unique", "uniqueConstraints" and "indexes" of its own.
 */
void model_keys(struct draft *b, size_t i);

/* Add an index over these n columns, which it steals as well as name; its method is the columns'. */
struct index *model_index(struct table *t, char *name, char **column, size_t n);

/* Add a unique constraint over one column, if there is none yet. */
void model_unique_column(struct table *t, const char *column);

#endif
