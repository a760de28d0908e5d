/*
 * mig-plan -- from changes to plans, and from plans to their rollback.
 *
 * stdin: change, current and reject records, or plans.  stdout: rejects, plans,
 * end.  Exit: 0, 2, 3 (stream cut short), 4 (stream edited, rejects over the
 * limit), 1.
 */
#include "cli.h"
#include "invert.h"
#include "planner.h"
#include "sandbox.h"

static const char help[] =
	"usage: mig-plan --env dev|staging|prod --migration ID --target-version SEMVER\n"
	"                [--tenant ID] [--project ID] [--batch N] [--max-rejects N]\n"
	"       mig-plan --rollback [--reason TEXT]\n"
	"\n"
	"Write the plans that make the changes of a stream, or those that undo plans.\n"
	"\n"
	"  --env ENV                 dev, staging or prod\n"
	"  --migration ID            the migration, part of every idempotency key\n"
	"  --target-version SEMVER   the version that the changes lead to\n"
	"  --tenant ID --project ID  the scope\n"
	"  --batch N                 steps a plan at most; of rows, rows a step (500)\n"
	"  --max-rejects N           go on with up to N rejected documents (0)\n"
	"  --rollback                invert the plans on stdin\n"
	"  --reason TEXT             why, for the rollback's header\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage or a line that is no record,\n"
	"3 the stream was cut short, 4 it was edited, too many documents were rejected, or\n"
	"rows are doubled or lead nowhere.\n";

struct opts {
	struct plan_ask ask;
	bool rollback;
	const char *reason;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	struct plan_ask *a = &o->ask;
	int64_t unset = -1;

	a->batch = a->max_rejects = unset;
	const struct cli_opt opts[] = { { "env", CLI_TEXT, &a->env },
		                        { "migration", CLI_TEXT, &a->migration_id },
		                        { "target-version", CLI_TEXT, &a->target_version },
		                        { "tenant", CLI_TEXT, &a->tenant },
		                        { "project", CLI_TEXT, &a->project },
		                        { "batch", CLI_COUNT, &a->batch },
		                        { "max-rejects", CLI_COUNT, &a->max_rejects },
		                        { "rollback", CLI_FLAG, &o->rollback },
		                        { "reason", CLI_TEXT, &o->reason },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (o->rollback) {
		if (a->env || a->migration_id || a->target_version || a->tenant || a->project || a->batch != unset ||
		    a->max_rejects != unset)
			return cli_usage(help, "--rollback takes everything but --reason from the plans");
		return cli_text(help, "reason", o->reason) ? -1 : MIG_USAGE;
	}
	if (o->reason)
		return cli_usage(help, "--reason goes with --rollback");
	if (!cli_env(help, a->env))
		return MIG_USAGE;
	if (!a->migration_id || !*a->migration_id)
		return cli_usage(help, "--migration is required");
	if (!cli_version(help, a->target_version))
		return MIG_USAGE;
	if (!cli_text(help, "migration", a->migration_id) || !cli_text(help, "tenant", a->tenant) ||
	    !cli_text(help, "project", a->project))
		return MIG_USAGE;
	a->batch = a->batch == unset ? PLAN_BATCH : a->batch;
	a->max_rejects = a->max_rejects == unset ? 0 : a->max_rejects;
	if (a->batch < 1 || a->batch > PLAN_BATCH_MAX)
		return cli_usage(help, "--batch: from 1 to %d", PLAN_BATCH_MAX);
	return -1;
}

static void run(const struct opts *o, struct filter *f)
{
	struct spool plans = { .fd = -1 }, rejects = { .fd = -1 };
	struct rowplan rows = { .sorted.file.fd = -1, .rows.fd = -1 };
	struct diag *d = &f->d;

	if (spool_init(&plans, d) == 0 &&
	    (o->rollback || (spool_init(&rejects, d) == 0 && rowplan_init(&rows, d) == 0)) && sandbox_pure(d) == 0) {
		if (o->rollback)
			invert_run(o->reason, &plans, &f->in, &f->out, d);
		else
			planner_run(&o->ask, &plans, &rejects, &rows, &f->in, &f->out, d);
	}
	rowplan_release(&rows);
	spool_release(&plans);
	spool_release(&rejects);
}

int main(int argc, char **argv)
{
	struct opts o = { .rollback = false };
	struct filter f;

	progname = "mig-plan";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, true);
	run(&o, &f);
	return filter_finish(&f);
}
