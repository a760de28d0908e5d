/* survey.c -- see survey.h */
#include "survey.h"

#include <stdio.h>

void survey_release(struct survey *v)
{
	restores_release(&v->restores);
}

void survey_note(struct survey *v, const struct plan *p)
{
	if (v->plans++ == 0)
		snprintf(v->snapshot, sizeof v->snapshot, "%.*s", (int)p->digest.n, p->digest.s);
	else if (!text_is(p->digest, v->snapshot))
		v->runs = true;
	v->back += p->rollback_mode;
	v->steps += p->nstep;
}

int survey_restores(struct survey *v, struct spool *permits, struct diag *d)
{
	struct holding h = HOLDING_INIT;
	uint32_t place = 0;
	int rc;

	/* within one run no document stands twice */
	if (!v->runs || !v->back)
		return 0;
	if ((rc = spool_rewind(permits, d)) == 0)
		while ((rc = holding_next(&h, permits, d)) > 0)
			restores_add(&v->restores, place++, &h.plan);
	restores_sort(&v->restores);
	holding_release(&h);
	return rc;
}

void survey_context(const struct survey *v, uint32_t place, struct apply_ctx *c)
{
	c->restores = v->restores.n ? &v->restores : NULL;
	c->place = place;
	c->ahead = c->grant->dry_run;
}

int survey_check(const struct survey *v, struct store *s, struct spool *permits, const char *now,
                 struct holding *failed, struct outcome *o, struct diag *d)
{
	uint32_t place = 0;
	int rc;

	if (v->plans < 2 || v->back < v->plans)
		return 0;
	if ((rc = spool_rewind(permits, d)) < 0)
		return -1;
	while ((rc = holding_next(failed, permits, d)) > 0) {
		struct apply_ctx c = { .grant = &failed->grant, .now = now };
		size_t before = d->n;

		survey_context(v, place++, &c);
		c.ahead = true;
		outcome_release(o);
		outcome_init(o, failed->plan.nstep);
		if (s->ops->check(s, &failed->plan, &c, o, d) < 0)
			return -1;
		diag_truncate(d, before); /* what is worth a warning will be said again */
	}
	return rc;
}
