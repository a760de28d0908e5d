/* stored-plan.c -- see stored-plan.h */
#include "stored-plan.h"

void stored_plan_release(struct stored_plan *p)
{
	buf_release(&p->text);
	doc_release(&p->doc);
	plan_release(&p->plan);
}

int stored_plan_read(struct stored_plan *p, struct store *s, const char *hash, struct diag *d)
{
	buf_reset(&p->text);
	if (s->ops->plan(s, hash, &p->text, d) < 0)
		return -1;
	if (doc_parse(&p->doc, p->text.s, p->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is damaged: %s",
		                p->doc.err.reason);
	return plan_read(&p->plan, &p->doc, 0, hash, d);
}
