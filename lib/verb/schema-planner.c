/* schema-planner.c -- see schema-planner.h */
#include "schema-planner.h"

#include "ddl.h"
#include "drift.h"
#include "schema-intake.h"
#include "sqlstep.h"

#include <inttypes.h>
#include <stdlib.h>

struct planning {
	const struct schema_ask *ask;
	struct out *out;
	struct diag *d;
	struct schema_intake in;
	struct live live;
	struct model *old, *new; /* old: NULL where nothing was recorded */
	uint32_t recorded_live;  /* or DOC_NONE */
	int64_t version, last;   /* of the history */
	struct names managed;    /* tables and views that are ours and there */
	struct delta delta;
	size_t max;              /* bytes of a record that filters read */
};

static uint32_t member(const struct planning *p, const char *name)
{
	return doc_member(&p->in.doc, p->in.recorded, name, strlen(name));
}

/* What the history holds must be what its checksum says. */
static int read_recorded(struct planning *p)
{
	const struct doc *doc = &p->in.doc;
	uint32_t checksum, schema, live, version, last;

	if (doc->tok[p->in.recorded].type != DOC_OBJECT)
		return 0;
	checksum = member(p, "checksum");
	schema = member(p, "schema");
	live = member(p, "live");
	version = member(p, "history_version");
	last = member(p, "last_version");
	if (checksum == DOC_NONE || schema == DOC_NONE || version == DOC_NONE || last == DOC_NONE ||
	    !doc_int(doc, version, &p->version) || !doc_int(doc, last, &p->last))
		return diag_add(p->d, MIG_USAGE, "bad_record", "recorded", "not the recorded part of a schema record");
	p->recorded_live = live != DOC_NONE && doc->tok[live].type == DOC_OBJECT ? live : DOC_NONE;
	p->old = model_read(doc, schema, p->in.dialect, "the recorded schema", p->d);
	if (!p->old)
		return -1;
	if (doc_equals(doc, checksum, p->old->checksum, HEX_LEN))
		return 0;
	char *says = record_dup(doc, checksum);

	diag_add(p->d, MIG_INVALID, "tampered", "the recorded schema",
	         "checksum mismatch: schema drift detected: it has %s, its checksum says %s", p->old->checksum,
	         says ? says : "nothing");
	free(says);
	return -1;
}

static void manage(struct planning *p)
{
	for (size_t i = 0; p->old && i < p->old->ntable; i++) {
		const struct table *t = &p->old->table[i];

		if (live_table(&p->live, t->name) != DOC_NONE)
			names_add(&p->managed, name_text(t->name), 0);
		for (size_t k = 0; k < t->nview; k++)
			if (names_get(&p->live.views, name_text(t->view[k].name)) >= 0)
				names_add(&p->managed, name_text(t->view[k].name), 0);
	}
}

static bool is_managed(void *arg, const char *name)
{
	return names_get(&((struct planning *)arg)->managed, name_text(name)) >= 0;
}

static void tell_drift(void *arg, const struct drift *x)
{
	struct planning *p = arg;
	struct buf b = BUF_INIT;

	drift_message(&b, x);
	diag_add(p->d, MIG_INVALID, "drift", NULL, "schema drift detected: %s: %s", x->where, b.s);
	buf_release(&b);
}

static int check_drift(struct planning *p)
{
	if (p->recorded_live == DOC_NONE)
		return 0;
	if (drift_compare(&p->in.doc, p->recorded_live, &p->in.doc, p->in.live, is_managed, tell_drift, p) == 0)
		return 0;
	diag_hint(p->d, "mig-verify --drift shows what the database holds beside what was recorded");
	return -1;
}

/* Is all there that the schema declares? */
static bool complete(const struct planning *p)
{
	for (size_t i = 0; i < p->new->ntable; i++) {
		const struct table *t = &p->new->table[i];

		if (live_table(&p->live, t->name) == DOC_NONE)
			return false;
		for (size_t k = 0; k < t->nview; k++)
			if (names_get(&p->live.views, name_text(t->view[k].name)) < 0)
				return false;
	}
	return true;
}

static bool unchanged(const struct planning *p)
{
	if (!p->old)
		return p->new->ntable == 0;
	return strcmp(p->old->checksum, p->new->checksum) == 0 && complete(p);
}

