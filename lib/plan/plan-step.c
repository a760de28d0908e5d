/* plan-step.c -- what all steps of a plan have, and those of documents and of rows as a whole: see plan-read.h. */
#include "plan-read.h"

int plan_read_type(const struct plan_reading *r, uint32_t type, struct step *s)
{
	int t = step_type_of(plan_text(r->p, type));

	if (t < 0)
		return plan_invalid(r, "step_type", "type is not one of schema, data, config, profile, index, cleanup");
	s->type = (enum step_type)t;
	return 0;
}

int plan_read_entry(const struct plan_reading *r, const struct entry_members *t, bool entry, struct step *s)
{
	static const struct member safety[] = { { "note", IS_STR }, { "reversible", IS_BOOL }, { NULL, 0 } };
	uint32_t u[2];

	s->reversible = true; /* of a forward step its rollback entry knows better: see plan_pairs and plan_sql_pairs */
	if (!entry && (t->safety || t->levers || t->previous || t->undo))
		return plan_usage(r, "a forward step has no data_safety, levers, previous_version or undo");
	if (!entry)
		return 0;
	if (!t->safety || !t->levers || !t->previous || !t->undo)
		return plan_usage(r, "a rollback entry needs data_safety, levers, previous_version and undo");
	if (plan_shape(r, t->safety, safety, u, "data_safety") < 0)
		return -1;
	s->note = plan_text(r->p, u[0]);
	s->reversible = r->doc->tok[u[1]].type == DOC_TRUE;
	s->levers = t->levers;
	s->undo = t->undo;
	s->previous_version = plan_text(r->p, t->previous);
	return text_same(s->previous_version, s->from_version)
	               ? 0
	               : plan_invalid(r, "bad_plan", "previous_version is not the version before the step");
}

/* Most entries repeat the key of the step that they undo, which was computed a moment ago. */
static bool repeats_key(const struct plan *p, const struct step *entry)
{
	if (p->rollback_mode || (uint64_t)entry->index > p->nstep)
		return false;
	const struct step *s = &p->step[p->nstep - (size_t)entry->index];

	return text_same(s->step_id, entry->step_id) && text_same(s->key, entry->key);
}

int plan_check_key(const struct plan_reading *r, const struct step *s, bool entry)
{
	const struct plan *p = r->p;
	char key[HEX_SIZE];

	if (p->known || (entry && repeats_key(p, s)))
		return 0;
	plan_key(p->env, p->tenant, p->project, p->migration_id, s->step_id, key);
	return text_is(s->key, key) ? 0
	                            : plan_invalid(r, "idempotency_key",
	                                           "idempotency_key is not that of its env, scope, migration "
	                                           "and step_id");
}

/* Split <ref>@<from>..<to>. */
static int read_step_id(const struct plan_reading *r, struct step *s)
{
	struct text id = s->step_id;
	const char *at = memrchr(id.s, '@', id.n);
	const char *dots = at ? memmem(at, (size_t)(id.s + id.n - at), "..", 2) : NULL;

	if (!dots || at == id.s)
		return plan_usage(r, "step_id is not <ref>@<from>..<to>");
	s->ref = (struct text){ id.s, (size_t)(at - id.s) };
	s->from_version = (struct text){ at + 1, (size_t)(dots - at - 1) };
	s->to_version = (struct text){ dots + 2, (size_t)(id.s + id.n - dots - 2) };
	return 0;
}

/* The members that steps and rollback entries share, and the entries' own (lacking in a forward step). */
enum {
	S_ACTIONS,
	S_SAFETY,
	S_DESCRIPTION,
	S_KEY,
	S_INDEX,
	S_LEVERS,
	S_POST,
	S_PRE,
	S_PREVIOUS,
	S_ID,
	S_TYPE,
	S_UNDO,
	S_N
};

static const struct member step_members[] = { { "actions", IS_ARR },
	                                      { "data_safety", IS_OBJ | MAY_LACK },
	                                      { "description", IS_STR },
	                                      { "idempotency_key", IS_STR },
	                                      { "index", IS_NUM },
	                                      { "levers", IS_ARR | MAY_LACK },
	                                      { "postconditions", IS_ARR },
	                                      { "preconditions", IS_ARR },
	                                      { "previous_version", IS_STR | MAY_LACK },
	                                      { "step_id", IS_STR },
	                                      { "type", IS_STR },
	                                      { "undo", IS_ARR | MAY_LACK },
	                                      { NULL, 0 } };

/* The three lists. */
static int read_lists(const struct plan_reading *r, const uint32_t *t, bool entry, struct step *s)
{
	if (!plan_of_rows(r->p))
		return plan_document_step(r, entry, t[S_ACTIONS], t[S_PRE], t[S_POST], s);
	return entry ? rows_read_entry(&s->rows, r->doc, s->ref, t[S_ACTIONS], t[S_PRE], t[S_POST], r->what, r->where,
	                               r->d)
	             : rows_read_step(&s->rows, r->doc, s->ref, t[S_ACTIONS], t[S_PRE], t[S_POST], r->p->known, r->what,
	                              r->where, r->d);
}

int plan_read_step(const struct plan_reading *r, uint32_t tok, int64_t index, bool entry, struct step *s)
{
	struct plan *p = r->p;
	uint32_t t[S_N];

	*s = (struct step){ .tok = tok };
	if (plan_of_sql(p) || plan_of_descriptor(p))
		return plan_sql_step(r, s, index, entry);
	if (plan_shape(r, tok, step_members, t, r->what) < 0)
		return -1;
	if (!doc_int(r->doc, t[S_INDEX], &s->index) || s->index != index)
		return plan_invalid(r, "bad_plan", "index is not its place in the list, counted from 1");
	s->step_id = plan_text(p, t[S_ID]);
	s->description = plan_text(p, t[S_DESCRIPTION]);
	s->key = plan_text(p, t[S_KEY]);
	if (plan_read_type(r, t[S_TYPE], s) < 0 || read_step_id(r, s) < 0 || plan_check_key(r, s, entry) < 0)
		return -1;
	const struct entry_members own = { t[S_SAFETY], t[S_LEVERS], t[S_PREVIOUS], t[S_UNDO] };

	return plan_read_entry(r, &own, entry, s) < 0 ? -1 : read_lists(r, t, entry, s);
}
