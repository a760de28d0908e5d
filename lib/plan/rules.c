/* rules.c -- see rules.h */
#include "rules.h"

#include "breaking.h"
#include "phase-rules.h"
#include "rows-rules.h"
#include "rules-descriptor.h"
#include "rules-sql.h"

#include <stdio.h>
#include <stdlib.h>

const char rules_passed[] = "[\"plan_hash\",\"rollback_complete\",\"env_match\",\"scope_match\",\"apply_flag\","
			    "\"prod_ticket\",\"destructive_flag\",\"irreversible_flag\",\"breaking_change\","
			    "\"version_bump\",\"review_approval\",\"backup_first\",\"critical_delta\",\"phase_order\"]";

static bool blank(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] != ' ' && t.s[i] != '\t')
			return false;
	return true;
}

static bool same_scope(struct text a, struct text b)
{
	return (a.s == NULL) == (b.s == NULL) && (!a.s || text_same(a, b));
}

static int check_env(const struct plan *p, const struct grant *g, struct diag *d)
{
	if (text_same(p->env, g->env))
		return 0;
	diag_hint(d, "plan again with --env %.*s", (int)g->env.n, g->env.s);
	return diag_add(d, MIG_INVALID, "env_match", NULL, "the plan was made for env %.*s, not %.*s", (int)p->env.n,
	                p->env.s, (int)g->env.n, g->env.s);
}

/* "tenant acme" or "no tenant" */
static const char *scope_name(char *out, size_t n, const char *what, struct text t)
{
	if (t.s)
		snprintf(out, n, "%s %.*s", what, (int)t.n, t.s);
	else
		snprintf(out, n, "no %s", what);
	return out;
}

static int check_scope(const struct plan *p, const struct grant *g, struct diag *d)
{
	const struct {
		const char *what;
		struct text plan, grant;
	} parts[] = { { "tenant", p->tenant, g->tenant }, { "project", p->project, g->project } };
	char a[160], b[160];
	int rc = 0;

	for (size_t i = 0; i < 2; i++)
		if (!same_scope(parts[i].plan, parts[i].grant))
			rc = diag_add(d, MIG_INVALID, "scope_match", NULL,
			              "scope mismatch: the plan was made for %s, this run is for %s",
			              scope_name(a, sizeof a, parts[i].what, parts[i].plan),
			              scope_name(b, sizeof b, parts[i].what, parts[i].grant));
	if (rc)
		diag_hint(d, "give mig-gate the --tenant and --project of the plan, or plan again");
	return rc;
}

static int check_flags(const struct grant *g, struct diag *d)
{
	bool ticket = !text_is(g->env, "prod") || !blank(g->ticket);
	int rc = 0;

	if (g->dry_run)
		return 0;
	if (!g->apply) {
		diag_hint(d, "give mig-gate, or mig, --apply%s (--dry-run only looks)",
		          ticket ? "" : " --prod-override TICKET");
		rc = diag_add(d, MIG_UNSAFE, "apply_flag", NULL, "apply mode requires --apply");
	}
	if (!ticket) {
		diag_hint(d, "give mig-gate, or mig, --apply --prod-override TICKET");
		rc = diag_add(d, MIG_UNSAFE, "prod_ticket", NULL, "env prod requires a ticket: --prod-override");
	}
	return rc;
}

/* " (and 2 more)" */
static char *and_more(size_t n)
{
	return n > 1 ? xasprintf(" (and %zu more)", n - 1) : xstrdup("");
}

/* One finding for all the steps concerned: the first is named, the others counted. */
static int blame(struct diag *d, const char *rule, const struct step *first, size_t n, const char *what)
{
	char *more = and_more(n);
	char *ref = xmemdup(first->ref.s, first->ref.n);

	diag_hint(d, "read the plan with mig-report, then mig-gate .. --allow-destructive");
	diag_add(d, MIG_UNSAFE, rule, ref, "%s%s: requires --allow-destructive", what, more);
	free(more);
	free(ref);
	return -1;
}

static int check_destruction(const struct plan *p, const struct grant *g, struct diag *d)
{
	const struct step *destroys = NULL, *forever = NULL;
	size_t ndestroy = 0, nforever = 0;
	int rc = plan_of_rows(p) ? rows_rules_check(p, g, d) : 0;

	if (g->allow_destructive || g->dry_run)
		return rc;
	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		if (!s->rows.any && step_destroys(p, s) && ndestroy++ == 0)
			destroys = s;
		if (!s->reversible && nforever++ == 0)
			forever = s;
	}
	if (destroys)
		rc = blame(d, "destructive_flag", destroys, ndestroy, "the step removes data");
	if (forever)
		rc = blame(d, "irreversible_flag", forever, nforever, "the step cannot be undone");
	return rc;
}

