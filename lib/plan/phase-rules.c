/* phase-rules.c -- see phase-rules.h */
#include "phase-rules.h"

#include <stdlib.h>

int phase_destroys(const struct plan *p, struct text kind, struct diag *d)
{
	if (text_is(kind, "contract"))
		return 0;
	for (size_t i = 0; i < p->nstep; i++) {
		if (!step_destroys(p, &p->step[i]))
			continue;
		char *id = xmemdup(p->step[i].step_id.s, p->step[i].step_id.n);

		diag_add(d, MIG_INVALID, "phase_destroys", id,
		         "the step removes something, and the phase is %.*s: only a contract phase may", (int)kind.n,
		         kind.s);
		free(id);
		return -1;
	}
	return 0;
}

int phase_rules_check(const struct plan *p, const struct grant *g, struct diag *d)
{
	int rc;

	if (!p->phase.id.s)
		return 0;
	rc = phase_destroys(p, p->phase.kind, d);
	if (g->dry_run ||
	    (g->phase.s && text_same(g->phase_id, p->phase.id) && text_same(g->phase_strategy, p->phase.strategy)))
		return rc;
	diag_hint(d, "mig-gate .. --phases FILE --evidence VERDICTS");
	return diag_add(d, MIG_UNSAFE, "phase_order", NULL,
	                "the plan is the phase %.*s of a migration, and nothing says that those before it are done",
	                (int)p->phase.id.n, p->phase.id.s);
}
