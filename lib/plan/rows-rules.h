/*
 * rows-rules.h -- the rules about rows that are deleted.
 *
 * Floor 9.  rules.h calls it for plans of rows.
 */
#ifndef MIG_ROWS_RULES_H
#define MIG_ROWS_RULES_H

#include "permit.h"
#include "plan.h"

/*
 * Findings of MIG_UNSAFE: "backup_required" for a step that names no backup of
 * what it replaces or deletes, which no flag lifts; "destructive_flag", with the
 * number of rows, where the grant lacks it.  0 or -1.
 */
int rows_rules_check(const struct plan *p, const struct grant *g, struct diag *d);

#endif
