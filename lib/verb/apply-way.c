/* apply-way.c -- see apply-way.h */
#include "apply-way.h"

#include "crew-hand.h"
#include "prune.h"

_Static_assert(CREW_MAX == 64, "as the usage says");

const char *apply_way_wrong(const struct apply_way *w)
{
	const struct apply_ask *a = &w->ask;

	if (a->lock_timeout > 86400)
		return "--lock-timeout: at most a day";
	if (a->deadline == 0 || a->deadline > 31536000)
		return "--deadline: from one second to a year";
	if (a->retries > 100 || a->batch_delay > 3600000)
		return "--retries: at most 100; --batch-delay: at most an hour";
	if (w->how.timeout == 0 || w->how.timeout > 86400)
		return "--timeout: from one second to a day";
	if (a->jobs < 1 || a->jobs > CREW_MAX)
		return "--jobs: from 1 to 64";
	if (!w->prune && (w->before || w->apply || w->ticket))
		return "--before, --apply and --prod-override go with --prune";
	if (w->prune && !w->before)
		return "--prune needs --before";
	if (w->prune && (w->recover || a->jobs > 1 || a->deadline != CLI_NONE || w->trust))
		return "--jobs, --recover, --deadline and --trust do not go with --prune";
	return NULL;
}

static void prune(const struct apply_way *w, struct store *s, struct filter *f)
{
	const struct grant self = { .actor = text_cstr(w->ask.actor), .ticket = text_cstr(w->ticket) };
	const struct prune_ask ask = {
		.before = w->before,
		.apply = w->apply,
		.lock_timeout = w->ask.lock_timeout,
		.ctx = { .grant = &self, .now = w->ask.now },
	};

	prune_run(s, &ask, &f->out, &f->d);
}

static void apply(const struct apply_way *w, struct store *s, struct trust *trust, struct spool *permits,
                  struct filter *f)
{
	struct apply_ask ask = w->ask;

	ask.trust = trust;
	ask.deadline = ask.deadline == CLI_NONE ? 0 : ask.deadline;
	ask.recover = w->recover != NULL;
	ask.recovery = w->recover && *w->recover == 'u' ? STORE_UNDO : STORE_REDO;
	apply_run(s, &ask, permits, &f->in, &f->out, &f->d);
}

/* The keys are read, and the spool is made, before the rest of the file system is out of reach. */
void apply_way_run(const struct apply_way *w, struct filter *f)
{
	struct trust trust = TRUST_INIT;
	struct spool permits = { .fd = -1 };
	struct diag *d = &f->d;
	struct store *s = store_open_as(w->store, &w->how, d);

	if (s && (s->ops->database || s->ops->look) && w->ask.jobs > 1)
		diag_add(d, MIG_USAGE, "no_jobs", NULL, "--jobs: one process at a time writes to a database or an app");
	if (s && !d->n && trust_read(&trust, w->trust, d) == 0 && spool_init(&permits, d) == 0 &&
	    s->ops->confine(s, d) == 0) {
		if (w->prune)
			prune(w, s, f);
		else
			apply(w, s, &trust, &permits, f);
	}
	trust_release(&trust);
	spool_release(&permits);
	store_close(s);
}
