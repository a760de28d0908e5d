/*
 * schema-planner.h -- from a database's schema and a declared one to a plan.
 *
 * Floor 16.  Pure.  Three comparisons: what was recorded against its own checksum
 * (tampered), what was recorded against what is there (drift), and what was
 * recorded against what is declared now: the plan.
 */
#ifndef MIG_SCHEMA_PLANNER_H
#define MIG_SCHEMA_PLANNER_H

#include "docfile.h"
#include "plan-ask.h"
#include "stream.h"

struct schema_ask {
	struct plan_ask plan;
	const struct doc *schema; /* the declared schema; borrowed */
	const char *file;         /* its name, for findings */
	bool allow_empty;         /* a schema without tables is meant */
};

/*
 * Read one schema record; write at most one plan, then its end.  0, or -1 after a
 * finding: MIG_INVALID "tampered", "drift", "table_exists", "empty_migration",
 * "unsupported_feature", "bad_expression", or those of model_read.
 */
int schema_planner_run(const struct schema_ask *ask, struct stream *in, struct out *out, struct diag *d);

#endif
