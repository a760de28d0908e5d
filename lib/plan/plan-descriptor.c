/* plan-descriptor.c -- the steps of plans of descriptors, see plan-read.h; mig-stream(5) shows them. */
#include "instruction.h"
#include "plan-read.h"

/* Is it the target, or that with a number behind it: notes.title#2? */
static bool names(struct text ref, struct text target)
{
	if (ref.n < target.n || memcmp(ref.s, target.s, target.n) != 0)
		return false;
	if (ref.n == target.n)
		return true;
	for (size_t i = target.n + 1; i < ref.n; i++)
		if (ref.s[i] < '0' || ref.s[i] > '9')
			return false;
	return ref.s[target.n] == '#' && ref.n > target.n + 1;
}

/* One finding, which says what the type says: who edits a plan cannot make a step harmless. */
static int read_finding(const struct plan_reading *r, const struct step *s, const struct instruction_kind *k)
{
	const struct doc *d = r->doc;
	struct sqlfinding f;

	if (d->tok[s->findings].n != 1)
		return plan_invalid(r, "bad_plan", "it has not one finding");
	if (sqlfinding_read(&f, d, s->findings + 1, r->where, r->d) < 0)
		return -1;
	return text_is(f.rule, k->rule) && f.severity == k->severity
	               ? 0
	               : plan_invalid(r, "bad_plan", "its finding is not that of a step of its type");
}

/* {"action":..,"after":{..},"before":{..},"op":"instruct","step":..,"summary":..,"target":..,"type":..} */
static int read_action(const struct plan_reading *r, struct step *s, bool entry)
{
	static const struct member m[] = { { "action", IS_STR },
		                           { "after", IS_ANY | MAY_LACK },
		                           { "before", IS_ANY | MAY_LACK },
		                           { "op", IS_STR },
		                           { "step", IS_OBJ | IS_ARR | MAY_LACK },
		                           { "summary", IS_STR },
		                           { "target", IS_STR },
		                           { "type", IS_STR },
		                           { NULL, 0 } };
	uint32_t t[8];

	if (plan_shape(r, s->actions + 1, m, t, "instruct action") < 0)
		return -1;
	struct text type = plan_text(r->p, t[7]);
	const struct instruction_kind *k = instruction_kind(type);

	if (!doc_equals(r->doc, t[3], "instruct", 8))
		return plan_usage(r, "its action is not \"instruct\"");
	if (!t[1] != !t[2] || (t[4] && (t[1] || entry)))
		return plan_invalid(r, "bad_plan", "it has before and after, or the planner's own step");
	if (!names(s->ref, plan_text(r->p, t[6])))
		return plan_invalid(r, "bad_plan", "its step_id is about something else than its action");
	if (!entry && !text_same(s->what, instruction_what(type)))
		return plan_invalid(r, "bad_plan", "its step_id says something else than its action");
	if (strcmp(step_type_name(s->type), k->step) != 0)
		return plan_invalid(r, "bad_plan", "it has another type than steps of its kind");
	return read_finding(r, s, k);
}

int plan_descriptor_step(const struct plan_reading *r, struct step *s, bool entry)
{
	const struct doc *doc = r->doc;

	if (doc->tok[s->pre].n || doc->tok[s->post].n || s->outside)
		return plan_invalid(r, "bad_plan", "instructions have no conditions and no transactions");
	if (doc->tok[s->actions].n == 1)
		return read_action(r, s, entry);
	if (doc->tok[s->actions].n == 0 && entry) /* nobody knows what undoes it */
		return s->reversible || doc->tok[s->findings].n ? plan_invalid(r, "bad_plan", "it undoes nothing") : 0;
	return plan_invalid(r, "bad_plan", "it has not one action");
}

static uint32_t member(const struct doc *d, const struct step *s, const char *name)
{
	return d->tok[s->actions].n ? doc_member(d, s->actions + 1, name, strlen(name)) : DOC_NONE;
}

static bool same(const struct doc *d, uint32_t a, uint32_t b)
{
	size_t n = 0, m = 0;
	const char *x = a ? doc_span(d, a, &n) : "", *y = b ? doc_span(d, b, &m) : "";

	return n == m && memcmp(x, y, n) == 0;
}

/* What the step makes of before, its entry makes of after; and nothing is called undoable that is not. */
bool plan_descriptor_inverse(struct plan *p, const struct step *s, const struct step *u)
{
	const struct doc *d = p->doc;
	struct text forth = plan_text(p, member(d, s, "type")), back = plan_text(p, member(d, u, "type"));
	const struct instruction_kind *k = instruction_kind(forth);

	if (!text_same(s->step_id, u->step_id) || u->reversible != k->reversible)
		return false;
	if (!k->inverse)
		return !back.s;
	return back.s && instruction_undoes(back, forth) && same(d, member(d, s, "before"), member(d, u, "after")) &&
	       same(d, member(d, s, "after"), member(d, u, "before")) &&
	       same(d, member(d, s, "target"), member(d, u, "target"));
}
