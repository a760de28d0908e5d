/*
 * rules.h -- the built-in rules that a plan and its grant must pass.
 *
 * Floor 9.  mig-gate judges by them before it issues a permit, mig-apply again
 * before it uses one.
 */
#ifndef MIG_RULES_H
#define MIG_RULES_H

#include "permit.h"
#include "plan.h"

/*
 * Judge plan p under grant g.  Each broken rule is a finding whose rule id is
 * the rule's name: "env_match", "scope_match" (MIG_INVALID); "apply_flag",
 * "prod_ticket", "destructive_flag", "irreversible_flag" (MIG_UNSAFE).  Hints
 * name the next command.  Returns 0 or -1.
 */
int rules_check(const struct plan *p, const struct grant *g, struct diag *d);

/* The ids of the rules, as a canonical JSON array. */
extern const char rules_passed[];

#endif
