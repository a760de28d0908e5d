/* rows-rules.c -- see rows-rules.h */
#include "rows-rules.h"

#include <inttypes.h>
#include <stdlib.h>

static int check_backups(const struct plan *p, struct diag *d)
{
	const struct step *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->nstep; i++)
		if (!p->step[i].rows.backup.s && n++ == 0)
			first = &p->step[i];
	if (!first)
		return 0;
	char *ref = xmemdup(first->ref.s, first->ref.n);

	diag_hint(d, "plan again: mig-plan gives every batch a backup_rows action");
	diag_add(d, MIG_UNSAFE, "backup_required", ref, "%zu step%s no backup artifact of the rows that it %s", n,
	         n == 1 ? " names" : "s name", first->rows.deletes ? "deletes" : "replaces");
	free(ref);
	return -1;
}

/* The header counts the rows of all plans, so that each says the same; a header that says none is not believed. */
static int64_t deleted(const struct plan *p)
{
	int64_t here = 0;

	for (size_t i = 0; i < p->nstep; i++)
		here += p->step[i].rows.deletes ? p->step[i].rows.n : 0;
	return here && p->rows.deletes > here ? p->rows.deletes : here;
}

static int need_flag(const struct plan *p, struct diag *d)
{
	int64_t n = deleted(p);

	if (p->rollback_mode)
		return diag_add(d, MIG_UNSAFE, "destructive_flag", NULL,
		                "the rollback deletes the rows that the plan made: requires --allow-destructive");
	return diag_add(d, MIG_UNSAFE, "destructive_flag", NULL,
	                "%" PRId64 " row%s deleted: requires --allow-destructive", n, n == 1 ? " is" : "s are");
}

int rows_rules_check(const struct plan *p, const struct grant *g, struct diag *d)
{
	int rc = check_backups(p, d);
	bool destroys = false;

	for (size_t i = 0; i < p->nstep; i++)
		destroys = destroys || step_destroys(p, &p->step[i]);
	if (!destroys || g->allow_destructive || g->dry_run)
		return rc;
	diag_hint(d, "read the plan with mig-report, then mig-gate .. --allow-destructive");
	return need_flag(p, d);
}
