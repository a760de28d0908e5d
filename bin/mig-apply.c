/*
 * mig-apply -- use permits: do what their plans say.
 *
 * stdin: permits, or verdicts to write down; with --prune nothing.  stdout: an
 * outcome for each plan, the verdicts, or what was pruned, then end.  Exit: 0, 2,
 * 3 (store missing, locked, full; stream cut short; pruned), 4 (drift, a hash does
 * not hold), 5 (no permit, or one that is not believed), 1 (also for a deadline).
 */
#include "apply-way.h"

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

struct opts {
	struct apply_way way;
	char *stamp, *limit, *actor; /* what --now, --before and the environment come to */
};

static int check_opts(struct opts *o)
{
	struct apply_way *w = &o->way;
	const char *wrong;

	if (!w->store && !(w->store = cli_store()))
		return cli_usage(help, "--store is required");
	if ((wrong = apply_way_wrong(w)))
		return cli_usage(help, "%s", wrong);
	if (w->recover && strcmp(w->recover, "redo") != 0 && strcmp(w->recover, "undo") != 0)
		return cli_usage(help, "--recover: redo or undo: %s", w->recover);
	if ((w->ticket && *w->ticket && !cli_text(help, "prod-override", w->ticket)) ||
	    (w->before && !cli_day(help, "before", w->before, &o->limit)) || !(o->actor = cli_actor(help)) ||
	    !cli_now(help, w->ask.now, &o->stamp))
		return MIG_USAGE;
	w->before = o->limit;
	w->ask.actor = o->actor;
	w->ask.now = o->stamp;
	return -1;
}

static int parse_opts(struct opts *o, int argc, char **argv)
{
	struct apply_way *w = &o->way;
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &w->store },
		                        { "trust", CLI_LIST, &w->trust },
		                        { "now", CLI_TEXT, &w->ask.now },
		                        { "lock-timeout", CLI_COUNT, &w->ask.lock_timeout },
		                        { "deadline", CLI_COUNT, &w->ask.deadline },
		                        { "jobs", CLI_COUNT, &w->ask.jobs },
		                        { "recover", CLI_TEXT, &w->recover },
		                        { "state", CLI_TEXT, &w->how.state },
		                        { "create", CLI_FLAG, &w->how.create },
		                        { "retries", CLI_COUNT, &w->ask.retries },
		                        { "batch-delay", CLI_COUNT, &w->ask.batch_delay },
		                        { "api", CLI_TEXT, &w->how.api },
		                        { "token-file", CLI_TEXT, &w->how.token_file },
		                        { "ca", CLI_TEXT, &w->how.ca },
		                        { "timeout", CLI_COUNT, &w->how.timeout },
		                        { "prune", CLI_FLAG, &w->prune },
		                        { "before", CLI_TEXT, &w->before },
		                        { "apply", CLI_FLAG, &w->apply },
		                        { "prod-override", CLI_TEXT, &w->ticket },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	return rc >= 0 ? rc : check_opts(o);
}

int main(int argc, char **argv)
{
	struct opts o = { .way = APPLY_WAY_INIT };
	struct filter f;

	progname = "mig-apply";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0) {
		filter_init(&f, progname, !o.way.prune);
		apply_way_run(&o.way, &f);
		rc = filter_finish(&f);
	}
	free(o.way.trust);
	free(o.stamp);
	free(o.limit);
	free(o.actor);
	return rc;
}
