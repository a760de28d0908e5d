/* plan-way.c -- see plan-way.h */
#include "plan-way.h"

#include "adopt.h"
#include "descriptor-planner.h"
#include "index-planner.h"
#include "invert.h"
#include "phaser.h"
#include "planner.h"
#include "sandbox.h"
#include "schema-planner.h"
#include "set-read.h"
#include "sql-planner.h"

/* Was one of those given that a rollback, and a phase, takes from its plans? */
static bool of_its_own(const struct plan_way *w)
{
	const struct plan_ask *a = &w->ask;

	return a->env || a->migration_id || a->target_version || a->tenant || a->project || a->batch != CLI_NONE ||
	       a->max_rejects != CLI_NONE || w->schema || w->set || w->index || w->descriptor || w->steps ||
	       w->dialect || w->source;
}

const char *plan_way_wrong(const struct plan_way *w)
{
	bool database = w->schema || (w->set && !w->of_rows);
	bool counts = w->ask.batch != CLI_NONE || w->ask.max_rejects != CLI_NONE;

	if (w->rollback && (of_its_own(w) || w->phases))
		return "--rollback takes everything but --reason from the plans";
	if (w->phases && of_its_own(w))
		return "--phases takes everything but --phase from the plans";
	if (!w->phases != !w->phase)
		return "--phases and --phase go together";
	if (!!w->schema + !!w->set + !!w->index + !!w->descriptor + !!w->steps > 1)
		return "--schema, --set, --index, --descriptor and --steps exclude each other";
	if (w->source && !w->descriptor)
		return "--source goes with --descriptor";
	if (!w->index != !w->dialect)
		return "--index and --dialect go together";
	if ((database || w->descriptor || w->steps) && counts)
		return "--batch and --max-rejects are for documents";
	if (!database && (w->allow_empty || w->baseline))
		return "--allow-empty and --baseline go with --schema or --set";
	if (w->allow_empty && w->baseline)
		return "--allow-empty and --baseline exclude each other";
	if ((!w->set || w->of_rows) && w->late)
		return "--out-of-order goes with --set";
	if (w->reason && !w->rollback)
		return "--reason goes with --rollback";
	return NULL;
}

/* From a declared schema; its file is read before files are given up. */
static void run_schema(const struct plan_way *o, struct filter *f)
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
static void run_sql(const struct plan_way *o, struct filter *f)
{
	struct sqlset *set = sqlset_read(o->set, &f->d);
	const struct sql_ask ask = { o->ask, o->late, o->allow_empty, o->baseline };

	if (set && sandbox_pure(&f->d) == 0)
		sql_planner_run(&ask, set, &f->in, &f->out, &f->d);
	sqlset_free(set);
}

/* From documents: an index of them in a database. */
static void run_index(const struct plan_way *o, struct filter *f)
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
static void run_compared(const struct plan_way *o, struct filter *f)
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
static void run_phase(const struct plan_way *o, struct filter *f)
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

static void run_changes(const struct plan_way *o, struct filter *f)
{
	struct plan_ask ask = o->ask;
	struct set *set = o->set ? set_read(o->set, &f->d) : NULL;
	struct spool plans = { .fd = -1 }, rejects = { .fd = -1 };
	struct rowplan rows = { .sorted.file.fd = -1, .rows.fd = -1 };
	struct diag *d = &f->d;

	ask.set = set;
	if ((!o->set || set) && spool_init(&plans, d) == 0 &&
	    (o->rollback || (spool_init(&rejects, d) == 0 && rowplan_init(&rows, d) == 0)) && sandbox_pure(d) == 0) {
		if (o->rollback)
			invert_run(o->reason, &plans, &f->in, &f->out, d);
		else
			planner_run(&ask, &plans, &rejects, &rows, &f->in, &f->out, d);
	}
	rowplan_release(&rows);
	spool_release(&plans);
	spool_release(&rejects);
	set_free(set);
}

void plan_way_run(const struct plan_way *w, struct filter *f)
{
	if (w->schema)
		run_schema(w, f);
	else if (w->set && !w->of_rows)
		run_sql(w, f);
	else if (w->index)
		run_index(w, f);
	else if (w->phases)
		run_phase(w, f);
	else if (w->descriptor || w->steps)
		run_compared(w, f);
	else
		run_changes(w, f);
}
