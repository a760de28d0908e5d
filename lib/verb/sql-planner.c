/* sql-planner.c -- see sql-planner.h */
#include "sql-planner.h"

#include "pending.h"
#include "schema-intake.h"
#include "semver.h"
#include "sql-judge.h"
#include "sql-text.h"

#include <stdlib.h>

struct planning {
	const struct sql_ask *ask;
	struct sqlset *set;
	struct schema_intake schema;
	struct past past;
	struct judge judge;
	struct sql_plan plan;
	struct sql_header header;
	struct out *out;
	struct tally tally;
	struct diag *d;
	size_t *hop, nhop; /* to plan, in order */
	struct buf live_check; /* precondition of the first step of all */
	bool judges; /* only: no step is made */
};

/* ---- what is there ---- */

static void take_past(struct planning *p)
{
	const struct doc *d = &p->schema.doc;
	uint32_t list = p->schema.applied;
	const char *id = p->ask->plan.migration_id;

	p->past.list = xcalloc(d->tok[list].n + 1, sizeof *p->past.list);
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		struct past_hop *h = &p->past.list[p->past.n];

		if (!doc_equals(d, doc_member(d, t, "migration_id", 12), id, strlen(id)))
			continue;
		*h = (struct past_hop){ record_dup(d, doc_member(d, t, "from", 4)),
			                record_dup(d, doc_member(d, t, "to", 2)),
			                record_dup(d, doc_member(d, t, "checksum", 8)),
			                record_dup(d, doc_member(d, t, "normalised", 10)) };
		p->past.n++;
	}
}

static int check_past_shape(struct planning *p)
{
	for (size_t i = 0; i < p->past.n; i++) {
		const struct past_hop *h = &p->past.list[i];

		if (!h->from || !h->to || !h->checksum || !h->normalised || !semver_valid(h->to))
			return diag_add(p->d, MIG_USAGE, "bad_record", "stdin", "an applied hop lacks a member");
	}
	return 0;
}

static int choose(struct planning *p)
{
	const struct sql_ask *a = p->ask;
	const char *dialect = p->schema.dialect == DIALECT_SQLITE ? "sqlite" : "postgresql";

	if (p->set->dialect && strcmp(p->set->dialect, dialect) != 0)
		return diag_add(p->d, MIG_INVALID, "foreign_dialect", NULL, "the set is for %s, the database is %s",
		                p->set->dialect, dialect);
	take_past(p);
	if (check_past_shape(p) < 0)
		return -1;
	if (a->baseline && p->past.n)
		return diag_add(p->d, MIG_INVALID, "already_recorded", NULL,
		                "the database is at %s already: a baseline is for one without history",
		                p->past.list[p->past.n - 1].to);
	p->hop = pending_find(p->set, &p->past, a->plan.target_version, a->late, &p->nhop, p->d);
	return p->hop ? 0 : -1;
}

/* Split every script first, so that all that is wrong is said, and the steps can be counted. */
static int count(struct planning *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->nhop; i++) {
		const struct sqlfile *up = &p->set->hop[p->hop[i]].file[SQL_UP];

		if (sqlset_split(p->set, p->hop[i], p->schema.dialect, p->d) < 0) {
			rc = -1;
		} else if (up->script.n == 0 && !p->ask->allow_empty && !p->ask->baseline) {
			diag_hint(p->d, "--allow-empty records it all the same");
			rc = diag_add(p->d, MIG_INVALID, "empty_migration", up->name, "no statements");
		}
		p->header.nstep += 1;
		if (up->script.n)
			p->header.nstep += up->script.no_transaction ? up->script.n : 1;
	}
	if (p->ask->baseline)
		p->header.nstep = p->nhop > 0;
	return rc;
}

/* ---- steps ---- */

static struct text text_in(const struct buf *b)
{
	return (struct text){ b->s ? b->s : "", b->len };
}

/* Once: {"check":"schema","hash":H} */
static struct text live_check(struct planning *p)
{
	struct rec w;

	if (p->live_check.len)
		return (struct text){ "", 0 };
	rec_open(&w, &p->live_check);
	rec_cstr(&w, "check", "schema");
	rec_cstr(&w, "hash", p->schema.hash);
	rec_close(&w);
	return text_in(&p->live_check);
}

