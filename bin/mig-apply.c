/*
 * mig-apply -- use permits: do what their plans say.
 *
 * stdin: permits, or verdicts to write down; with --prune nothing.  stdout: an
 * outcome for each plan, the verdicts, or what was pruned, then end.  Exit: 0, 2,
 * 3 (store missing, locked, full; stream cut short; pruned), 4 (drift, a hash does
 * not hold), 5 (no permit, or one that is not believed), 1 (also for a deadline).
 */
#include "apply.h"
#include "cli.h"
#include "crew.h"
#include "prune.h"

#include <stdlib.h>

static const char help[] =
	"usage: mig-apply --store URI [--trust KEY.pem ...] [--jobs N]\n"
	"                 [--recover redo|undo] [--lock-timeout SECONDS]\n"
	"                 [--deadline SECONDS] [--state DIR] [--create] [--retries N]\n"
	"                 [--batch-delay MS] [--api URL] [--token-file FILE] [--ca FILE]\n"
	"                 [--timeout SECONDS] [--now TIME]\n"
	"       mig-apply --store URI --prune --before TIME [--apply]\n"
	"                 [--prod-override TICKET] [--lock-timeout SECONDS] [--now TIME]\n"
	"\n"
	"Do exactly what the permitted plans on stdin say; the only filter that writes.\n"
	"Verdicts on stdin are written into the ledger and passed on.\n"
	"\n"
	"  --store URI             where the documents live, fs:DIR, or a database, sqlite:FILE\n"
	"                          or postgresql://.., or an app, instantdb:APP (or MIG_STORE)\n"
	"  --trust KEY.pem         refuse permits that no such key signed; may be given more\n"
	"                          than once (default: the keys in the store's .mig/trust/)\n"
	"  --jobs N                processes at work, a plan each (1; at most 64)\n"
	"  --recover redo|undo     plans that a killed run began: name them, to be applied\n"
	"                          again (redo), or undo them first; also without permits\n"
	"  --prune                 drop plans and the originals that only they needed;\n"
	"                          they cannot be rolled back any more\n"
	"  --before TIME           those that ended before it (RFC 3339, or a date)\n"
	"  --apply                 let --prune write; else it only shows\n"
	"  --prod-override TICKET  the ticket that plans of env prod need\n"
	"  --lock-timeout SECONDS  how long to wait for another writer (10)\n"
	"  --deadline SECONDS      do not begin what would take longer, as far as the ledger tells\n"
	"  --state DIR             where the rows go that a database is about to lose\n"
	"                          (default: FILE.mig beside a SQLite file); of an app its\n"
	"                          ledger, plans and backups\n"
	"  --create                make a SQLite file that lacks\n"
	"  --retries N             of a batch of rows, after a failure that may pass (4)\n"
	"  --batch-delay MS        how long to wait from one batch of rows to the next (0)\n"
	"  --api URL               of InstantDB (https://api.instantdb.com)\n"
	"  --token-file FILE       the app's admin token, instead of MIG_TOKEN\n"
	"  --ca FILE               the certificates to trust, instead of the system's\n"
	"  --timeout SECONDS       for each answer of an app (60)\n"
	"  --now TIME              the time to stamp (RFC 3339) instead of the clock\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 applied or nothing to do, 1 unexpected error or past the deadline,\n"
	"2 usage or an unknown record, 3 store missing, locked, full or not writable, the\n"
	"stream was cut short or the plan pruned, 4 drift, or a hash or check does not\n"
	"hold, 5 no permit, or one that is unsigned, foreign, expired or spent; no ticket.\n";

enum { NONE = -1 };

struct opts {
	const char *store, *now, *recover, *before, *ticket;
	struct store_how how;
	struct cli_list trust;
	int64_t lock_timeout, deadline, jobs, retries, batch_delay, timeout;
	bool prune, apply;
	char *stamp, *limit, *actor;
};

