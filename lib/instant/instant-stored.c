/* instant-stored.c -- see instant-stored.h */
#include "instant-stored.h"

#include <stdio.h>

void instant_stored_release(struct instant_stored *u)
{
	buf_release(&u->text);
	doc_release(&u->doc);
	plan_release(&u->plan);
	instant_standing_release(&u->was);
}

int instant_stored_read(struct instant_stored *u, const struct instant_state *s, const char *hash, struct diag *d)
{
	char name[HEX_SIZE + 8];

	snprintf(name, sizeof name, "%.64s.json", hash);
	int rc = instant_state_get(s, "plans", name, &u->text, d);

	if (rc == 0)
		return diag_add(d, MIG_PRECONDITION, "missing_plan", hash, "this plan is not in the state folder");
	if (rc < 0)
		return -1;
	if (doc_parse(&u->doc, u->text.s, u->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is damaged: %s",
		                u->doc.err.reason);
	if (plan_read(&u->plan, &u->doc, 0, hash, d) < 0)
		return -1;
	if (strcmp(u->plan.hash, hash) != 0 || !plan_of_rows(&u->plan) || u->plan.rollback_mode)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is another one");
	return 0;
}

const struct step *instant_stored_step(const struct instant_stored *u, struct text step_id)
{
	for (size_t i = 0; i < u->plan.nstep; i++)
		if (text_same(u->plan.step[i].step_id, step_id))
			return &u->plan.step[i];
	return NULL;
}
