/*
 * mig-plan -- from changes to plans, from a schema or a descriptor to its plan, and
 * from plans to their rollback.
 *
 * stdin: change, current and reject records, or one schema or snapshot record, or
 * plans.
 * stdout: rejects, plans, end.  Exit: 0, 2, 3 (stream cut short), 4 (stream
 * edited, rejects over the limit, schema invalid or drifted), 1.
 */
#include "plan-way.h"
#include "set-read.h"

static const char help[] =
	"usage: mig-plan --env dev|staging|prod --migration ID --target-version SEMVER\n"
	"                [--tenant ID] [--project ID] [--batch N] [--max-rejects N]\n"
	"       mig-plan --schema FILE --env dev|staging|prod --migration ID\n"
	"                --target-version SEMVER [--tenant ID] [--project ID]\n"
	"                [--allow-empty | --baseline]\n"
	"       mig-plan --set DIR --env dev|staging|prod --migration ID\n"
	"                --target-version SEMVER [--tenant ID] [--project ID]\n"
	"                [--out-of-order] [--allow-empty | --baseline]\n"
	"       mig-plan --index FILE --dialect sqlite|postgresql --env dev|staging|prod\n"
	"                --migration ID --target-version SEMVER [--tenant ID]\n"
	"                [--project ID] [--batch N] [--max-rejects N]\n"
	"       mig-plan --descriptor FILE [--source FILE] --env dev|staging|prod\n"
	"                --migration ID --target-version SEMVER [--tenant ID] [--project ID]\n"
	"       mig-plan --steps FILE --env dev|staging|prod --migration ID\n"
	"                --target-version SEMVER [--tenant ID] [--project ID]\n"
	"       mig-plan --phases FILE --phase ID\n"
	"       mig-plan --rollback [--reason TEXT]\n"
	"\n"
	"Write the plans that make the changes of a stream, the one that takes a database\n"
	"to a declared schema, those of hand-written SQL, those that index documents in a\n"
	"database, the one that says what makes a descriptor another, or those that undo\n"
	"plans.\n"
	"\n"
	"  --env ENV                 dev, staging or prod\n"
	"  --migration ID            the migration, part of every idempotency key\n"
	"  --target-version SEMVER   the version that the changes lead to\n"
	"  --tenant ID --project ID  the scope\n"
	"  --batch N                 steps a plan at most; of rows, rows a step (500)\n"
	"  --max-rejects N           go on with up to N rejected documents (0)\n"
	"  --schema FILE             the declared schema that the database is taken to\n"
	"  --set DIR                 the hand-written SQL that is applied to it; or the set that\n"
	"                            made the rows, for its invariants\n"
	"  --out-of-order            apply what stands below the version reached, too\n"
	"  --allow-empty             also if there are no tables, or no statements\n"
	"  --baseline                only record as applied what is there already\n"
	"  --index FILE              a table that is an index of the stream's documents\n"
	"  --dialect NAME            of the database that will hold it\n"
	"  --descriptor FILE         the descriptor that the domain is to have\n"
	"  --source FILE             the one it has, instead of the snapshot on stdin\n"
	"  --steps FILE              what InstantDB's schema planner says is to be done\n"
	"  --phases FILE             the phases of a migration without downtime\n"
	"  --phase ID                make the plans on stdin this one of them\n"
	"  --rollback                invert the plans on stdin\n"
	"  --reason TEXT             why, for the rollback's header\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage or a line that is no record,\n"
	"3 the stream was cut short or FILE or DIR is missing, 4 the stream was edited, too\n"
	"many documents were rejected, rows are doubled or lead nowhere, or the schema,\n"
	"set, descriptor or steps are invalid, tampered with, drifted or out of order, 5 a\n"
	"protected table.\n";

static int parse_opts(struct plan_way *o, int argc, char **argv)
{
	struct plan_ask *a = &o->ask;
	const struct cli_opt opts[] = { { "env", CLI_TEXT, &a->env },
		                        { "migration", CLI_TEXT, &a->migration_id },
		                        { "target-version", CLI_TEXT, &a->target_version },
		                        { "tenant", CLI_TEXT, &a->tenant },
		                        { "project", CLI_TEXT, &a->project },
		                        { "batch", CLI_COUNT, &a->batch },
		                        { "max-rejects", CLI_COUNT, &a->max_rejects },
		                        { "schema", CLI_TEXT, &o->schema },
		                        { "set", CLI_TEXT, &o->set },
		                        { "index", CLI_TEXT, &o->index },
		                        { "dialect", CLI_TEXT, &o->dialect },
		                        { "descriptor", CLI_TEXT, &o->descriptor },
		                        { "source", CLI_TEXT, &o->source },
		                        { "steps", CLI_TEXT, &o->steps },
		                        { "phases", CLI_TEXT, &o->phases },
		                        { "phase", CLI_TEXT, &o->phase },
		                        { "out-of-order", CLI_FLAG, &o->late },
		                        { "allow-empty", CLI_FLAG, &o->allow_empty },
		                        { "baseline", CLI_FLAG, &o->baseline },
		                        { "rollback", CLI_FLAG, &o->rollback },
		                        { "reason", CLI_TEXT, &o->reason },
		                        { NULL, CLI_FLAG, NULL } };
	const char *wrong;
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	o->of_rows = o->set && set_is(o->set, "records");
	if ((wrong = plan_way_wrong(o)))
		return cli_usage(help, "%s", wrong);
	if (o->dialect && strcmp(o->dialect, "sqlite") != 0 && strcmp(o->dialect, "postgresql") != 0)
		return cli_usage(help, "--dialect: sqlite or postgresql: %s", o->dialect);
	if (o->rollback)
		return cli_text(help, "reason", o->reason) ? -1 : MIG_USAGE;
	if (o->phases)
		return cli_text(help, "phase", o->phase) ? -1 : MIG_USAGE;
	if (!cli_env(help, a->env))
		return MIG_USAGE;
	if (!a->migration_id || !*a->migration_id)
		return cli_usage(help, "--migration is required");
	if (!cli_version(help, a->target_version))
		return MIG_USAGE;
	if (!cli_text(help, "migration", a->migration_id) || !cli_text(help, "tenant", a->tenant) ||
	    !cli_text(help, "project", a->project))
		return MIG_USAGE;
	a->batch = a->batch == CLI_NONE ? PLAN_BATCH : a->batch;
	a->max_rejects = a->max_rejects == CLI_NONE ? 0 : a->max_rejects;
	if (a->batch < 1 || a->batch > PLAN_BATCH_MAX)
		return cli_usage(help, "--batch: from 1 to %d", PLAN_BATCH_MAX);
	return -1;
}

int main(int argc, char **argv)
{
	struct plan_way o = PLAN_WAY_INIT;
	struct filter f;

	progname = "mig-plan";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, plan_way_reads(&o));
	plan_way_run(&o, &f);
	return filter_finish(&f);
}
