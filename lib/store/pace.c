/* pace.c -- see pace.h */
#include "pace.h"

#include <inttypes.h>

/* What commits and rollbacks wrote, and how long they took. */
struct pace {
	int64_t documents, ms; /* ms is 0 where nothing is known */
};

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

/* Entries without a duration, or of a run with a fixed clock, do not count. */
static int pace_read(struct pace *p, struct store *s, struct diag *d)
{
	char head[HEX_SIZE];
	int64_t seq;

	*p = (struct pace){ .ms = 0 };
	return s->ops->ledger(s, add_entry, p, &seq, head, d);
}

/* How long so many documents would take, in ms. */
static int64_t pace_of(const struct pace *p, int64_t documents)
{
	return p->documents ? (int64_t)((double)documents * (double)p->ms / (double)p->documents + 0.5) : 0;
}

int pace_deadline(struct store *s, int64_t documents, int64_t seconds, struct diag *d)
{
	struct diag unseen = DIAG_INIT;
	struct pace p;
	int rc = 0;

	if (pace_read(&p, s, &unseen) < 0) {
		diag_warn(d, "deadline_unknown", diag_first(&unseen)->where, "cannot tell how long it will take: %s",
		          diag_first(&unseen)->message);
	} else if (!p.ms) {
		diag_warn(d, "deadline_unknown", NULL,
		          "cannot tell how long it will take: the ledger shows no pace yet");
	} else if (pace_of(&p, documents) > seconds * 1000) {
		diag_hint(d, "give it more time with --deadline, or go without one");
		rc = diag_add(d, MIG_ERROR, "deadline", NULL,
		              "would take about %" PRId64 " s, %" PRId64 " are allowed: %" PRId64
		              " documents, at the %.0f a second that the ledger shows; nothing was changed",
		              (pace_of(&p, documents) + 999) / 1000, seconds, documents,
		              (double)p.documents * 1000 / (double)p.ms);
	}
	diag_release(&unseen);
	return rc;
}
