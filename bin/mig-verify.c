/*
 * mig-verify -- does the store hold what the plans promise?
 *
 * stdin: plans, permits or outcomes; nothing with --ledger, --set or --drift.  stdout: a
 * verdict for each, for the ledger, or for the documents of the set, then end.
 * Exit: 0, 2, 3 (store, set or plan missing), 4 (drift, not applied, a hash does
 * not hold), 1.
 */
#include "verify-way.h"

static const char help[] =
	"usage: mig-verify --store URI [--against FILE] [--strict] [--rehearse]\n"
	"                  [--state DIR]\n"
	"       mig-verify --store URI --ledger [--head HASH]\n"
	"       mig-verify --store URI --set DIR [--strict]\n"
	"       mig-verify --store URI --drift\n"
	"       mig-verify --store instantdb:APP --state DIR [--against FILE] [--strict]\n"
	"                  [--ledger] [--head HASH] [--api URL] [--token-file FILE]\n"
	"                  [--ca FILE] [--timeout SECONDS]\n"
	"\n"
	"Check that the store holds what the plans, permits or outcomes on stdin promise,\n"
	"that its ledger is whole, or that its files are what its documents record of them.\n"
	"\n"
	"  --store URI      where the documents live, fs:DIR, or a database, sqlite:FILE\n"
	"                   or postgresql://.., or an app, instantdb:APP (or MIG_STORE)\n"
	"  --against FILE   the plans on stdin must be those of FILE\n"
	"  --strict         warnings count as failures\n"
	"  --state DIR      where mig-apply kept the rows that a rollback put back\n"
	"                   (default: FILE.mig beside a SQLite file); of an app its ledger,\n"
	"                   plans and backups\n"
	"  --rehearse       try the plans and then their rollbacks on a copy of the database\n"
	"  --drift          a database against what was recorded of it; reads no stdin\n"
	"  --ledger         re-compute the ledger's chain; reads no stdin\n"
	"  --head HASH      a head kept elsewhere, which the chain must hold\n"
	"  --set DIR        recompute the evidence that this set declares; reads no stdin\n"
	"  --api URL        of InstantDB (https://api.instantdb.com)\n"
	"  --token-file FILE  the app's admin token, instead of MIG_TOKEN\n"
	"  --ca FILE        the certificates to trust, instead of the system's\n"
	"  --timeout SECONDS  for each answer of an app (60)\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 it does, 1 unexpected error, 2 usage or a line that is no record,\n"
	"3 store, set, file or plan missing, or the stream was cut short, 4 it does not.\n";

static int parse_opts(struct verify_way *w, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &w->store },
		                        { "against", CLI_TEXT, &w->ask.against },
		                        { "strict", CLI_FLAG, &w->ask.strict },
		                        { "ledger", CLI_FLAG, &w->ledger },
		                        { "head", CLI_TEXT, &w->head },
		                        { "set", CLI_TEXT, &w->set },
		                        { "drift", CLI_FLAG, &w->drift },
		                        { "rehearse", CLI_FLAG, &w->ask.rehearse },
		                        { "state", CLI_TEXT, &w->how.state },
		                        { "api", CLI_TEXT, &w->how.api },
		                        { "token-file", CLI_TEXT, &w->how.token_file },
		                        { "ca", CLI_TEXT, &w->how.ca },
		                        { "timeout", CLI_COUNT, &w->how.timeout },
		                        { NULL, CLI_FLAG, NULL } };
	const char *wrong;
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if ((wrong = verify_way_wrong(w)))
		return cli_usage(help, "%s", wrong);
	return w->store || (w->store = cli_store()) ? -1 : cli_usage(help, "--store is required");
}

int main(int argc, char **argv)
{
	struct verify_way w = { .how = { .mode = STORE_READ, .timeout = CLI_NONE } };
	struct filter f;

	progname = "mig-verify";
	int rc = parse_opts(&w, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, verify_way_reads(&w));
	verify_way_run(&w, &f);
	return filter_finish(&f);
}