static int check_opts(struct opts *o)
{
	if (!o->store && !(o->store = cli_store()))
		return cli_usage(help, "--store is required");
	if (o->lock_timeout > 86400)
		return cli_usage(help, "--lock-timeout: at most a day");
	if (o->deadline == 0 || o->deadline > 31536000)
		return cli_usage(help, "--deadline: from one second to a year");
	if (o->retries > 100 || o->batch_delay > 3600000)
		return cli_usage(help, "--retries: at most 100; --batch-delay: at most an hour");
	if (o->timeout == 0 || o->timeout > 86400)
		return cli_usage(help, "--timeout: from one second to a day");
	o->how.timeout = o->timeout == NONE ? 0 : (unsigned)o->timeout;
	if (o->jobs < 1 || o->jobs > CREW_MAX)
		return cli_usage(help, "--jobs: from 1 to %d", CREW_MAX);
	if (o->recover && strcmp(o->recover, "redo") != 0 && strcmp(o->recover, "undo") != 0)
		return cli_usage(help, "--recover: redo or undo: %s", o->recover);
	if (!o->prune && (o->before || o->apply || o->ticket))
		return cli_usage(help, "--before, --apply and --prod-override go with --prune");
	if (o->prune && !o->before)
		return cli_usage(help, "--prune needs --before");
	if (o->prune && (o->recover || o->jobs > 1 || o->deadline != NONE))
		return cli_usage(help, "--jobs, --recover and --deadline do not go with --prune");
	if ((o->ticket && *o->ticket && !cli_text(help, "prod-override", o->ticket)) ||
	    (o->before && !cli_day(help, "before", o->before, &o->limit)) || !(o->actor = cli_actor(help)))
		return MIG_USAGE;
	return cli_now(help, o->now, &o->stamp) ? -1 : MIG_USAGE;
}

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "trust", CLI_LIST, &o->trust },
		                        { "now", CLI_TEXT, &o->now },
		                        { "lock-timeout", CLI_COUNT, &o->lock_timeout },
		                        { "deadline", CLI_COUNT, &o->deadline },
		                        { "jobs", CLI_COUNT, &o->jobs },
		                        { "recover", CLI_TEXT, &o->recover },
		                        { "state", CLI_TEXT, &o->how.state },
		                        { "create", CLI_FLAG, &o->how.create },
		                        { "retries", CLI_COUNT, &o->retries },
		                        { "batch-delay", CLI_COUNT, &o->batch_delay },
		                        { "api", CLI_TEXT, &o->how.api },
		                        { "token-file", CLI_TEXT, &o->how.token_file },
		                        { "ca", CLI_TEXT, &o->how.ca },
		                        { "timeout", CLI_COUNT, &o->timeout },
		                        { "prune", CLI_FLAG, &o->prune },
		                        { "before", CLI_TEXT, &o->before },
		                        { "apply", CLI_FLAG, &o->apply },
		                        { "prod-override", CLI_TEXT, &o->ticket },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	return rc >= 0 ? rc : check_opts(o);
}

static int prune(struct store *s, const struct opts *o, struct filter *f)
{
	const struct grant self = {
		.actor = { o->actor, strlen(o->actor) },
		.ticket = { o->ticket, o->ticket ? strlen(o->ticket) : 0 },
	};
	const struct prune_ask ask = {
		.before = o->limit,
		.apply = o->apply,
		.lock_timeout = (unsigned)o->lock_timeout,
		.ctx = { .grant = &self, .now = o->stamp },
	};

	return prune_run(s, &ask, &f->out, &f->d);
}

static void run(const struct opts *o, struct filter *f)
{
	struct trust trust = TRUST_INIT;
	const struct apply_ask ask = {
		.lock_timeout = (unsigned)o->lock_timeout,
		.now = o->stamp,
		.deadline = o->deadline == NONE ? 0 : o->deadline,
		.jobs = (unsigned)o->jobs,
		.recover = o->recover != NULL,
		.recovery = o->recover && *o->recover == 'u' ? STORE_UNDO : STORE_REDO,
		.actor = o->actor,
		.retries = (unsigned)o->retries,
		.batch_delay = o->batch_delay,
		.trust = &trust,
	};
	struct spool permits = { .fd = -1 };
	struct store *s = store_open_as(o->store, &o->how, &f->d);

	if (s && (s->ops->database || s->ops->look) && o->jobs > 1)
		diag_add(&f->d, MIG_USAGE, "no_jobs", NULL,
		         "--jobs: one process at a time writes to a database or an app");
	/* the keys are read before the rest of the file system is out of reach */
	if (s && !f->d.n && trust_read(&trust, o->trust.v, &f->d) == 0 && spool_init(&permits, &f->d) == 0 &&
	    s->ops->confine(s, &f->d) == 0) {
		if (o->prune)
			prune(s, o, f);
		else
			apply_run(s, &ask, &permits, &f->in, &f->out, &f->d);
	}
	trust_release(&trust);
	spool_release(&permits);
	if (s)
		s->ops->close(s);
}

int main(int argc, char **argv)
{
	struct opts o = {
		.how.mode = STORE_WRITE, .lock_timeout = 10, .deadline = NONE, .jobs = 1, .retries = 4, .timeout = NONE
	};
	struct filter f;

	progname = "mig-apply";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0) {
		filter_init(&f, progname, !o.prune);
		run(&o, &f);
		rc = filter_finish(&f);
	}
	free(o.trust.v);
	free(o.stamp);
	free(o.limit);
	free(o.actor);
	return rc;
}
