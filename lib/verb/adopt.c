/* adopt.c -- see adopt.h */
#include "adopt.h"

#include "schema-intake.h"
#include "schema-live.h"
#include "sql-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

struct adopting {
	const struct plan_ask *ask;
	struct schema_intake in;
	struct live live;
	struct model *model;
	struct diag *d;
};

static void differs(struct adopting *a, const char *table, const char *column, const char *what)
{
	char *where = xasprintf("%s%s%s", table, column ? "." : "", column ? column : "");

	diag_add(a->d, MIG_INVALID, "baseline_differs", where, "%s", what);
	free(where);
}

static bool in_key(const struct key *k, const char *column)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->column[i], column) == 0)
			return true;
	return false;
}

static const struct column *declared(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		if (strcmp(t->column[i].name, name) == 0)
			return &t->column[i];
	return NULL;
}

/* The live column's object, or DOC_NONE. */
static uint32_t live_column(const struct adopting *a, uint32_t table, const char *name)
{
	uint32_t c = DOC_NONE;

	while ((c = live_next(&a->live, table, "columns", c)) != DOC_NONE)
		if (doc_equals(&a->in.doc, doc_member(&a->in.doc, c, "name", 4), name, strlen(name)))
			break;
	return c;
}

/* A key's column holds no null in any case, however it is declared. */
static void compare_column(struct adopting *a, const struct table *t, const struct column *c, uint32_t live)
{
	const struct doc *d = &a->in.doc;
	bool not_null = d->tok[doc_member(d, live, "not_null", 8)].type == DOC_TRUE;
	char *type = record_dup(d, doc_member(d, live, "type", 4)), *want = model_type(c->type, a->in.dialect);

	if (not_null != c->not_null && !in_key(&t->primary, c->name))
		differs(a, t->name, c->name, not_null ? "not null there, but not declared so"
		                                      : "declared not null, but not so there");
	if (a->in.dialect == DIALECT_SQLITE && type && strcasecmp(type, want) != 0)
		diag_warn(a->d, "baseline_differs", t->name, "column %s is declared %s, and is %s there", c->name, want,
		          *type ? type : "without type");
	free(type);
	free(want);
}

static void compare_columns(struct adopting *a, const struct table *t, uint32_t live)
{
	const struct doc *d = &a->in.doc;
	uint32_t c = DOC_NONE;

	for (size_t i = 0; i < t->ncolumn; i++) {
		uint32_t there = live_column(a, live, t->column[i].name);

		if (there == DOC_NONE)
			differs(a, t->name, t->column[i].name, "declared, but not there");
		else
			compare_column(a, t, &t->column[i], there);
	}
	while ((c = live_next(&a->live, live, "columns", c)) != DOC_NONE) {
		char *name = record_dup(d, doc_member(d, c, "name", 4));

		if (name && !declared(t, name))
			differs(a, t->name, name, "there, but not declared");
		free(name);
	}
}

static bool has_named(const struct adopting *a, uint32_t table, const char *list, const char *name)
{
	uint32_t t = DOC_NONE;

	while ((t = live_next(&a->live, table, list, t)) != DOC_NONE)
		if (doc_equals(&a->in.doc, doc_member(&a->in.doc, t, "name", 4), name, strlen(name)))
			return true;
	return false;
}

static void want_named(const struct adopting *a, uint32_t table, const char *list, const char *name,
                       struct buf *lacking)
{
	if (name && !has_named(a, table, list, name))
		buf_addf(lacking, "%s%s", lacking->len ? ", " : "", name);
}

/* A later plan that changes one of them would not find it. */
static void compare_names(struct adopting *a, const struct table *t, uint32_t live)
{
	struct buf lacking = BUF_INIT;

	for (size_t i = 0; i < t->nunique; i++)
		want_named(a, live, "uniques", t->unique[i].name, &lacking);
	for (size_t i = 0; i < t->nfkey; i++)
		want_named(a, live, "foreign_keys", t->fkey[i].name, &lacking);
	for (size_t i = 0; i < t->ncheck; i++)
		want_named(a, live, "checks", t->check[i].name, &lacking);
	for (size_t i = 0; i < t->nindex; i++)
		want_named(a, live, "indexes", t->index[i].name, &lacking);
	if (lacking.len)
		diag_warn(a->d, "baseline_differs", t->name, "not there by their names: %s", lacking.s);
	buf_release(&lacking);
}

