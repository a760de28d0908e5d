/*
 * mig-verify -- does the store hold what the plans promise?
 *
 * stdin: plans, permits or outcomes.  stdout: a verdict for each, then end.
 * Exit: 0, 2, 3 (store or plan missing), 4 (drift, not applied, a hash does not
 * hold), 1.
 */
#include "cli.h"
#include "verify.h"

static const char help[] =
	"usage: mig-verify --store URI [--against FILE] [--strict]\n"
	"\n"
	"Check that the store holds what the plans, permits or outcomes on stdin promise.\n"
	"\n"
	"  --store URI      where the documents live: fs:DIR (or MIG_STORE)\n"
	"  --against FILE   the plans on stdin must be those of FILE\n"
	"  --strict         warnings count as failures\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 it does, 1 unexpected error, 2 usage or a line that is no record,\n"
	"3 store, file or plan missing, or the stream was cut short, 4 it does not.\n";

struct opts {
	const char *store;
	struct verify_ask ask;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "against", CLI_TEXT, &o->ask.against },
		                        { "strict", CLI_FLAG, &o->ask.strict },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->store)
		o->store = cli_store();
	return o->store ? -1 : cli_usage(help, "--store is required");
}

static void run(struct opts *o, struct filter *f)
{
	struct buf against = BUF_INIT;
	struct store *s = store_open(o->store, STORE_READ, &f->d);
	int rc = s ? 0 : -1;

	if (rc == 0 && o->ask.against)
		rc = io_read_file(o->ask.against, &against, "missing_plan_file", &f->d);
	o->ask.against_text = &against;
	if (rc == 0 && s->ops->confine(s, &f->d) == 0)
		verify_run(s, &o->ask, &f->in, &f->out, &f->d);
	buf_release(&against);
	if (s)
		s->ops->close(s);
}

int main(int argc, char **argv)
{
	struct opts o = { .store = NULL };
	struct filter f;

	progname = "mig-verify";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, true);
	run(&o, &f);
	return filter_finish(&f);
}
