/*
 * adopt.h -- a database that is as declared already becomes one that we manage.
 *
 * Floor 15.  Pure.
 */
#ifndef MIG_ADOPT_H
#define MIG_ADOPT_H

#include "plan-ask.h"
#include "stream.h"

/*
 * Read one schema record; write one plan whose only step records the declared
 * schema (indexed in schema, from file) as applied, and its end.  0, or -1 after
 * findings of MIG_INVALID: "already_recorded", "empty_migration", and
 * "baseline_differs" for each table and column that is declared and not there,
 * there and not declared, or null in one only.  Constraints and indexes that
 * are not there by their names are warnings.
 */
int adopt_run(const struct plan_ask *ask, const struct doc *schema, const char *file, struct stream *in,
              struct out *out, struct diag *d);

#endif
