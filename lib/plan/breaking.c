/* breaking.c -- see breaking.h */
#include "breaking.h"

#include "semver.h"

#include <stdlib.h>

enum { FEW = 32 }; /* operations */

/* The step's versions as strings; false if either is none. */
static bool versions(const struct step *s, char **from, char **to)
{
	*from = xmemdup(s->from_version.s, s->from_version.n);
	*to = xmemdup(s->to_version.s, s->to_version.n);
	return semver_valid(*from) && semver_valid(*to);
}

bool breaking_same_version(const struct step *s)
{
	char *from, *to;
	bool same = versions(s, &from, &to) ? semver_compare(from, to) == 0 : text_same(s->from_version, s->to_version);

	free(from);
	free(to);
	return same;
}

/* <0, 0, >0: how the major version changes. */
static int compare_majors(const char *from, const char *to)
{
	unsigned long long a = strtoull(from, NULL, 10), b = strtoull(to, NULL, 10);

	return (b > a) - (b < a);
}

bool breaking_major(const struct step *s)
{
	char *from, *to;
	bool greater = versions(s, &from, &to) && compare_majors(from, to) > 0;

	free(from);
	free(to);
	return greater;
}

bool breaking_allowed(const struct step *s)
{
	char *from, *to;
	bool may = versions(s, &from, &to) && (compare_majors(from, to) > 0 || semver_compare(to, from) < 0);

	free(from);
	free(to);
	return may;
}

static uint32_t member(const struct doc *d, uint32_t op, const char *name)
{
	return doc_member(d, op, name, strlen(name));
}

/* Does the pointer end in an index, or in what only an array knows? */
static bool names_element(const struct doc *d, uint32_t t)
{
	size_t n;
	const char *s = doc_span(d, t, &n), *end = s + n - 1, *slash = memrchr(s, '/', n);

	if (!slash || slash + 1 >= end)
		return false;
	for (const char *c = slash + 1; c < end; c++)
		if ((*c < '0' || *c > '9') && !(*c == '-' && slash + 2 == end))
			return false;
	return true;
}

static const char *type_name(enum doc_type t)
{
	static const char *const names[] = { "null", "boolean", "boolean", "number", "string", "array", "object" };

	return names[t];
}

static char *name_of(const struct doc *d, uint32_t t)
{
	char *s = record_dup(d, t);

	return s ? s : xstrdup("?");
}

/* A replaced value's type; the undo list is the patch backwards, so the old value is in the op at the other end. */
static char *retyped(const struct doc *d, uint32_t op, uint32_t path, uint32_t undo)
{
	uint32_t new = member(d, op, "value"), back = undo ? member(d, undo, "path") : DOC_NONE;
	uint32_t old = undo ? member(d, undo, "value") : DOC_NONE;
	char *where = name_of(d, path), *there = name_of(d, back), *what = NULL;

	if (!new || !old || strcmp(where, there) != 0)
		what = xasprintf("replaces %s by what its undo does not take back", where);
	else if (d->tok[old].type != DOC_NULL &&
	         strcmp(type_name(d->tok[old].type), type_name(d->tok[new].type)) != 0)
		what = xasprintf("retypes %s from %s to %s", where, type_name(d->tok[old].type),
		                 type_name(d->tok[new].type));
	free(where);
	free(there);
	return what;
}

static char *moved(const struct doc *d, uint32_t from, uint32_t path)
{
	char *a = name_of(d, from), *b = name_of(d, path), *what = xasprintf("renames %s to %s", a, b);

	free(a);
	free(b);
	return what;
}

static char *removed(const struct doc *d, uint32_t path)
{
	char *a = name_of(d, path), *what = xasprintf("removes %s", a);

	free(a);
	return what;
}

static char *judge_op(const struct doc *d, uint32_t op, uint32_t undo)
{
	uint32_t verb = member(d, op, "op"), path = member(d, op, "path"), from = member(d, op, "from");

	if (!verb || !path || d->tok[path].type != DOC_STRING)
		return NULL; /* no operation at all: patching will say so */
	if (doc_equals(d, verb, "move", 4))
		return from && d->tok[from].type == DOC_STRING && !names_element(d, from) ? moved(d, from, path) : NULL;
	if (names_element(d, path))
		return NULL;
	if (doc_equals(d, verb, "remove", 6))
		return removed(d, path);
	return doc_equals(d, verb, "replace", 7) ? retyped(d, op, path, undo) : NULL;
}

char *breaking_change(const struct plan *p, size_t i)
{
	const struct doc *d = p->doc;
	const struct step *s = &p->step[i];
	char *what = NULL;

	if (s->restore)
		return NULL;
	uint32_t undo = p->undo[p->nstep - 1 - i].undo, n = d->tok[undo].n, few[FEW];
	uint32_t *back = n <= FEW ? few : xcalloc(n, sizeof *back);
	uint32_t k = n;

	for (uint32_t t = undo + 1; t < d->tok[undo].next; t = d->tok[t].next)
		back[--k] = t;
	for (uint32_t op = s->patch + 1; !what && op < d->tok[s->patch].next; op = d->tok[op].next, k++)
		what = judge_op(d, op, k < n ? back[k] : DOC_NONE);
	if (back != few)
		free(back);
	return what;
}