/* {"check":"verify","message":"verify.sql:3 does not hold","sql":"SELECT .."} for each statement */
static void add_checks(struct buf *b, const struct sqlfile *f)
{
	for (size_t i = 0; i < f->script.n; i++) {
		const struct statement *st = &f->script.list[i];
		char *message = xasprintf("verify.sql:%zu does not hold", st->line);
		struct rec w;

		if (b->len)
			buf_addch(b, ',');
		rec_open(&w, b);
		rec_cstr(&w, "check", "verify");
		rec_cstr(&w, "message", message);
		rec_str(&w, "sql", (struct text){ f->text + st->at, st->n });
		rec_close(&w);
		free(message);
	}
}

/* What record and unrecord name: the hop, and for the record its content. */
static void add_record(struct buf *b, const struct hop *h, const struct sqlhop *content)
{
	struct rec w;

	if (b->len)
		buf_addch(b, ',');
	rec_open(&w, b);
	if (content)
		rec_cstr(&w, "checksum", content->checksum);
	rec_cstr(&w, "from", h->from);
	if (content)
		rec_cstr(&w, "normalised", content->normalised);
	rec_cstr(&w, "op", content ? "record" : "unrecord");
	rec_cstr(&w, "to", h->to);
	rec_close(&w);
}

/* The step that says the n hops from first on are applied. */
static void add_record_step(struct planning *p, const size_t *first, size_t n)
{
	const struct hop *hops = p->set->set->hop, *last = &hops[first[n - 1]];
	struct buf record = BUF_INIT, unrecord = BUF_INIT;

	if (p->judges)
		return;
	char *description = xasprintf("record %s as applied", last->to);

	for (size_t i = 0; i < n; i++) {
		add_record(&record, &hops[first[i]], &p->set->hop[first[i]]);
		add_record(&unrecord, &hops[first[n - 1 - i]], NULL);
	}
	struct sql_step s = { .object = "schema", .what = "record", .from = hops[first[0]].from, .to = last->to,
		              .description = description, .reversible = true,
		              .note = "forgets that it was applied" };

	s.forth = (struct sql_way){ .actions = text_in(&record), .type = "schema", .pre = live_check(p) };
	s.back = (struct sql_way){ .actions = text_in(&unrecord), .type = "schema" };
	sql_plan_add(&p->plan, &p->header, &s);
	buf_release(&record);
	buf_release(&unrecord);
	free(description);
}

/* Judge the statements of a script from number first on, n of them. */
static int judge_script(struct planning *p, const struct sqlfile *f, size_t first, size_t n, bool back,
                        struct judged *to)
{
	int rc = 0;

	for (size_t i = first; i < first + n; i++)
		if (judge_statement(&p->judge, f, i, back, to) < 0)
			rc = -1;
	return rc;
}

static struct sql_way way_of(const struct judged *j, const struct hop *h, const struct sqlfile *f)
{
	return (struct sql_way){ .actions = text_in(&j->actions), .findings = text_in(&j->findings),
		                 .type = j->destroys ? "cleanup" : h->type,
		                 .no_transaction = f->script.no_transaction };
}

/* {"message":"there is no down.sql: ..","rows":null,"rule_id":"irreversible","severity":"warning"} */
static void warn_irreversible(struct buf *findings)
{
	struct rec w;

	if (findings->len)
		buf_addch(findings, ',');
	rec_open(&w, findings);
	rec_cstr(&w, "message", "there is no down.sql: it cannot be rolled back");
	rec_null(&w, "rows");
	rec_cstr(&w, "rule_id", "irreversible");
	rec_cstr(&w, "severity", "warning");
	rec_close(&w);
}

/* What of a hop goes into one step: statements first to first + n of up.sql. */
struct portion {
	const char *object;
	size_t first, n;
	bool undoes;   /* its rollback entry holds down.sql */
	bool verifies; /* its postconditions are verify.sql */
};

static int add_portion(struct planning *p, size_t i, const struct portion *part)
{
	const struct hop *h = &p->set->set->hop[i];
	const struct sqlfile *file = p->set->hop[i].file;
	struct judged up = { .destroys = false }, down = { .destroys = false };
	struct buf checks = BUF_INIT;
	int rc = judge_script(p, &file[SQL_UP], part->first, part->n, false, &up);

	if (part->undoes && judge_script(p, &file[SQL_DOWN], 0, file[SQL_DOWN].script.n, true, &down) < 0)
		rc = -1;
	if (p->judges) {
		judged_release(&up);
		judged_release(&down);
		return rc;
	}
	if (part->verifies)
		add_checks(&checks, &file[SQL_VERIFY]);
	bool reversible = file[SQL_DOWN].text != NULL;

	if (!reversible && part->undoes)
		warn_irreversible(&up.findings);
	struct sql_step s = { .object = part->object, .what = "sql", .from = h->from, .to = h->to,
		              .description = h->description, .reversible = reversible && h->reversible,
		              .levers = h->levers };

	s.note = h->note ? h->note : reversible ? "down.sql undoes it" : "there is no down.sql";
	s.forth = way_of(&up, h, &file[SQL_UP]);
	s.forth.pre = live_check(p);
	s.forth.post = text_in(&checks);
	s.back = way_of(&down, h, &file[SQL_DOWN]);
	if (rc == 0)
		sql_plan_add(&p->plan, &p->header, &s);
	judged_release(&up);
	judged_release(&down);
	buf_release(&checks);
	return rc;
}

