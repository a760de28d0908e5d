/*
 * model-default.h -- what a column holds where an insert says nothing.
 *
 * Floor 9.
 */
#ifndef MIG_MODEL_DEFAULT_H
#define MIG_MODEL_DEFAULT_H

#include "draft.h"

/*
 * Set def and def_text of the field's column from its "default", or from what
 * its type implies; not_null is set already.  A fault "schema_default" where the
 * value is not one of the type's.
 */
void model_default(struct declared *in, const struct field *f, struct column *c);

#endif
