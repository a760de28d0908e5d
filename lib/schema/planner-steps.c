/* planner-steps.c -- see planner-steps.h */
#include "planner-steps.h"

#include <stdlib.h>

struct reading {
	const struct doc *doc;
	const char *where;
	struct diag *d;
	size_t no;
};

static int bad(struct reading *r, const char *what)
{
	return diag_add(r->d, MIG_INVALID, "bad_steps", r->where, "step %zu %s", r->no, what);
}

static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return obj == DOC_NONE ? DOC_NONE : doc_member(d, obj, name, strlen(name));
}

/* [ID,"notes","title"]: "notes.title", or NULL */
static char *identity(const struct doc *d, uint32_t obj)
{
	static const char *const names[] = { "forwardIdentity", "forward-identity" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint32_t t = member(d, obj, names[i]);

		if (t == DOC_NONE || d->tok[t].type != DOC_ARRAY || d->tok[t].n != 3)
			continue;
		uint32_t entity = d->tok[t + 1].next, label = d->tok[entity].next;

		if (d->tok[entity].type != DOC_STRING || d->tok[label].type != DOC_STRING)
			continue;
		char *e = record_dup(d, entity), *l = record_dup(d, label), *s = xasprintf("%s.%s", e, l);

		free(e);
		free(l);
		return s;
	}
	return NULL;
}

/* The words of the planner, or ours. */
static char *summary(const struct doc *d, uint32_t step, const char *type, const char *target)
{
	uint32_t t = member(d, step, "friendlyDescription");

	return t != DOC_NONE && d->tok[t].type == DOC_STRING && d->tok[t].len > 2 ? record_dup(d, t)
	                                                                          : xasprintf("%s %s", type, target);
}

/* step: what has the members; whole: all that the planner gave */
static int take(struct reading *r, struct instructions *out, uint32_t type_tok, uint32_t step, uint32_t whole)
{
	const struct doc *d = r->doc;

	if (type_tok == DOC_NONE || d->tok[type_tok].type != DOC_STRING || d->tok[type_tok].len == 2)
		return bad(r, "has no type");
	char *type = record_dup(d, type_tok), *target = identity(d, step);
	bool known = instruction_kind(text_cstr(type))->type != NULL;

	if (!target)
		target = identity(d, member(d, step, "attr"));
	if (!target && !known)
		target = xstrdup("unknown");
	if (target) {
		struct instruction *i = instructions_add(out, type, target, summary(d, step, type, target));
		struct buf b = BUF_INIT;

		canon_value(&b, d, whole, DOC_NONE);
		i->step = buf_steal(&b);
	} else {
		bad(r, "does not say which attribute it is about: no forwardIdentity of three");
	}
	int rc = target ? 0 : -1;

	free(type);
	free(target);
	return rc;
}

static int read_step(struct reading *r, struct instructions *out, uint32_t t)
{
	const struct doc *d = r->doc;

	if (d->tok[t].type == DOC_OBJECT)
		return take(r, out, member(d, t, "type"), t, t);
	if (d->tok[t].type == DOC_ARRAY && d->tok[t].n == 2 && d->tok[d->tok[t + 1].next].type == DOC_OBJECT)
		return take(r, out, t + 1, d->tok[t + 1].next, t);
	return bad(r, "is neither an object nor a pair of type and object");
}

int planner_steps_read(struct instructions *out, const struct doc *doc, const char *where, char hash[HEX_SIZE],
                       struct diag *d)
{
	struct reading r = { .doc = doc, .where = where, .d = d };
	bool bare = doc->tok[0].type == DOC_ARRAY;
	uint32_t list = bare ? 0 : doc_member(doc, 0, "steps", 5);
	int rc = 0;

	if (!bare && (doc->tok[0].type != DOC_OBJECT || list == DOC_NONE || doc->tok[list].type != DOC_ARRAY))
		return diag_add(d, MIG_INVALID, "bad_steps", where, "no array of steps");
	for (uint32_t t = list + 1; t < doc->tok[list].next; t = doc->tok[t].next) {
		r.no++;
		if (read_step(&r, out, t) < 0)
			rc = -1;
	}
	canon_hash(doc, list, DOC_NONE, hash);
	return rc;
}
