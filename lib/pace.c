/* pace.c -- see pace.h */
#include "pace.h"

/* {"duration_ms":40,"written":[H,null,H]}: two documents in 40 ms */
static int add_entry(void *arg, const struct doc *e)
{
	struct pace *p = arg;
	uint32_t written = doc_member(e, 0, "written", 7), took = doc_member(e, 0, "duration_ms", 11);
	int64_t ms, n = 0;

	if (written == DOC_NONE || e->tok[written].type != DOC_ARRAY || took == DOC_NONE || !doc_int(e, took, &ms) ||
	    ms <= 0 || ms > INT32_MAX)
		return 0;
	for (uint32_t t = written + 1; t < e->tok[written].next; t = e->tok[t].next)
		n += e->tok[t].type == DOC_STRING;
	if (n) {
		p->documents += n;
		p->ms += ms;
	}
	return 0;
}

int pace_read(struct pace *p, struct store *s, struct diag *d)
{
	char head[HEX_SIZE];
	int64_t seq;

	*p = (struct pace){ .ms = 0 };
	return s->ops->ledger(s, add_entry, p, &seq, head, d);
}

int64_t pace_of(const struct pace *p, int64_t documents)
{
	return p->documents ? (int64_t)((double)documents * (double)p->ms / (double)p->documents + 0.5) : 0;
}
