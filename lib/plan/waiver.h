/*
 * waiver.h -- findings that a reviewer lets pass, each with its reason.
 *
 * Floor 7.  A grant keeps them: [{"reason":"measured, 2 s","rule_id":"lock_taking"}]
 */
#ifndef MIG_WAIVER_H
#define MIG_WAIVER_H

#include "sqlfinding.h"

/*
 * Append the canonical array of the waivers RULE=REASON, a NULL-ended list, in the
 * order of their rules.  NULL, or what is wrong with one of them, *bad: "is not
 * RULE=REASON", "is given twice", "is lifted by --allow-destructive alone".
 */
const char *waivers_json(char *const *list, struct buf *out, const char **bad);

/* Does the canonical array hold one for the rule? */
bool waivers_hold(struct text array, struct text rule);

#endif
