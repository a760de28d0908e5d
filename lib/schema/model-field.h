/*
 * model-field.h -- a table's fields as its columns.
 *
 * Floor 10.
 */
#ifndef MIG_MODEL_FIELD_H
#define MIG_MODEL_FIELD_H

#include "draft.h"

/*
 * Give the i-th table of the model, whose draft has its token, its columns and
 * primary key: the system columns, then one for each field that has one, with
 * its default and checks.  The type of a relationship's column is "" until
 * model_links has seen what it points at.
 */
void model_columns(struct draft *b, size_t i);

#endif
