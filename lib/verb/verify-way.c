/* verify-way.c -- see verify-way.h */
#include "verify-way.h"

#include "evidence.h"
#include "set-read.h"
#include "verify-drift.h"
#include "verify-ledger.h"

const char *verify_way_wrong(const struct verify_way *w)
{
	const struct verify_ask *a = &w->ask;

	if (w->head && !digest_spelled(w->head))
		return "--head: not a hash of 64 hex digits";
	if (w->head && !w->ledger)
		return "--head goes with --ledger";
	if (w->drift && (w->ledger || w->set || a->against || a->strict || a->rehearse))
		return "no other option goes with --drift";
	if (w->how.timeout == 0 || w->how.timeout > 86400)
		return "--timeout: from one second to a day";
	if (a->rehearse && (w->ledger || w->set))
		return "--rehearse goes with plans";
	if (w->ledger && (a->against || a->strict || w->set))
		return "--against, --strict and --set do not go with --ledger";
	if (w->set && a->against)
		return "--against goes with plans, not with --set";
	return NULL;
}

/* The set and the file of --against are read before the rest of the file system is out of reach. */
void verify_way_run(const struct verify_way *w, struct filter *f)
{
	struct buf against = BUF_INIT;
	struct verify_ask ask = w->ask;
	struct diag *d = &f->d;
	struct set *set = w->set ? set_read(w->set, d) : NULL;
	struct store *s = set || !w->set ? store_open_as(w->store, &w->how, d) : NULL;
	int rc = s ? 0 : -1;

	ask.against_text = &against;
	if (rc == 0 && ask.against)
		rc = io_read_file(ask.against, &against, "missing_plan_file", d);
	if (rc < 0 || s->ops->confine(s, d) < 0)
		;
	else if (w->set)
		evidence_run(s, set, ask.strict, &f->out, d);
	else if (w->drift)
		verify_drift(s, false, &f->out, d);
	else if (w->ledger)
		verify_ledger(s, w->head, &f->out, d);
	else
		verify_run(s, &ask, &f->in, &f->out, d);
	buf_release(&against);
	store_close(s);
	set_free(set);
}
