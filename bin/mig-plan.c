/*
 * mig-plan -- from changes to plans, from a schema or a descriptor to its plan, and
 * from plans to their rollback.
 *
 * stdin: change, current and reject records, or one schema or snapshot record, or
 * plans.
 * stdout: rejects, plans, end.  Exit: 0, 2, 3 (stream cut short), 4 (stream
 * edited, rejects over the limit, schema invalid or drifted), 1.
 */
#include "adopt.h"
#include "cli.h"
#include "descriptor-planner.h"
#include "index-planner.h"
#include "invert.h"
#include "phaser.h"
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
	"  --set DIR                 the hand-written SQL that is applied to it\n"
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

struct opts {
	struct plan_ask ask;
	const char *schema, *set, *index, *dialect, *descriptor, *source, *steps, *phases, *phase;
	bool rollback, allow_empty, late, baseline;
	const char *reason;
};

/* Which options go with which way of planning. */
static int check_way(const struct opts *o, int64_t unset)
{
	const struct plan_ask *a = &o->ask;
	bool database = o->schema || o->set;
	bool compared = o->descriptor || o->steps;
	int from = (o->schema != NULL) + (o->set != NULL) + (o->index != NULL) + (o->descriptor != NULL) +
	           (o->steps != NULL);

	bool own = a->env || a->migration_id || a->target_version || a->tenant || a->project || a->batch != unset ||
	           a->max_rejects != unset || from || o->dialect || o->source;

	if (o->rollback && (own || o->phases))
		return cli_usage(help, "--rollback takes everything but --reason from the plans");
	if (o->phases && own)
		return cli_usage(help, "--phases takes everything but --phase from the plans");
	if (!o->phases != !o->phase)
		return cli_usage(help, "--phases and --phase go together");
	if (from > 1)
		return cli_usage(help, "--schema, --set, --index, --descriptor and --steps exclude each other");
	if (o->source && !o->descriptor)
		return cli_usage(help, "--source goes with --descriptor");
	if (!o->index != !o->dialect)
		return cli_usage(help, "--index and --dialect go together");
	if (o->dialect && strcmp(o->dialect, "sqlite") != 0 && strcmp(o->dialect, "postgresql") != 0)
		return cli_usage(help, "--dialect: sqlite or postgresql: %s", o->dialect);
	if ((database || compared) && (a->batch != unset || a->max_rejects != unset))
		return cli_usage(help, "--batch and --max-rejects are for documents");
	if (!database && (o->allow_empty || o->baseline))
		return cli_usage(help, "--allow-empty and --baseline go with --schema or --set");
	if (o->allow_empty && o->baseline)
		return cli_usage(help, "--allow-empty and --baseline exclude each other");
	if (!o->set && o->late)
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
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if ((rc = check_way(o, unset)) >= 0)
		return rc;
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
	struct docfile file = DOCFILE_INIT;
	const struct schema_ask ask = { o->ask, &file.doc, o->schema, o->allow_empty };

	if (docfile_read(&file, o->schema, "missing_schema", &f->d) == 0 && sandbox_pure(&f->d) == 0) {
		if (o->baseline)
			adopt_run(a, &file.doc, o->schema, &f->in, &f->out, &f->d);
		else
			schema_planner_run(&ask, &f->in, &f->out, &f->d);
	}
	docfile_release(&file);
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

/* From descriptors, or from what a planner made of them. */
static void run_compared(const struct opts *o, struct filter *f)
{
	struct docfile to = DOCFILE_INIT, from = DOCFILE_INIT;
	const char *file = o->steps ? o->steps : o->descriptor;
	const struct descriptor_ask ask = { o->ask, &to.doc, o->source ? &from.doc : NULL, file, o->source };

	if (docfile_read(&to, file, "missing_descriptor", &f->d) == 0 &&
	    (!o->source || docfile_read(&from, o->source, "missing_descriptor", &f->d) == 0) &&
	    sandbox_pure(&f->d) == 0) {
		if (o->steps)
			steps_planner_run(&o->ask, &to.doc, file, &f->out, &f->d);
		else
			descriptor_planner_run(&ask, &f->in, &f->out, &f->d);
	}
	docfile_release(&to);
	docfile_release(&from);
}

/* Plans become a phase of a migration. */
static void run_phase(const struct opts *o, struct filter *f)
{
	struct phases phases = PHASES_INIT;
	struct spool plans = { .fd = -1 };
	const struct phase *ph = NULL;

	if (phases_read(&phases, o->phases, &f->d) == 0 && !(ph = phases_find(&phases, text_cstr(o->phase))))
		diag_add(&f->d, MIG_INVALID, "no_phase", o->phases, "no phase has the id %s", o->phase);
	if (ph && ph->confirm)
		diag_add(&f->d, MIG_INVALID, "no_phase", o->phases, "the phase %s is confirmed, and has no plans",
		         ph->id);
	else if (ph && spool_init(&plans, &f->d) == 0 && sandbox_pure(&f->d) == 0)
		phaser_run(&phases, ph, &plans, &f->in, &f->out, &f->d);
	spool_release(&plans);
	phases_release(&phases);
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
	filter_init(&f, progname, !o.steps && !o.source);
	if (o.schema)
		run_schema(&o, &f);
	else if (o.set)
		run_sql(&o, &f);
	else if (o.index)
		run_index(&o, &f);
	else if (o.phases)
		run_phase(&o, &f);
	else if (o.descriptor || o.steps)
		run_compared(&o, &f);
	else
		run(&o, &f);
	return filter_finish(&f);
}
