/* plan-sql-pairs.c -- what the steps of a plan of SQL or of descriptors are to each other: see plan-read.h. */
#include "plan-read.h"

#include <stdlib.h>

static int compare_ids(const void *a, const void *b)
{
	const struct text x = (*(const struct step *const *)a)->step_id, y = (*(const struct step *const *)b)->step_id;
	int c = memcmp(x.s, y.s, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static int check_ids(const struct plan_reading *r)
{
	const struct plan *p = r->p;
	const struct step **sorted = xcalloc(p->nstep, sizeof *sorted);
	int rc = 0;

	for (size_t i = 0; i < p->nstep; i++) {
		sorted[i] = &p->step[i];
		if (!text_same(p->step[i].from_version, p->step[0].from_version) ||
		    !text_same(p->step[i].to_version, p->step[0].to_version))
			rc = plan_invalid(r, "bad_plan", "its steps lead from or to different versions");
	}
	qsort(sorted, p->nstep, sizeof *sorted, compare_ids);
	for (size_t i = 1; i < p->nstep && rc == 0; i++)
		if (text_same(sorted[i - 1]->step_id, sorted[i]->step_id))
			rc = plan_invalid(r, "bad_plan", "two steps have the same step_id");
	free(sorted);
	return rc;
}

/* How many actions of a step do op, and the first of them. */
static size_t count_ops(const struct doc *d, const struct step *s, const char *op, uint32_t *first)
{
	size_t n = 0;

	for (uint32_t a = s->actions + 1; a < d->tok[s->actions].next; a = d->tok[a].next)
		if (doc_says(d, a, "op", op) && n++ == 0 && first)
			*first = a;
	return n;
}

/* An index is made of documents, which say themselves what they are. */
static bool is_index(const struct plan *p)
{
	size_t i = 0;

	while (i < p->nstep && p->step[i].type == STEP_INDEX)
		i++;
	return i == p->nstep;
}

/*
 * One step keeps what was done, the last one that is in the transaction, so that
 * it stands or falls with the others.
 */
static int check_record(const struct plan_reading *r)
{
	const struct plan *p = r->p;
	const char *op = p->rollback_mode ? "unrecord" : "record";
	size_t found = 0;

	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		if (!p->rollback_mode && found && !s->outside)
			return plan_invalid(r, "bad_plan", "a step of the transaction stands behind the record step");
		if (!p->rollback_mode && !found && s->outside)
			return plan_invalid(r, "bad_plan",
			                    "a step outside of the transaction stands before the record step");
		if (!count_ops(r->doc, s, op, NULL))
			continue;
		if (found++ || s->outside)
			return plan_invalid(r, "bad_plan", "what is recorded is not one step of the transaction");
	}
	return found || is_index(p) ? 0 : plan_invalid(r, "bad_plan", "no step records what was done");
}

/* A declared schema's plan leads to the schema that its header names. */
static int check_target(const struct plan_reading *r)
{
	const struct plan *p = r->p;
	uint32_t a = DOC_NONE;

	for (size_t i = 0; i < p->nstep && !p->rollback_mode; i++)
		if (count_ops(r->doc, &p->step[i], "record", &a) && doc_member(r->doc, a, "schema", 6) &&
		    !doc_equals(r->doc, doc_member(r->doc, a, "checksum", 8), p->set_hash.s, p->set_hash.n))
			return plan_invalid(r, "bad_plan", "the recorded checksum is not the header's");
	return 0;
}

/* What the plan was made for is asked of the database before anything else. */
static int check_schema(const struct plan_reading *r)
{
	const struct plan *p = r->p;
	bool asked = false;

	for (size_t i = 0; i < p->nstep && !p->rollback_mode; i++) {
		uint32_t list = p->step[i].pre;

		for (uint32_t e = list + 1; e < r->doc->tok[list].next; e = r->doc->tok[e].next) {
			if (!doc_says(r->doc, e, "check", "schema"))
				continue;
			if (i > 0 || !doc_equals(r->doc, doc_member(r->doc, e, "hash", 4), p->digest.s, p->digest.n))
				return plan_invalid(r, "bad_plan",
				                    "a schema check is not the first step's, or not of the snapshot");
			asked = true;
		}
	}
	return asked || p->part > 1 || p->rollback_mode || is_index(p)
	               ? 0
	               : plan_invalid(r, "bad_plan", "the first step does not ask for the schema that was planned on");
}

/* Have both actions the same of these members, or lack them both? */
static bool same_members(const struct doc *d, uint32_t a, uint32_t b, const char *const *members)
{
	for (; *members; members++) {
		uint32_t x = doc_member(d, a, *members, strlen(*members)),
			 y = doc_member(d, b, *members, strlen(*members));
		size_t nx = 0, ny = 0;
		const char *sx = x ? doc_span(d, x, &nx) : "", *sy = y ? doc_span(d, y, &ny) : "";

		if (nx != ny || memcmp(sx, sy, nx) != 0)
			return false;
	}
	return true;
}

/* Has the step an action op for what action a is about? */
static bool has_counterpart(const struct doc *d, const struct step *s, const char *op, uint32_t a)
{
	static const char *const kept[] = { "columns", "key", "name", "table", NULL };
	static const char *const recorded[] = { "from", "history_version", "to", NULL };
	const char *const *members = strcmp(op, "backup") == 0 ? kept : recorded;

	for (uint32_t e = s->actions + 1; e < d->tok[s->actions].next; e = d->tok[e].next)
		if (doc_says(d, e, "op", op) && same_members(d, e, a, members))
			return true;
	return false;
}

/* What an entry takes back or puts back, its step did or kept; and the other way round for what is recorded. */
static bool is_inverse(const struct doc *d, const struct step *s, const struct step *u)
{
	for (uint32_t a = u->actions + 1; a < d->tok[u->actions].next; a = d->tok[a].next)
		if ((doc_says(d, a, "op", "unrecord") && !has_counterpart(d, s, "record", a)) ||
		    (doc_says(d, a, "op", "restore") && !has_counterpart(d, s, "backup", a)))
			return false;
	for (uint32_t a = s->actions + 1; a < d->tok[s->actions].next; a = d->tok[a].next)
		if (doc_says(d, a, "op", "record") && !has_counterpart(d, u, "unrecord", a))
			return false;
	return text_same(s->step_id, u->step_id);
}

int plan_sql_pairs(const struct plan_reading *r)
{
	struct plan *p = r->p;
	bool sql = plan_of_sql(p);

	if (check_ids(r) < 0 || (sql && (check_record(r) < 0 || check_target(r) < 0 || check_schema(r) < 0)))
		return -1;
	if (p->changes < (int64_t)p->nstep || (sql && p->current) || p->rejects)
		return plan_invalid(r, "conservation", "snapshot: it counts other steps than there are");
	if (p->rollback_mode)
		return p->nundo == 0 ? 0 : plan_invalid(r, "bad_plan", "a rollback plan has no rollback of its own");
	if (p->nundo != p->nstep)
		return plan_invalid(r, "rollback_incomplete", "it has not one rollback entry a step");
	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *u = &p->undo[p->nstep - 1 - i];

		if (sql ? !is_inverse(p->doc, &p->step[i], u) : !plan_descriptor_inverse(p, &p->step[i], u))
			return plan_invalid(r, "rollback_incomplete",
			                    "a rollback entry is not the inverse of its step");
		p->step[i].reversible = u->reversible;
	}
	return 0;
}