static int compare(struct adopting *a)
{
	size_t first = a->d->n;

	for (size_t i = 0; i < a->model->ntable; i++) {
		const struct table *t = &a->model->table[i];
		uint32_t live = live_table(&a->live, t->name);

		for (size_t k = 0; k < t->nview; k++)
			if (names_get(&a->live.views, (struct text){ t->view[k].name, strlen(t->view[k].name) }) < 0)
				differs(a, t->view[k].name, NULL, "a view that is declared, but not there");
		if (live == DOC_NONE) {
			differs(a, t->name, NULL, "a table that is declared, but not there");
			continue;
		}
		compare_columns(a, t, live);
		compare_names(a, t, live);
	}
	for (size_t i = first; i < a->d->n; i++)
		if (a->d->list[i].exit != MIG_OK)
			return -1;
	return 0;
}

static int read_all(struct adopting *a, const struct doc *schema, const char *file)
{
	const struct doc *d = &a->in.doc;

	if (d->tok[a->in.recorded].type == DOC_OBJECT)
		return diag_add(a->d, MIG_INVALID, "already_recorded", NULL,
		                "a schema is recorded already: a baseline is for a database without history");
	if (!(a->model = model_read(schema, 0, a->in.dialect, file, a->d)))
		return -1;
	if (a->model->ntable == 0)
		return diag_add(a->d, MIG_INVALID, "empty_migration", file, "no tables to adopt");
	return live_read(&a->live, d, a->in.live, a->in.estimates, "the schema record", a->d);
}

/* The first version of the history, whose tables are there. */
static int put_plan(struct adopting *a, size_t max, struct out *out, struct tally *t)
{
	const struct model *m = a->model;
	struct sql_plan plan = SQL_PLAN_INIT;
	struct sql_header h = { .ask = a->ask, .dialect = a->in.dialect, .digest = a->in.hash,
		                .records = a->in.doc.tok[a->in.tables].n, .set_id = a->ask->migration_id,
		                .set_hash = m->checksum, .target_version = a->ask->target_version, .part = 1,
		                .parts = 1, .nstep = 1, .max = max };
	char *record = xasprintf("{\"checksum\":\"%s\",\"history_version\":1,\"op\":\"record\",\"schema\":%s}",
	                         m->checksum, m->schema);
	char *check = xasprintf("{\"check\":\"schema\",\"hash\":\"%s\"}", a->in.hash);
	static const char unrecord[] = "{\"history_version\":1,\"op\":\"unrecord\"}";
	struct sql_step s = { .object = "schema", .what = "record", .from = "0", .to = "1",
		              .description = "record the declared schema as it is there", .reversible = true,
		              .note = "forgets that it was recorded" };

	s.forth = (struct sql_way){ .actions = { record, strlen(record) }, .type = "schema",
		                    .pre = { check, strlen(check) } };
	s.back = (struct sql_way){ .actions = { unrecord, sizeof unrecord - 1 }, .type = "schema" };
	sql_plan_add(&plan, &h, &s);
	int rc = sql_plan_put(&plan, &h, out, t, a->d);

	sql_plan_release(&plan);
	free(record);
	free(check);
	return rc;
}

static int put_stream(struct adopting *a, size_t max, struct out *out)
{
	struct tally t;

	tally_init(&t);
	int rc = put_plan(a, max, out, &t);

	if (rc >= 0)
		rc = stream_put_tally(out, "mig-plan", &t);
	tally_release(&t);
	return rc < 0 ? -1 : 0;
}

int adopt_run(const struct plan_ask *ask, const struct doc *schema, const char *file, struct stream *in,
              struct out *out, struct diag *d)
{
	struct adopting a = { .ask = ask, .in = SCHEMA_INTAKE_INIT, .live = LIVE_INIT, .d = d };
	int rc = schema_intake_read(&a.in, in, out, d);

	if (rc == 0 && !in->fault) {
		if ((rc = read_all(&a, schema, file)) == 0 && (rc = compare(&a)) == 0)
			rc = put_stream(&a, in->lines.max, out);
	}
	model_free(a.model);
	live_release(&a.live);
	schema_intake_release(&a.in);
	return rc;
}
