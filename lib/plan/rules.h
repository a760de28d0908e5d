/*
 * rules.h -- the built-in rules that a plan and its grant must pass.
 *
 * Floor 10.  mig-gate judges by them before it issues a permit, mig-apply again
 * before it uses one.
 */
#ifndef MIG_RULES_H
#define MIG_RULES_H

#include "permit.h"
#include "plan.h"

/*
 * Judge plan p under grant g.  Each broken rule is a finding whose rule id is
 * the rule's name: "env_match", "scope_match", "breaking_change",
 * "version_bump" (MIG_INVALID); "apply_flag", "prod_ticket", "destructive_flag",
 * "irreversible_flag", "backup_first", "critical_delta",
 * "phase_order" (MIG_UNSAFE), "phase_destroys" (MIG_INVALID).  Hints name the next command.  Returns 0 or -1.
 */
int rules_check(const struct plan *p, const struct grant *g, struct diag *d);

/*
 * The first step for whose sake the plan is to be reviewed, or NULL: it leads to
 * a greater major version, or its SQL has a finding for review that g does not
 * waive.  d, if not NULL, is told by warnings.
 */
const struct step *rules_review(const struct plan *p, const struct grant *g, struct diag *d);

/*
 * A plan in review needs approvals under g: as many as need, or, where need is 0,
 * one in prod and none elsewhere; a dry run needs none.  0, or -1 after
 * MIG_UNSAFE "review_approval".
 */
int rules_approval(const struct grant *g, size_t need, struct diag *d);

/* The ids of the rules, as a canonical JSON array. */
extern const char rules_passed[];

#endif
