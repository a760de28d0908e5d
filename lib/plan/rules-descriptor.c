/* rules-descriptor.c -- see rules-descriptor.h */
#include "rules-descriptor.h"

#include <stdlib.h>

enum { NAMED = 20 }; /* of the steps in review */

/* The finding of a step; false where it has none, as one that nobody knows how to do. */
static bool finding_of(const struct plan *p, const struct step *s, struct sqlfinding *f)
{
	if (!p->doc->tok[s->findings].n)
		return false;
	sqlfinding_get(f, p->doc, s->findings + 1);
	return true;
}

static int blame(struct diag *d, const char *rule, const struct step *s, size_t n, const char *what)
{
	char *ref = xmemdup(s->ref.s, s->ref.n), *why = xmemdup(s->description.s, s->description.n);
	char *more = n > 1 ? xasprintf(" (and %zu more)", n - 1) : xstrdup("");

	diag_add(d, MIG_UNSAFE, rule, ref, "%s%s: %s", why, more, what);
	free(ref);
	free(why);
	free(more);
	return -1;
}

int descriptor_rules_check(const struct plan *p, const struct grant *g, struct diag *d)
{
	const struct step *blocked = NULL, *forever = NULL;
	size_t nblocked = 0, nforever = 0;
	struct sqlfinding f;
	int rc = 0;

	for (size_t i = 0; i < p->nstep && !g->dry_run; i++) {
		const struct step *s = &p->step[i];

		if (finding_of(p, s, &f) && f.severity == SQL_CRITICAL) {
			if (nblocked++ == 0)
				blocked = s;
		} else if (!s->reversible && !g->allow_destructive && nforever++ == 0) {
			forever = s;
		}
	}
	if (blocked) {
		diag_hint(d, "mig-report shows what to see to; change the target, then plan again");
		rc = blame(d, "critical_delta", blocked, nblocked, "blocked: no approval and no option lifts this");
	}
	if (forever) {
		diag_hint(d, "read the plan with mig-report, then mig-gate .. --allow-destructive");
		rc = blame(d, "irreversible_flag", forever, nforever,
		           "the step cannot be undone: requires --allow-destructive");
	}
	return rc;
}

const struct step *descriptor_review(const struct plan *p, struct diag *d)
{
	const struct step *first = NULL;
	struct sqlfinding f;
	size_t n = 0;

	for (size_t i = 0; i < p->nstep && (d || !first); i++) {
		const struct step *s = &p->step[i];

		if (finding_of(p, s, &f) && f.severity != SQL_REVIEW && f.severity != SQL_WARNING)
			continue;
		if (!first)
			first = s;
		if (!d || n++ >= NAMED)
			continue;
		char *ref = xmemdup(s->ref.s, s->ref.n), *why = xmemdup(s->description.s, s->description.n);

		diag_warn(d, "delta_review", ref, "review: %s", why);
		free(ref);
		free(why);
	}
	if (n > NAMED)
		diag_warn(d, "delta_review", NULL, "review: and %zu more", n - NAMED);
	return first;
}
