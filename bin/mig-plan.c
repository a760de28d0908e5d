/*
 * mig-plan -- from changes to plans, from a schema to its plan, and from plans to
 * their rollback.
 *
 * stdin: change, current and reject records, or one schema record, or plans.
 * stdout: rejects, plans, end.  Exit: 0, 2, 3 (stream cut short), 4 (stream
 * edited, rejects over the limit, schema invalid or drifted), 1.
 */
#include "adopt.h"
#include "cli.h"
#include "index-planner.h"
#include "invert.h"
#include "planner.h"
#include "sandbox.h"
#include "schema-planner.h"
#include "sql-planner.h"

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
	"       mig-plan --rollback [--reason TEXT]\n"
	"\n"
	"Write the plans that make the changes of a stream, the one that takes a database\n"
	"to a declared schema, those of hand-written SQL, those that index documents in a\n"
	"database, or those that undo plans.\n"
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
	"  --rollback                invert the plans on stdin\n"
	"  --reason TEXT             why, for the rollback's header\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage or a line that is no record,\n"
	"3 the stream was cut short or FILE or DIR is missing, 4 the stream was edited, too\n"
	"many documents were rejected, rows are doubled or lead nowhere, or the schema or\n"
	"set is invalid, tampered with, drifted or out of order, 5 a protected table.\n";

struct opts {
	struct plan_ask ask;
	const char *schema, *set, *index, *dialect;
	bool rollback, allow_empty, late, baseline, of_rows; /* of_rows: set is of mode records */
	const char *reason;
};

/* Which options go with which way of planning. */
static int check_way(const struct opts *o, int64_t unset)
{
	const struct plan_ask *a = &o->ask;
	bool database = o->schema || (o->set && !o->of_rows);
	int from = (o->schema != NULL) + (o->set != NULL) + (o->index != NULL);

	if (o->rollback && (a->env || a->migration_id || a->target_version || a->tenant || a->project ||
	                    a->batch != unset || a->max_rejects != unset || from || o->dialect))
		return cli_usage(help, "--rollback takes everything but --reason from the plans");
	if (from > 1)
		return cli_usage(help, "--schema, --set and --index exclude each other");
	if (!o->index != !o->dialect)
		return cli_usage(help, "--index and --dialect go together");
	if (o->dialect && strcmp(o->dialect, "sqlite") != 0 && strcmp(o->dialect, "postgresql") != 0)
		return cli_usage(help, "--dialect: sqlite or postgresql: %s", o->dialect);
	if (database && (a->batch != unset || a->max_rejects != unset))
		return cli_usage(help, "--batch and --max-rejects are for documents");
	if (!database && (o->allow_empty || o->baseline))
		return cli_usage(help, "--allow-empty and --baseline go with --schema or --set");
	if (o->allow_empty && o->baseline)
		return cli_usage(help, "--allow-empty and --baseline exclude each other");
	if ((!o->set || o->of_rows) && o->late)
		return cli_usage(help, "--out-of-order goes with --set");
	if (o->reason && !o->rollback)
		return cli_usage(help, "--reason goes with --rollback");
	return -1;
}

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
		                        { "schema", CLI_TEXT, &o->schema },
		                        { "set", CLI_TEXT, &o->set },
		                        { "index", CLI_TEXT, &o->index },
		                        { "dialect", CLI_TEXT, &o->dialect },
		                        { "out-of-order", CLI_FLAG, &o->late },
		                        { "allow-empty", CLI_FLAG, &o->allow_empty },
		                        { "baseline", CLI_FLAG, &o->baseline },
		                        { "rollback", CLI_FLAG, &o->rollback },
		                        { "reason", CLI_TEXT, &o->reason },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	o->of_rows = o->set && set_is(o->set, "records");
	if ((rc = check_way(o, unset)) >= 0)
		return rc;
	if (o->rollback)
		return cli_text(help, "reason", o->reason) ? -1 : MIG_USAGE;
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

/* From a declared schema; its file is read before files are given up. */
static void run_schema(const struct opts *o, struct filter *f)
{
	const struct plan_ask *a = &o->ask;
	struct schema_file file = SCHEMA_FILE_INIT;
	const struct schema_ask ask = { o->ask, &file.doc, o->schema, o->allow_empty };

	if (schema_file_read(&file, o->schema, &f->d) == 0 && sandbox_pure(&f->d) == 0) {
		if (o->baseline)
			adopt_run(a, &file.doc, o->schema, &f->in, &f->out, &f->d);
		else
			schema_planner_run(&ask, &f->in, &f->out, &f->d);
	}
	schema_file_release(&file);
}

/* From hand-written SQL; its files are read before files are given up. */
static void run_sql(const struct opts *o, struct filter *f)
{
	struct sqlset *set = sqlset_read(o->set, &f->d);
	const struct sql_ask ask = { o->ask, o->late, o->allow_empty, o->baseline };

	if (set && sandbox_pure(&f->d) == 0)
		sql_planner_run(&ask, set, &f->in, &f->out, &f->d);
	sqlset_free(set);
}

/* From documents: an index of them in a database. */
static void run_index(const struct opts *o, struct filter *f)
{
	const struct index_ask ask = {
		.plan = o->ask,
		.dialect = *o->dialect == 's' ? DIALECT_SQLITE : DIALECT_POSTGRESQL,
	};
	struct rowindex *index = rowindex_read(o->index, &f->d);
	struct spool spool = { .fd = -1 };
	struct sorted rows;

	if (sorted_init(&rows, &f->d) == 0 && index && spool_init(&spool, &f->d) == 0 && sandbox_pure(&f->d) == 0)
		index_planner_run(&ask, index, &rows, &spool, &f->in, &f->out, &f->d);
	sorted_release(&rows);
	spool_release(&spool);
	rowindex_free(index);
}

static void run(struct opts *o, struct filter *f)
{
	struct set *set = o->set ? set_read(o->set, &f->d) : NULL;
	struct spool plans = { .fd = -1 }, rejects = { .fd = -1 };
	struct rowplan rows = { .sorted.file.fd = -1, .rows.fd = -1 };
	struct diag *d = &f->d;

	o->ask.set = set;
	if ((!o->set || set) && spool_init(&plans, d) == 0 &&
	    (o->rollback || (spool_init(&rejects, d) == 0 && rowplan_init(&rows, d) == 0)) && sandbox_pure(d) == 0) {
		if (o->rollback)
			invert_run(o->reason, &plans, &f->in, &f->out, d);
		else
			planner_run(&o->ask, &plans, &rejects, &rows, &f->in, &f->out, d);
	}
	rowplan_release(&rows);
	spool_release(&plans);
	spool_release(&rejects);
	set_free(set);
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
	if (o.schema)
		run_schema(&o, &f);
	else if (o.set && !o.of_rows)
		run_sql(&o, &f);
	else if (o.index)
		run_index(&o, &f);
	else
		run(&o, &f);
	return filter_finish(&f);
}
