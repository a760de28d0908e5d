/* plan-pairs.c -- what the steps of a plan of documents or of rows are to each other: see plan-read.h. */
#include "plan-read.h"

#include "fs-root.h"

static int compare_refs(struct text a, struct text b)
{
	int c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Which comes first: batches by their numbers, which are texts only up to 99999. */
static int compare_steps(const struct step *a, const struct step *b)
{
	return a->rows.any ? (a->rows.number > b->rows.number) - (a->rows.number < b->rows.number)
	                   : compare_refs(a->ref, b->ref);
}

/* What deletes is undone by putting back, and the other way round: only that does not destroy. */
static bool is_inverse(const struct plan *p, const struct step *s, const struct step *u)
{
	if (!text_same(s->step_id, u->step_id))
		return false;
	if (s->rows.any)
		return s->type == (s->rows.deletes ? STEP_CLEANUP : STEP_DATA) &&
		       u->type == (s->rows.deletes ? STEP_DATA : STEP_CLEANUP) &&
		       rows_inverse(p->doc, &s->rows, &u->rows);
	return s->type == u->type && text_same(s->raw, u->raw) && text_same(s->after, u->after) &&
	       text_same(s->without, u->without) && text_same(s->backup_suffix, u->backup_suffix);
}

/* The steps of a stream lead to one version, in the order of their refs; a rollback goes the other way. */
static int check_order(const struct plan_reading *r)
{
	const struct plan *p = r->p;

	for (size_t i = 0; i < p->nstep; i++)
		if (!text_same(p->step[i].to_version, p->target_version))
			return plan_invalid(r, "bad_plan", "a step leads to another version than target_version");
	for (size_t i = 1; i < p->nstep; i++)
		if (compare_steps(&p->step[i - 1], &p->step[i]) * (p->rollback_mode ? -1 : 1) >= 0)
			return plan_invalid(r, "bad_plan", "its steps are not in the order of their refs, each once");
	return 0;
}

static bool begins_with(struct text *t, struct text with)
{
	if (t->n < with.n || memcmp(t->s, with.s, with.n) != 0)
		return false;
	t->s += with.n;
	t->n -= with.n;
	return true;
}

/* Is the ref, which is longer, that of the step's backup, a/b.json and .old: a/b.json.old, or a/b.json.old.1.0.0? */
static bool is_backup_of(const struct step *s, struct text ref)
{
	struct buf name = BUF_INIT;

	fs_unescape(&name, (struct text){ ref.s + s->ref.n, ref.n - s->ref.n });
	struct text rest = { name.s, name.len };
	bool is = begins_with(&rest, s->backup_suffix) &&
	          (rest.n == 0 ||
	           (begins_with(&rest, text_cstr(".")) && begins_with(&rest, s->from_version) && rest.n == 0));

	buf_release(&name);
	return is;
}

/* Undoing removes backups: none may be a document.  Those that begin with a ref come right after it. */
static int check_backups(const struct plan_reading *r)
{
	const struct plan *p = r->p;

	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		for (size_t k = 1; s->backup_suffix.n && k < p->nstep; k++) {
			size_t at = p->rollback_mode ? i - k : i + k;

			if (at >= p->nstep || p->step[at].ref.n <= s->ref.n ||
			    memcmp(p->step[at].ref.s, s->ref.s, s->ref.n) != 0)
				break;
			if (is_backup_of(s, p->step[at].ref))
				return plan_invalid(r, "bad_backup", "the backup of a document would be another of its "
				                                     "documents");
		}
	}
	return 0;
}

/* Each entry undoes the step at the other end of the list. */
static int pair_up(const struct plan_reading *r)
{
	struct plan *p = r->p;

	if (p->rollback_mode)
		return p->nundo == 0 ? 0 : plan_invalid(r, "bad_plan", "a rollback plan has no rollback of its own");
	if (p->nundo != p->nstep)
		return plan_invalid(r, "rollback_incomplete", "it has not one rollback entry a step");
	for (size_t i = 0; i < p->nstep; i++) {
		struct step *s = &p->step[i];
		const struct step *u = &p->undo[p->nstep - 1 - i];

		if (!is_inverse(p, s, u))
			return plan_invalid(r, "rollback_incomplete",
			                    "a rollback entry is not the inverse of its step");
		s->reversible = u->reversible;
	}
	return 0;
}

int plan_pairs(const struct plan_reading *r)
{
	return check_order(r) < 0 || check_backups(r) < 0 ? -1 : pair_up(r);
}
