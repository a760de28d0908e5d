/*
 * model-names.h -- names and ids that are there twice.
 *
 * Floor 9.
 */
#ifndef MIG_MODEL_NAMES_H
#define MIG_MODEL_NAMES_H

#include "draft.h"

/* Faults "schema_duplicate" among the ids and names of the declared tables and of each one's fields. */
void model_duplicates(struct draft *b);

/*
 * The same among what shares a database's names once all is read: tables, views,
 * indexes and unique constraints; and among the constraints of a table.
 */
void model_clashes(struct draft *b);

#endif
