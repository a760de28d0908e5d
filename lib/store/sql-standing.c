/* sql-standing.c -- see sql-standing.h */
#include "sql-standing.h"

#include <stdio.h>
#include <stdlib.h>

void sql_standing_init(struct sql_standing *s, struct db *db, const struct plan *p)
{
	*s = (struct sql_standing){ .db = db, .p = p, .undone = { .doc = DOC_INIT, .plan = PLAN_INIT } };
	s->done = xcalloc(p->nstep, sizeof *s->done);
	snprintf(s->undone.hash, sizeof s->undone.hash, "%.*s", (int)p->undoes.n, p->undoes.n ? p->undoes.s : "");
}

void sql_standing_release(struct sql_standing *s)
{
	struct sql_undone *u = &s->undone;

	for (size_t i = 0; u->kept && i < u->plan.nstep; i++)
		sql_kepts_release(&u->kept[i]);
	free(u->kept);
	free(u->was);
	plan_release(&u->plan);
	doc_release(&u->doc);
	buf_release(&u->text);
	free(s->done);
}

const struct plan *sql_standing_plan(const struct sql_standing *s)
{
	return s->p->rollback_mode ? &s->undone.plan : s->p;
}

size_t sql_standing_at(const struct sql_standing *s, size_t i)
{
	return s->p->rollback_mode ? s->p->nstep - 1 - i : i;
}

bool sql_standing_idle(const struct sql_standing *s, size_t i)
{
	return s->is == SQL_DONE || s->done[i] || (s->p->rollback_mode && !s->undone.was[sql_standing_at(s, i)]);
}

void sql_standing_forget(struct sql_standing *s)
{
	s->known = false;
}

void sql_standing_did(struct sql_standing *s, size_t i)
{
	s->is = SQL_BEGUN;
	s->done[i] = true;
}

/* ---- entries ---- */

/* The step of p that an entry speaks of, or nstep. */
static size_t step_of(const struct plan *p, const struct doc *entry)
{
	char *ref = record_dup(entry, doc_member(entry, 0, "ref", 3));
	size_t i = 0;

	while (i < p->nstep && !(ref && text_is(p->step[i].step_id, ref)))
		i++;
	free(ref);
	return i;
}

static void mark_done(void *arg, const struct doc *entry)
{
	struct sql_standing *s = arg;
	size_t i = step_of(s->p, entry);

	if (i < s->p->nstep)
		s->done[i] = true;
}

struct recalling {
	struct sql_undone *u;
	struct diag *d;
};

static void mark_was(void *arg, const struct doc *entry)
{
	struct recalling *x = arg;
	struct sql_undone *u = x->u;
	size_t i = step_of(&u->plan, entry);

	if (i == u->plan.nstep)
		return;
	u->was[i] = true;
	if (u->kept[i].n == 0)
		sql_kepts_read(&u->kept[i], entry, x->d);
}

/* ---- the plan that is undone ---- */

static int not_applied(const struct sql_standing *s, struct diag *d)
{
	return diag_add(d, MIG_PRECONDITION, "not_applied", s->undone.hash,
	                "the plan to be rolled back is not applied to this database");
}

/* Once is enough: under its hash there is never another. */
static int read_undone(struct sql_standing *s, struct diag *d)
{
	struct sql_undone *u = &s->undone;

	if (u->was)
		return 0;
	buf_reset(&u->text);
	int rc = sql_ledger_get_plan(s->db, u->hash, &u->text, d);

	if (rc <= 0)
		return rc < 0 ? -1 : not_applied(s, d);
	if (doc_parse(&u->doc, u->text.s, u->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", u->hash, "the stored plan is damaged: %s",
		                u->doc.err.reason);
	if (plan_read(&u->plan, &u->doc, 0, "the stored plan", d) < 0)
		return -1;
	if (strcmp(u->plan.hash, u->hash) != 0 || !plan_of_rows(&u->plan) || u->plan.rollback_mode ||
	    u->plan.nstep != s->p->nstep)
		return diag_add(d, MIG_INVALID, "foreign_plan", u->hash, "the stored plan is another one");
	u->was = xcalloc(u->plan.nstep, sizeof *u->was);
	u->kept = xcalloc(u->plan.nstep, sizeof *u->kept);
	return 0;
}

static int recall_steps(struct sql_standing *s, struct diag *d)
{
	struct sql_undone *u = &s->undone;
	struct recalling x = { u, d };
	size_t before = d->n;

	for (size_t i = 0; i < u->plan.nstep; i++) {
		u->was[i] = false;
		sql_kepts_release(&u->kept[i]);
	}
	return sql_ledger_steps(s->db, u->hash, mark_was, &x, d) < 0 || d->n > before ? -1 : 0;
}

int sql_standing_recall(struct sql_standing *s, struct diag *d)
{
	return read_undone(s, d) < 0 ? -1 : recall_steps(s, d);
}

/* ---- asking ---- */

/* A plan whose rollback was begun is neither applied nor not. */
static int half_undone(struct sql_standing *s, struct diag *d)
{
	char undoing[HEX_SIZE];
	int rc = sql_ledger_undoing(s->db, s->p->hash, undoing, d);

	if (rc <= 0)
		return rc;
	diag_hint(d, "finish it: mig-extract --applied --plan %s | mig-plan --rollback | mig-gate .. | mig-apply ..",
	          s->p->hash);
	return diag_add(d, MIG_PRECONDITION, "unfinished", undoing,
	                "a rollback of this plan was begun and not finished");
}

static int learn_forward(struct sql_standing *s, struct diag *d)
{
	char event[16] = "";

	if (sql_ledger_last(s->db, s->p->hash, NULL, event, d) < 0)
		return -1;
	s->is = strcmp(event, "begin") == 0 ? SQL_BEGUN : strcmp(event, "commit") == 0 ? SQL_DONE : SQL_TO_DO;
	if (s->is == SQL_TO_DO)
		return 0;
	if (half_undone(s, d) < 0)
		return -1;
	return s->is == SQL_BEGUN ? sql_ledger_steps(s->db, s->p->hash, mark_done, s, d) : 0;
}

static int learn_backward(struct sql_standing *s, struct diag *d)
{
	char own[16] = "", event[16] = "";

	if (read_undone(s, d) < 0 || sql_ledger_last(s->db, s->p->hash, NULL, own, d) < 0 ||
	    sql_ledger_last(s->db, s->undone.hash, NULL, event, d) < 0)
		return -1;
	if (strcmp(event, "rollback") == 0) {
		s->is = SQL_DONE;
		return 0;
	}
	if (!*event || strcmp(event, "undo") == 0)
		return not_applied(s, d);
	s->is = strcmp(own, "begin") == 0 ? SQL_BEGUN : SQL_TO_DO;
	if (s->is == SQL_BEGUN && sql_ledger_steps(s->db, s->p->hash, mark_done, s, d) < 0)
		return -1;
	return recall_steps(s, d);
}

int sql_standing_learn(struct sql_standing *s, struct diag *d)
{
	struct sql_chain now;

	if (sql_chain_read(&now, s->db, d) < 0)
		return -1;
	if (s->known && now.seq == s->chain.seq && strcmp(now.head, s->chain.head) == 0)
		return 0;
	s->chain = now;
	memset(s->done, 0, s->p->nstep * sizeof *s->done);
	if ((s->p->rollback_mode ? learn_backward(s, d) : learn_forward(s, d)) < 0)
		return -1;
	s->known = true;
	return 0;
}