/* Outside of a transaction each statement is a step, so that a rerun goes on where the last one stopped. */
static int add_alone(struct planning *p, size_t i)
{
	size_t n = p->set->hop[i].file[SQL_UP].script.n;
	int rc = 0;

	for (size_t k = 0; k < n; k++) {
		char *object = xasprintf("up.%zu", k + 1);
		struct portion part = { object, k, 1, k == 0, k + 1 == n };

		if (add_portion(p, i, &part) < 0)
			rc = -1;
		free(object);
	}
	return rc;
}

static int add_hop(struct planning *p, const size_t *hop)
{
	const struct sqlfile *up = &p->set->hop[*hop].file[SQL_UP];
	struct portion whole = { "up", 0, up->script.n, true, true };
	int rc = 0;

	judge_hop(&p->judge);
	if (up->script.no_transaction) {
		add_record_step(p, hop, 1);
		return add_alone(p, *hop);
	}
	if (up->script.n)
		rc = add_portion(p, *hop, &whole);
	add_record_step(p, hop, 1);
	return rc;
}

/* ---- plans ---- */

static int put_plan(struct planning *p, const char *to)
{
	p->header.part++;
	p->header.target_version = to;
	return sql_plan_put(&p->plan, &p->header, p->out, &p->tally, p->d);
}

/*
 * Twice: first to hear of everything that is wrong, when nothing is written yet;
 * what the judge knows of the tables begins anew.
 */
static int rehearse(struct planning *p)
{
	int rc = 0;

	judge_init(&p->judge, &p->schema, p->d);
	p->judges = true;
	for (size_t i = 0; i < p->nhop; i++)
		if (add_hop(p, &p->hop[i]) < 0)
			rc = -1;
	p->judges = false;
	judge_release(&p->judge);
	return rc;
}

static int put_plans(struct planning *p)
{
	int rc = 0;

	if (p->ask->baseline) {
		if (p->nhop == 0)
			return 0;
		add_record_step(p, p->hop, p->nhop);
		return put_plan(p, p->ask->plan.target_version);
	}
	if (rehearse(p) < 0)
		return -1;
	judge_init(&p->judge, &p->schema, p->d);
	for (size_t i = 0; i < p->nhop && rc == 0; i++)
		if ((rc = add_hop(p, &p->hop[i])) == 0)
			rc = put_plan(p, p->set->set->hop[p->hop[i]].to);
	judge_release(&p->judge);
	return rc;
}

static int put_stream(struct planning *p)
{
	int rc;

	p->header.parts = p->ask->baseline ? 1 : p->nhop;
	tally_init(&p->tally);
	if ((rc = put_plans(p)) == 0)
		rc = stream_put_tally(p->out, "mig-plan", &p->tally);
	tally_release(&p->tally);
	return rc;
}

int sql_planner_run(const struct sql_ask *ask, struct sqlset *set, struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = { .ask = ask, .set = set, .schema = SCHEMA_INTAKE_INIT, .out = out, .d = d };
	int rc = schema_intake_read(&p.schema, in, out, d);

	p.header = (struct sql_header){ .ask = &ask->plan, .set_id = set->set->id, .set_hash = set->set->hash,
		                        .max = in->lines.max };
	if (rc == 0 && !in->fault) {
		p.header.dialect = p.schema.dialect;
		p.header.digest = p.schema.hash;
		p.header.records = p.schema.doc.tok[p.schema.tables].n;
		if ((rc = choose(&p)) == 0 && (rc = count(&p)) == 0)
			rc = put_stream(&p);
	}
	schema_intake_release(&p.schema);
	past_release(&p.past);
	sql_plan_release(&p.plan);
	buf_release(&p.live_check);
	free(p.hop);
	return rc;
}
