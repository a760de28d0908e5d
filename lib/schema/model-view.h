/*
 * model-view.h -- a table's views and policies.
 *
 * Floor 9.
 */
#ifndef MIG_MODEL_VIEW_H
#define MIG_MODEL_VIEW_H

#include "draft.h"

/*
 * Add the views of the i-th table that are views of the database: those with a
 * query, or with an id that is a text, whose query is made of fields, filters and
 * sorts.  SQLite has no materialized ones: "unsupported_feature".
 */
void model_views(struct draft *b, size_t i);

/* Add its row-level security, which SQLite has not: "unsupported_feature". */
void model_policies(struct draft *b, size_t i);

#endif
