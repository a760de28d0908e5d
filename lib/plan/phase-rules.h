/*
 * phase-rules.h -- the rules for plans that are a phase of a migration.
 *
 * Floor 9.  For rules.c, and for mig-plan, which makes them so.
 */
#ifndef MIG_PHASE_RULES_H
#define MIG_PHASE_RULES_H

#include "permit.h"
#include "plan.h"

/* Only contract removes: 0, or MIG_INVALID "phase_destroys" for the first step that does in a phase of that kind. */
int phase_destroys(const struct plan *p, struct text kind, struct diag *d);

/*
 * Of a plan that names a phase: phase_destroys, and, unless g is for a dry run,
 * MIG_UNSAFE "phase_order" where g does not say that the phases before it were found done.
 */
int phase_rules_check(const struct plan *p, const struct grant *g, struct diag *d);

#endif
