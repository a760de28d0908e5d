/*
 * model-check.h -- the checks that a field's members ask for.
 *
 * Floor 9.
 */
#ifndef MIG_MODEL_CHECK_H
#define MIG_MODEL_CHECK_H

#include "draft.h"

/* Add the field's checks to t: min, max, options, maxItems, maxFiles, maxLength, format. */
void model_checks(struct declared *in, struct table *t, const struct field *f);

/* Add the table's own: "constraints" [{"check","name"}]. */
void model_constraints(struct declared *in, struct table *t, uint32_t table);

#endif
