/*
 * mig-verify -- does the store hold what the plans promise?
 *
 * stdin: plans, permits or outcomes; nothing with --ledger, --set or --drift.  stdout: a
 * verdict for each, for the ledger, or for the documents of the set, then end.
 * Exit: 0, 2, 3 (store, set or plan missing), 4 (drift, not applied, a hash does
 * not hold), 1.
 */
#include "cli.h"
#include "evidence.h"
#include "verify-ledger.h"
#include "verify.h"

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

struct opts {
	const char *store, *head, *set;
	bool ledger, drift;
	int64_t timeout;
	struct store_how how;
	struct verify_ask ask;
};

enum { NONE = -1 };

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "against", CLI_TEXT, &o->ask.against },
		                        { "strict", CLI_FLAG, &o->ask.strict },
		                        { "ledger", CLI_FLAG, &o->ledger },
		                        { "head", CLI_TEXT, &o->head },
		                        { "set", CLI_TEXT, &o->set },
		                        { "drift", CLI_FLAG, &o->drift },
		                        { "rehearse", CLI_FLAG, &o->ask.rehearse },
		                        { "state", CLI_TEXT, &o->how.state },
		                        { "api", CLI_TEXT, &o->how.api },
		                        { "token-file", CLI_TEXT, &o->how.token_file },
		                        { "ca", CLI_TEXT, &o->how.ca },
		                        { "timeout", CLI_COUNT, &o->timeout },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->store)
		o->store = cli_store();
	if (o->head && (strlen(o->head) != HEX_LEN || strspn(o->head, "0123456789abcdef") != HEX_LEN))
		return cli_usage(help, "--head: not a hash of 64 hex digits");
	if (o->head && !o->ledger)
		return cli_usage(help, "--head goes with --ledger");
	if (o->drift && (o->ledger || o->set || o->ask.against || o->ask.strict || o->ask.rehearse))
		return cli_usage(help, "no other option goes with --drift");
	if (o->timeout == 0 || o->timeout > 86400)
		return cli_usage(help, "--timeout: from one second to a day");
	o->how.timeout = o->timeout == NONE ? 0 : (unsigned)o->timeout;
	if (o->ask.rehearse && (o->ledger || o->set))
		return cli_usage(help, "--rehearse goes with plans");
	if (o->ledger && (o->ask.against || o->ask.strict || o->set))
		return cli_usage(help, "--against, --strict and --set do not go with --ledger");
	if (o->set && o->ask.against)
		return cli_usage(help, "--against goes with plans, not with --set");
	return o->store ? -1 : cli_usage(help, "--store is required");
}

static void run(struct opts *o, struct filter *f)
{
	struct buf against = BUF_INIT;
	struct store *s = store_open_as(o->store, &o->how, &f->d);
	int rc = s ? 0 : -1;

	if (rc == 0 && o->ask.against)
		rc = io_read_file(o->ask.against, &against, "missing_plan_file", &f->d);
	o->ask.against_text = &against;
	if (rc == 0 && s->ops->confine(s, &f->d) == 0) {
		if (o->drift)
			verify_drift(s, false, &f->out, &f->d);
		else if (o->ledger)
			verify_ledger(s, o->head, &f->out, &f->d);
		else
			verify_run(s, &o->ask, &f->in, &f->out, &f->d);
	}
	buf_release(&against);
	if (s)
		s->ops->close(s);
}

static void run_evidence(const struct opts *o, struct filter *f)
{
	struct set *set = set_read(o->set, &f->d);
	struct store *s = set ? store_open_as(o->store, &o->how, &f->d) : NULL;

	if (s && s->ops->confine(s, &f->d) == 0)
		evidence_run(s, set, o->ask.strict, &f->out, &f->d);
	if (s)
		s->ops->close(s);
	set_free(set);
}

int main(int argc, char **argv)
{
	struct opts o = { .timeout = NONE, .how.mode = STORE_READ };
	struct filter f;

	progname = "mig-verify";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, !o.ledger && !o.set && !o.drift);
	if (o.set)
		run_evidence(&o, &f);
	else
		run(&o, &f);
	return filter_finish(&f);
}
