/* verify-rows.c -- see verify-rows.h */
#include "verify-rows.h"

#include "redact-doc.h"
#include "rowref.h"
#include "sql-check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMED_ROWS = 20, VALUE_BYTES = 400 };

void rows_verify_release(struct rows_verify *v)
{
	struct buf *bufs[] = { &v->want, &v->line, &v->arena, &v->value };

	invariant_jq_release(&v->jq);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	doc_release(&v->row);
}

/* ---- the ledger ---- */

static void not_as_it_should(struct rows_verify *v, const struct plan *p, const char *rule, const char *is)
{
	const char *expected = p->rollback_mode ? "rolled back" : "applied";
	char *message = strcmp(is, "never applied") == 0 ? xstrdup("the plan was never applied")
	                                                 : xasprintf("the plan is not %s: %s", expected, is);

	complain(v->found,
	         &(struct complaint){
			 .rule = rule, .ref = p->hash, .message = message, .expected = expected, .actual = is });
	free(message);
}

/* Does the ledger say that the plan was done, and not undone since?  *done; 0 or -1. */
static int consult_ledger(struct rows_verify *v, const struct plan *p, bool *done)
{
	struct buf entry = BUF_INIT;
	struct doc e = DOC_INIT;
	char *about = p->rollback_mode ? xmemdup(p->undoes.s, p->undoes.n) : xstrdup(p->hash);
	int rc = v->s->ops->last(v->s, about, &entry, v->d);

	if (rc == 1 && doc_parse(&e, entry.s, entry.len, RECORD_MAX_DEPTH) < 0)
		rc = diag_add(v->d, MIG_INVALID, "ledger_broken", "ledger", "an entry does not read");
	*done = false;
	if (rc == 0)
		not_as_it_should(v, p, "not_applied", "never applied");
	else if (rc == 1 && doc_says(&e, 0, "event", "begin"))
		not_as_it_should(v, p, "unfinished", "begun, and not finished");
	else if (rc == 1 && doc_says(&e, 0, "event", "commit") == p->rollback_mode)
		not_as_it_should(v, p, "not_applied", p->rollback_mode ? "applied" : "rolled back");
	else
		*done = rc == 1;
	free(about);
	doc_release(&e);
	buf_release(&entry);
	return rc < 0 ? -1 : 0;
}

/* ---- rows ---- */

/* The rows of one entity. */
struct entity_count {
	char *name;
	uint64_t want, as_planned, there;
};

/* One plan. */
struct checking {
	struct rows_verify *v;
	const struct plan *p;
	const struct step *step;
	uint32_t *action;      /* tokens of the step's actions, */
	struct row_action row; /* and the one at hand */
	struct entity_count *entity;
	size_t nentity, named;
};

static struct entity_count *count_of(struct checking *c, struct text entity)
{
	for (size_t i = c->nentity; i-- > 0;)
		if (text_is(entity, c->entity[i].name))
			return &c->entity[i];
	c->entity = xrealloc(c->entity, c->nentity + 1, sizeof *c->entity);
	c->entity[c->nentity] = (struct entity_count){ .name = xmemdup(entity.s, entity.n) };
	return &c->entity[c->nentity++];
}

/* {"data":..,"links":..} as the plan has it */
static void write_want(struct rows_verify *v, const struct doc *d, const struct row_action *a)
{
	buf_reset(&v->want);
	buf_addstr(&v->want, "{\"data\":");
	canon_value(&v->want, d, a->data, DOC_NONE);
	buf_addstr(&v->want, ",\"links\":");
	canon_value(&v->want, d, a->links, DOC_NONE);
	buf_addch(&v->want, '}');
}

/* What is shown of a row: without secrets, and cut. */
static char *shown(struct rows_verify *v, const char *text, size_t n)
{
	buf_reset(&v->line);
	buf_add(&v->line, text, n);
	if (doc_parse(&v->row, v->line.s, v->line.len, RECORD_MAX_DEPTH) < 0)
		return xstrdup("");
	buf_reset(&v->value);
	buf_add(&v->value, text, n);
	redact_doc(&v->value, &v->row);
	size_t len = v->value.len;

	if (len > VALUE_BYTES)
		for (len = VALUE_BYTES; len && ((unsigned char)v->value.s[len] & 0xC0) == 0x80; len--)
			;
	return len < v->value.len ? xasprintf("%.*s..", (int)len, v->value.s) : xmemdup(v->value.s, len);
}

static void complain_row(struct checking *c, struct text there)
{
	struct rows_verify *v = c->v;
	bool deletes = c->step->rows.deletes;
	struct buf ref = BUF_INIT;

	if (c->named++ >= NAMED_ROWS)
		return;
	char *want = deletes ? xstrdup("nothing") : shown(v, v->want.s, v->want.len),
	     *is = there.s ? shown(v, there.s, there.n) : xstrdup("nothing");

	rowref_write(&ref, c->row.entity, c->row.id);
	complain(v->found,
	         &(struct complaint){ .rule = "drift",
	                              .ref = ref.s,
	                              .message = deletes   ? "the row is still there, or there again"
	                                         : there.s ? "the row holds other values than the plan gave it"
	                                                   : "the row is not there",
	                              .expected = want,
	                              .actual = is });
	free(want);
	free(is);
	buf_release(&ref);
}