/* Pieces of SQL that the schema gives as text must not reach beyond their place. */
static void contain(struct planning *p, const char *table, const char *what, const char *name, const char *sql)
{
	if (!sql || ddl_contained(sql))
		return;
	diag_add(p->d, MIG_INVALID, "bad_expression", table,
	         "%s %s: not one expression: a semicolon, comment, dollar sign or a quote or parenthesis left open",
	         what, name);
}

static int check_texts(struct planning *p)
{
	size_t wrong = p->d->n;

	for (size_t i = 0; i < p->new->ntable; i++) {
		const struct table *t = &p->new->table[i];

		for (size_t k = 0; k < t->ncheck; k++)
			if (t->check[k].kind == CHECK_RAW)
				contain(p, t->name, "constraint", t->check[k].name, t->check[k].text);
		for (size_t k = 0; k < t->nindex; k++)
			contain(p, t->name, "index", t->index[k].name, t->index[k].where);
		for (size_t k = 0; k < t->npolicy; k++) {
			contain(p, t->name, "policy", t->policy[k].name, t->policy[k].using_);
			contain(p, t->name, "policy", t->policy[k].name, t->policy[k].with_check);
		}
		for (size_t k = 0; k < t->nview; k++) {
			char *query = view_query(t->view[k].query);

			contain(p, t->name, "view", t->view[k].name, query);
			free(query);
		}
	}
	return p->d->n > wrong ? -1 : 0;
}

static int put_plan(struct planning *p, const struct dialect_ops *ops, struct tally *t)
{
	const struct plan_ask *a = &p->ask->plan;
	struct sql_header h = { .ask = a,
		                .dialect = p->in.dialect,
		                .digest = p->in.hash,
		                .records = (int64_t)p->live.ntable,
		                .set_id = a->migration_id,
		                .set_hash = p->new->checksum,
		                .target_version = a->target_version,
		                .part = 1,
		                .parts = 1,
		                .max = p->max };
	struct steps s = { .x = &p->delta, .ops = ops, .header = &h, .from = p->version, .to = p->last + 1 };

	for (size_t i = 0; i < p->delta.nchange; i++)
		if (ops->steps(&p->delta, &p->delta.change[i]))
			steps_add(&s, &p->delta.change[i]);
	h.nstep = s.plan.n;
	int rc = sql_plan_put(&s.plan, &h, p->out, t, p->d);

	sql_plan_release(&s.plan);
	return rc;
}

static int make(struct planning *p, struct tally *t)
{
	const struct dialect_ops *ops = p->in.dialect == DIALECT_SQLITE ? &dialect_sqlite : &dialect_pg;

	if (check_texts(p) < 0 || delta_find(&p->delta, p->old, p->new, &p->live, p->in.dialect, p->d) < 0 ||
	    ops->prepare(&p->delta, p->d) < 0)
		return -1;
	return put_plan(p, ops, t);
}

static int compare(struct planning *p)
{
	const struct doc *doc = &p->in.doc;
	struct tally t;
	int rc = 0;

	p->new = model_read(p->ask->schema, 0, p->in.dialect, p->ask->file, p->d);
	if (!p->new)
		return -1;
	if (p->new->ntable == 0 && !p->ask->allow_empty)
		return diag_add(p->d, MIG_INVALID, "empty_migration", p->ask->file,
		                "no tables: --allow-empty if that is meant");
	if (read_recorded(p) < 0 ||
	    live_read(&p->live, doc, p->in.live, p->in.estimates, "the schema record", p->d) < 0)
		return -1;
	manage(p);
	if (check_drift(p) < 0)
		return -1;
	tally_init(&t);
	if (!unchanged(p))
		rc = make(p, &t);

	if (rc == 0)
		rc = stream_put_tally(p->out, "mig-plan", &t);
	tally_release(&t);
	return rc;
}

int schema_planner_run(const struct schema_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = { .ask = ask, .out = out, .d = d, .in = SCHEMA_INTAKE_INIT, .live = LIVE_INIT,
		              .max = in->lines.max };
	int rc = schema_intake_read(&p.in, in, out, d);

	p.managed = (struct names)NAMES_INIT;
	p.delta = (struct delta)DELTA_INIT;
	if (rc == 0 && !in->fault)
		rc = compare(&p);
	delta_release(&p.delta);
	names_release(&p.managed);
	live_release(&p.live);
	model_free(p.old);
	model_free(p.new);
	schema_intake_release(&p.in);
	return rc;
}
