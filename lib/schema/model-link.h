/*
 * model-link.h -- what ties tables together.
 *
 * Floor 10.
 */
#ifndef MIG_MODEL_LINK_H
#define MIG_MODEL_LINK_H

#include "draft.h"

/*
 * When all tables have their columns: give the columns of relationships the type
 * of what they point at, add the foreign keys with their indexes, and the
 * junction tables of many-to-many behind the declared ones.
 */
void model_links(struct draft *b);

/* A fault "schema_cycle" for tables that need each other's rows before there can be any. */
void model_cycles(struct draft *b);

#endif