/* The row at hand does not hold to the invariant at token t of the plan: a program gave something else. */
static void complain_invariant(void *arg, uint32_t t, const char *is)
{
	struct checking *c = arg;
	char *message = record_dup(c->p->doc, doc_member(c->p->doc, t, "message", 7));
	struct buf ref = BUF_INIT;

	if (c->named++ < NAMED_ROWS) {
		rowref_write(&ref, c->row.entity, c->row.id);
		complain(c->v->found,
		         &(struct complaint){ .rule = "invariant", .ref = ref.s, .message = message, .actual = is });
	}
	free(message);
	buf_release(&ref);
}

static int take_row(void *arg, size_t i, struct text there)
{
	struct checking *c = arg;
	struct rows_verify *v = c->v;
	struct entity_count *count;
	bool ok = !there.s;

	c->row = row_action_at(c->p->doc, c->action[i], &v->arena);
	count = count_of(c, c->row.entity);
	count->want++;
	count->there += there.s != NULL;
	if (!c->step->rows.deletes) {
		write_want(v, c->p->doc, &c->row);
		ok = there.s && text_same(there, (struct text){ v->want.s, v->want.len });
	}
	count->as_planned += ok;
	if (!ok)
		complain_row(c, there);
	if (!there.s)
		return 0;
	return invariant_jq_ask(&v->jq, c->p->doc, c->p->rows.invariants, &c->row, there, complain_invariant, c, v->d);
}

static int check_step(struct checking *c, const struct step *s)
{
	const struct doc *doc = c->p->doc;
	uint32_t t = s->rows.first;

	c->step = s;
	c->action = xrealloc(c->action, s->rows.n, sizeof *c->action);
	for (uint32_t i = 0; i < s->rows.n; i++, t = doc->tok[t].next)
		c->action[i] = t;
	return c->v->s->ops->look(c->v->s, c->p, s, take_row, c, c->v->d);
}

/* The entities, each with what was found of its rows. */
static void sum_up(struct checking *c)
{
	for (size_t i = 0; i < c->nentity; i++) {
		const struct entity_count *e = &c->entity[i];
		char want[24], is[24], *message;
		bool ok = e->want == e->as_planned;

		snprintf(want, sizeof want, "%" PRIu64, e->want);
		snprintf(is, sizeof is, "%" PRIu64, e->as_planned);
		message = xasprintf("%s of %s rows are as planned, %" PRIu64 " are there", is, want, e->there);
		complain(c->v->found, &(struct complaint){ .rule = ok ? "rows" : "count_mismatch",
		                                           .ref = e->name,
		                                           .message = message,
		                                           .expected = want,
		                                           .actual = is,
		                                           .note = ok });
		free(message);
	}
}

/* Those invariants that are SQL, once all parts are there. */
static int ask_sql(struct rows_verify *v, const struct plan *p)
{
	struct db *db = v->s->ops->database ? v->s->ops->database(v->s) : NULL;
	uint32_t list = db && p->part == p->parts ? p->rows.invariants : DOC_NONE;
	struct invariant x;

	for (uint32_t t = list + 1; list && t < p->doc->tok[list].next; t = p->doc->tok[t].next) {
		struct diag own = DIAG_INIT;

		if (invariant_read(&x, p->doc, t, "header.rows.invariants", NULL, v->d) < 0)
			return -1;
		int rc = invariant_is_for(&x, p->doc, db->ops->dialect)
		                 ? sql_check_query(db, p->doc, t, "invariant", &own)
		                 : 0;

		for (size_t i = 0; i < own.n; i++)
			if (strcmp(own.list[i].rule, "data") == 0)
				complain(v->found, &(struct complaint){ .rule = "invariant",
				                                        .ref = p->hash,
				                                        .message = own.list[i].message });
			else
				diag_add(v->d, own.list[i].exit, own.list[i].rule, own.list[i].where, "%s",
				         own.list[i].message);
		diag_release(&own);
		if (rc < 0 && db->ops->trouble(db) != DB_FINE)
			return -1;
	}
	return 0;
}

/* ---- a plan ---- */

static int check_forward(struct rows_verify *v, const struct plan *p)
{
	struct checking c = { .v = v, .p = p };
	int rc = invariant_jq_read(&v->jq, p->doc, p->rows.invariants, v->out, v->d);

	for (size_t i = 0; i < p->nstep && rc == 0; i++)
		rc = check_step(&c, &p->step[i]);
	if (rc == 0) {
		sum_up(&c);
		rc = ask_sql(v, p);
	}
	for (size_t i = 0; i < c.nentity; i++)
		free(c.entity[i].name);
	free(c.entity);
	free(c.action);
	return rc;
}

static int check_restored(struct rows_verify *v, const struct plan *p)
{
	struct diag own = DIAG_INIT;
	int rc = v->s->ops->restored ? v->s->ops->restored(v->s, p, &own) : 0;

	for (size_t i = 0; i < own.n; i++) {
		const struct finding *f = &own.list[i];

		if (f->exit == MIG_INVALID) {
			complain(v->found,
			         &(struct complaint){ .rule = f->rule, .ref = f->where, .message = f->message });
			rc = 0;
		} else {
			diag_add(v->d, f->exit, f->rule, f->where, "%s", f->message);
		}
	}
	diag_release(&own);
	return rc;
}

int verify_rows_plan(struct rows_verify *v, const struct plan *p)
{
	bool done;

	if (consult_ledger(v, p, &done) < 0)
		return -1;
	if (!done)
		return 0;
	return p->rollback_mode ? check_restored(v, p) : check_forward(v, p);
}
