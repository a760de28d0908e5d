/* pace.c -- see pace.h */
#include "pace.h"

#include "ledger-line.h"
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>

/* What came by the permits of one gate: their plans may have been at work at the same time. */
struct run {
	char nonce[HEX_SIZE];
	int64_t begun, ended; /* seconds since 1970; the ledger has no finer ones */
	int64_t ms;           /* its plans' own times, added up */
};

/*
 * What commits and rollbacks wrote, and how long they took: each for itself, and
 * all together.  Two plans of a minute each, begun and ended in the same minute:
 * ms 120000, wall 61000.
 */
struct pace {
	int64_t documents, ms, wall; /* ms is 0 where nothing is known */
	struct run run;              /* the one at hand */
};

/* A run took no longer than from its first begin to its last end, nor than all its plans one after the other. */
static void end_run(struct pace *p)
{
	int64_t span = (p->run.ended - p->run.begun + 1) * 1000;

	p->wall += p->run.ms && span > 0 && span < p->run.ms ? span : p->run.ms;
	p->run = (struct run){ .ms = 0 };
}

/* The run that an entry belongs to. */
static void follow_run(struct pace *p, struct text nonce, struct text time)
{
	struct moment m;

	if (!nonce.n || text_is(nonce, p->run.nonce))
		return;
	end_run(p);
	ledger_line_keep(p->run.nonce, sizeof p->run.nonce, nonce);
	/* without a begin nothing is seen to overlap */
	p->run.begun = *p->run.nonce && moment_read(time, &m) ? m.seconds : 0;
}

/* {"duration_ms":40,"written":[H,null,H]}: two documents in 40 ms */
static int add_entry(void *arg, const struct doc *e)
{
	struct pace *p = arg;
	uint32_t written = doc_member(e, 0, "written", 7), took = doc_member(e, 0, "duration_ms", 11);
	struct text time = ledger_line_member(e, "time");
	struct moment m;
	int64_t ms, n = 0;

	follow_run(p, ledger_line_member(e, "nonce"), time);
	if (written == DOC_NONE || e->tok[written].type != DOC_ARRAY || took == DOC_NONE || !doc_int(e, took, &ms) ||
	    ms <= 0 || ms > INT32_MAX)
		return 0;
	for (uint32_t t = written + 1; t < e->tok[written].next; t = e->tok[t].next)
		n += e->tok[t].type == DOC_STRING;
	if (n) {
		p->documents += n;
		p->ms += ms;
		p->run.ms += ms;
		p->run.ended = moment_read(time, &m) ? m.seconds : p->run.begun - 1; /* no span, then */
	}
	return 0;
}

/* Entries without a duration, or of a run with a fixed clock, do not count. */
static int pace_read(struct pace *p, struct store *s, struct diag *d)
{
	char head[HEX_SIZE];
	int64_t seq;

	*p = (struct pace){ .ms = 0 };
	int rc = s->ops->ledger(s, add_entry, p, &seq, head, d);

	end_run(p);
	return rc;
}

/*
 * What so many processes would have taken for what the ledger shows, in ms.  More
 * of them are as much faster as they ever were, and no more; fewer do the plans
 * of the others as well.
 */
static double pace_took(const struct pace *p, unsigned jobs)
{
	double shared = (double)p->ms / jobs, wall = (double)p->wall;

	return shared > wall ? shared : wall;
}

int pace_deadline(struct store *s, int64_t documents, unsigned jobs, int64_t seconds, struct diag *d)
{
	struct diag unseen = DIAG_INIT;
	struct pace p;
	int rc = pace_read(&p, s, &unseen);
	double each = rc == 0 && p.documents ? pace_took(&p, jobs) / (double)p.documents : 0;
	int64_t takes = (int64_t)((double)documents * each + 0.5); /* ms */

	if (rc < 0) {
		rc = 0;
		diag_warn(d, "deadline_unknown", diag_first(&unseen)->where, "cannot tell how long it will take: %s",
		          diag_first(&unseen)->message);
	} else if (!p.ms) {
		diag_warn(d, "deadline_unknown", NULL,
		          "cannot tell how long it will take: the ledger shows no pace yet");
	} else if (takes > seconds * 1000) {
		char rate[32];

		snprintf(rate, sizeof rate, each > 100 ? "%.2g" : "%.0f", 1000 / each);
		diag_hint(d, "give it more time with --deadline, or go without one");
		rc = diag_add(d, MIG_ERROR, "deadline", NULL,
		              "would take about %" PRId64 " s, %" PRId64 " are allowed: %" PRId64
		              " documents, at the %s a second that the ledger shows; nothing was changed",
		              (takes + 999) / 1000, seconds, documents, rate);
	}
	diag_release(&unseen);
	return rc;
}
