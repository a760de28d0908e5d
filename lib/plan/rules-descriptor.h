/*
 * rules-descriptor.h -- the rules for plans of descriptors: what is blocked, what is for review.
 *
 * Floor 9.  For rules.c.
 */
#ifndef MIG_RULES_DESCRIPTOR_H
#define MIG_RULES_DESCRIPTOR_H

#include "permit.h"
#include "plan.h"

/*
 * Unless g is for a dry run: MIG_UNSAFE "critical_delta" for steps that are critical, which no
 * approval and no option lets pass; "irreversible_flag" for others that cannot
 * be undone, unless g allows them.  0 or -1.
 */
int descriptor_rules_check(const struct plan *p, const struct grant *g, struct diag *d);

/* The first step that is a warning or for review, or NULL; d, if not NULL, is told of each. */
const struct step *descriptor_review(const struct plan *p, struct diag *d);

#endif
