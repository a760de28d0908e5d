/* phasing.c -- see phasing.h */
#include "phasing.h"

#include <stdlib.h>

int phasing_read(struct phasing *x, const char *file, char *const *evidence, char *const *confirmed,
                 const struct keyring *trusted, struct diag *d)
{
	int rc = 0;

	if (!file)
		return 0;
	x->asked = true;
	if (phases_read(&x->phases, file, d) < 0)
		rc = -1;
	if (proofs_read(&x->proofs, evidence, d) < 0 || approvals_read(&x->confirmed, confirmed, trusted, d) < 0)
		rc = -1;
	return rc;
}

void phasing_release(struct phasing *x)
{
	phases_release(&x->phases);
	proofs_release(&x->proofs);
	approvals_release(&x->confirmed);
	buf_release(&x->grant);
}

static int early(struct diag *d, const struct phase *before, const struct phase *ph, const char *why)
{
	return diag_add(d, MIG_UNSAFE, "phase_order", before->id, "not done, and it comes before %s: %s", ph->id, why);
}

static int check_confirmed(const struct phasing *x, const struct phase *before, const struct phase *ph,
                           const struct grant *g, struct diag *d)
{
	if (approvals_hold(&x->confirmed, before->digest))
		return 0;
	diag_hint(d, "mig approve --digest %s --env %.*s .. > FILE, then mig-gate .. --confirmed FILE --trust KEY.pem",
	          before->digest, (int)g->env.n, g->env.s);
	char *why = xasprintf("nobody has confirmed: %s", before->confirm);

	early(d, before, ph, why);
	free(why);
	return -1;
}

static int check_verified(const struct phasing *x, const struct phase *before, const struct phase *ph,
                          const struct grant *g, struct diag *d)
{
	const struct doc *doc = &x->phases.file.doc;
	uint32_t list = phases_plans(&x->phases, before, g->env);
	int rc = 0;

	if (list == DOC_NONE || doc->tok[list].n == 0)
		return early(d, before, ph, "no plan of it is listed");
	for (uint32_t e = list + 1; e < doc->tok[list].next; e = doc->tok[e].next) {
		char *hash = record_dup(doc, e), *why;
		bool known;

		if (!proofs_hold(&x->proofs, hash, &known)) {
			why = xasprintf(known ? "mig-verify did not find the plan %.12s as it should be"
			                      : "there is no verdict on the plan %.12s",
			                hash);
			rc = early(d, before, ph, why);
			free(why);
		}
		free(hash);
	}
	if (rc)
		diag_hint(d, "mig-verify --store STORE < PLANS > VERDICTS, then mig-gate .. --evidence VERDICTS");
	return rc;
}

static bool is_digest(void *arg, struct text digest)
{
	const struct phases *x = arg;

	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].confirm && text_is(digest, x->v[i].digest))
			return true;
	return false;
}

static int check_before(struct phasing *x, const struct phase *ph, const struct grant *g, struct moment now,
                        struct diag *d)
{
	char *env = xmemdup(g->env.s, g->env.n);
	/* one that does not hold is a mistake, also where enough others do */
	int rc = approvals_check_each(&x->confirmed, is_digest, &x->phases, env, now, d);

	for (const struct phase *before = x->phases.v; before < ph; before++)
		if ((before->confirm ? check_confirmed(x, before, ph, g, d) : check_verified(x, before, ph, g, d)) < 0)
			rc = -1;
	free(env);
	return rc;
}

/* {"id":"backfill","strategy":H,"verified":["expand","dual-write"]} */
static void write_grant(struct phasing *x, const struct phase *ph, struct grant *g)
{
	struct rec w;

	rec_open(&w, &x->grant);
	rec_cstr(&w, "id", ph->id);
	rec_cstr(&w, "strategy", x->phases.hash);
	rec_name(&w, "verified");
	buf_addch(&x->grant, '[');
	for (const struct phase *before = x->phases.v; before < ph && !g->dry_run; before++) {
		if (before > x->phases.v)
			buf_addch(&x->grant, ',');
		canon_string(&x->grant, before->id, strlen(before->id));
	}
	buf_addch(&x->grant, ']');
	rec_close(&w);
	g->phase = (struct text){ x->grant.s, x->grant.len };
	g->phase_id = text_cstr(ph->id);
	g->phase_strategy = text_cstr(x->phases.hash);
}

/* Is the plan, which names a phase, one that this file could have made? */
static const struct phase *find(const struct phasing *x, const struct plan *p, struct diag *d)
{
	const struct phase *ph = phases_find(&x->phases, p->phase.id);

	if (text_is(p->phase.strategy, x->phases.hash) && ph && ph - x->phases.v + 1 == p->phase.index &&
	    (int64_t)x->phases.n == p->phase.of && text_is(p->phase.kind, phase_kind_name(ph->kind)))
		return ph;
	diag_add(d, MIG_INVALID, "phase_strategy", NULL, "the plan is a phase of another strategy: %.12s, not %.12s",
	         p->phase.strategy.s, x->phases.hash);
	return NULL;
}

int phasing_judge(struct phasing *x, const struct plan *p, struct grant *g, struct moment now, struct diag *d)
{
	const struct phase *ph;
	int rc = 0;

	if (!x->asked || p->rollback_mode)
		return 0;
	if (!p->phase.id.s) {
		diag_hint(d, "mig-plan --phases FILE --phase ID < PLANS makes plans a phase");
		return diag_add(d, MIG_UNSAFE, "phase_order", NULL, "the plan names no phase");
	}
	if (!(ph = find(x, p, d)))
		return -1;
	if (x->now && x->now != ph)
		return diag_add(d, MIG_INVALID, "phase_mixed", NULL, "plans of two phases in one stream: %s and %s",
		                x->now->id, ph->id);
	if (!g->dry_run && !phases_list(&x->phases, ph, g->env, p->hash)) {
		diag_hint(d, "read the plan, then add its plan_hash to plans.%.*s of the phase", (int)g->env.n,
		          g->env.s);
		rc = diag_add(d, MIG_UNSAFE, "phase_unlisted", NULL, "the phase %s does not list the plan %s for %.*s",
		              ph->id, p->hash, (int)g->env.n, g->env.s);
	}
	if (!x->now) {
		x->now = ph;
		write_grant(x, ph, g);
		if (!g->dry_run && check_before(x, ph, g, now, d) < 0)
			rc = -1;
	}
	return rc;
}
