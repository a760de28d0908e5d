/*
 * rules-sql.h -- the rules for SQL plans: what destroys, what is for review.
 *
 * Floor 9.  For rules.c and mig-gate.
 */
#ifndef MIG_RULES_SQL_H
#define MIG_RULES_SQL_H

#include "permit.h"
#include "plan.h"
#include "sqlfinding.h"

/*
 * The first step of p with a finding for review that g does not waive, or NULL.
 * d, if not NULL, gets a warning for each of them, and for each that is waived.
 */
const struct step *sql_review(const struct plan *p, const struct grant *g, struct diag *d);

/*
 * MIG_UNSAFE "destructive_flag" and "irreversible_flag" unless g allows them or is
 * for a dry run; "backup_first" for a step of a declared schema's plan that takes
 * rows away which it has not kept.  0 or -1.
 */
int sql_destruction(const struct plan *p, const struct grant *g, struct diag *d);

#endif