static int contract_broken(struct diag *d, const struct step *s, const char *what, size_t n)
{
	char *ref = xmemdup(s->ref.s, s->ref.n), *more = and_more(n);

	diag_hint(d, "let the hop lead to a greater major version, then plan again");
	diag_add(d, MIG_INVALID, "breaking_change", ref, "the step from %.*s to %.*s %s%s: a breaking change needs a "
	         "major bump", (int)s->from_version.n, s->from_version.s, (int)s->to_version.n, s->to_version.s, what,
	         more);
	free(more);
	free(ref);
	return -1;
}

/* Most steps of a plan lead from and to the versions of the one before. */
static bool repeats_versions(const struct plan *p, size_t i)
{
	return i > 0 && text_same(p->step[i].from_version, p->step[i - 1].from_version) &&
	       text_same(p->step[i].to_version, p->step[i - 1].to_version);
}

/* Undoing breaks nothing: who reads the old version is back. */
static int check_contract(const struct plan *p, struct diag *d)
{
	const struct step *first = NULL;
	char *what = NULL;
	size_t n = 0;
	bool allowed = false;

	/* who reads rows is not told by the rows that they got more of them */
	for (size_t i = 0; i < p->nstep && !p->rollback_mode && !plan_of_rows(p); i++) {
		if (!repeats_versions(p, i))
			allowed = breaking_allowed(&p->step[i]);
		char *this = allowed ? NULL : breaking_change(p, i);

		if (this && n++ == 0) {
			first = &p->step[i];
			what = this;
		} else {
			free(this);
		}
	}
	int rc = first ? contract_broken(d, first, what, n) : 0;

	free(what);
	return rc;
}

static int check_bump(const struct plan *p, struct diag *d)
{
	const struct step *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->nstep; i++)
		if (p->step[i].type == STEP_PROFILE && breaking_same_version(&p->step[i]) && n++ == 0)
			first = &p->step[i];
	if (!first)
		return 0;
	char *ref = xmemdup(first->ref.s, first->ref.n), *more = and_more(n);

	diag_hint(d, "give the changed profile a version of its own, then plan again");
	diag_add(d, MIG_INVALID, "version_bump", ref, "the profile changes and its version %.*s does not%s",
	         (int)first->to_version.n, first->to_version.s, more);
	free(more);
	free(ref);
	return -1;
}

const struct step *rules_review(const struct plan *p, const struct grant *g, struct diag *d)
{
	if (plan_of_sql(p))
		return sql_review(p, g, d);
	if (plan_of_descriptor(p))
		return descriptor_review(p, d);
	/* the way back was part of what was reviewed */
	for (size_t i = 0; i < p->nstep && !p->rollback_mode; i++)
		if (!repeats_versions(p, i) && breaking_major(&p->step[i])) {
			const struct step *s = &p->step[i];

			if (d)
				diag_warn(d, "major_change", NULL, "review: a greater major version, %.*s to %.*s",
				          (int)s->from_version.n, s->from_version.s, (int)s->to_version.n,
				          s->to_version.s);
			return s;
		}
	return NULL;
}

int rules_approval(const struct grant *g, size_t need, struct diag *d)
{
	if (need == 0)
		need = text_is(g->env, "prod");
	if (g->dry_run || g->napproval >= need)
		return 0;
	diag_hint(d, "mig approve --digest %.*s --env %.*s .. > FILE, then mig-gate .. --approval FILE --trust KEY.pem",
	          (int)g->digest.n, g->digest.s, (int)g->env.n, g->env.s);
	return diag_add(d, MIG_UNSAFE, "review_approval", NULL, "in review: %zu approval%s needed, %zu given", need,
	                need == 1 ? " is" : "s are", g->napproval);
}

int rules_check(const struct plan *p, const struct grant *g, struct diag *d)
{
	int rc = 0;

	rc |= check_env(p, g, d);
	rc |= check_scope(p, g, d);
	rc |= check_flags(g, d);
	rc |= phase_rules_check(p, g, d);
	if (plan_of_sql(p))
		return rc | sql_destruction(p, g, d) ? -1 : 0;
	if (plan_of_descriptor(p))
		return rc | descriptor_rules_check(p, g, d) ? -1 : 0;
	rc |= check_contract(p, d);
	rc |= check_bump(p, d);
	rc |= check_destruction(p, g, d);
	return rc ? -1 : 0;
}
