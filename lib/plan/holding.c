/* holding.c -- see holding.h */
#include "holding.h"

#include "rules.h"

void holding_release(struct holding *h)
{
	doc_release(&h->doc);
	buf_release(&h->arena);
	plan_release(&h->plan);
}

typedef int plan_reader(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d);

static int open_permit(struct holding *h, const struct doc *doc, plan_reader *reader, const char *where, struct diag *d)
{
	if (grant_read(&h->grant, doc, doc_member(doc, 0, "grant", 5), &h->arena, where, d) < 0)
		return -1;
	return reader(&h->plan, doc, doc_member(doc, 0, "plan", 4), where, d);
}

int holding_take(struct holding *h, const struct doc *doc, const char *where, struct diag *d)
{
	if (open_permit(h, doc, plan_read, where, d) < 0 || rules_check(&h->plan, &h->grant, d) < 0)
		return -1;
	/* what a policy put into review the signature must vouch for */
	return rules_review(&h->plan, &h->grant, NULL) ? rules_approval(&h->grant, 0, d) : 0;
}

/* Where the rollback list of a kept permit is: nearly half of it, and plan_reread has no use for it. */
struct aside {
	uint64_t off, n;
};

int holding_keep(const struct holding *h, struct spool *permits, const char *line, size_t n, struct diag *d)
{
	const struct doc *doc = h->plan.doc;
	const struct tok *rollback = &doc->tok[doc_member(doc, h->plan.root, "rollback", 8)];
	const struct aside a = { rollback->off, rollback->len };

	return spool_add_parts(permits, (const char *)&a, sizeof a, line, n, d);
}

int holding_next(struct holding *h, struct spool *permits, struct diag *d)
{
	const char *text;
	struct aside a;
	size_t n;
	int rc = spool_next(permits, &text, &n, d);

	if (rc <= 0)
		return rc;
	memcpy(&a, text, sizeof a);
	text += sizeof a;
	n -= sizeof a;
	if (doc_parse_around(&h->doc, text, n, RECORD_MAX_DEPTH, a.off, a.n) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "a permit does not read back: %s", h->doc.err.reason);
	return open_permit(h, &h->doc, plan_reread, NULL, d) < 0 ? -1 : 1;
}
