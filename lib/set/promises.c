/* promises.c -- see promises.h */
#include "promises.h"

#include "pointer.h"
#include "record.h"

#include <stdlib.h>

void promises_release(struct promises *p)
{
	buf_release(&p->reason);
	free(p->touched);
}

/* The sentence that is p->reason now. */
static const char *because(struct promises *p, const char *code, const char *pointer, const char *what)
{
	buf_reset(&p->reason);
	buf_addf(&p->reason, "%s %s", pointer, what);
	return code;
}

/* The value at a pointer as its span in a canonical document; n == 0: none. */
static struct text value_at(const struct doc *d, const char *pointer)
{
	struct text v = { "", 0 };
	uint32_t t;

	if (pointer_find(d, 0, pointer, strlen(pointer), &t))
		v.s = doc_span(d, t, &v.n);
	return v;
}

const char *promises_before(struct promises *p, const struct set *set, const struct doc *before, uint32_t history)
{
	for (char **required = set->required; *required; required++)
		if (value_at(before, *required).n == 0)
			return because(p, "required_missing", *required, "is required");
	if (history != DOC_NONE && before->tok[history].type != DOC_ARRAY)
		return because(p, "bad_history", set->history, "is not an array");
	return NULL;
}

/* Is the last reference token an element's, whose coming and going shifts its neighbours? */
static bool is_element(struct text last)
{
	for (size_t i = 0; i < last.n; i++)
		if ((last.s[i] < '0' || last.s[i] > '9') && last.s[i] != '-')
			return false;
	return true;
}

/*
 * Keep a path of the patch: the pointers above and below it may have another
 * value now.  "/a/b" is kept as it is, "/a/3" as "/a".
 */
static void touch(struct promises *p, const struct doc *patch, uint32_t t)
{
	struct text path = { "", 0 };

	if (t == DOC_NONE)
		return;
	if (!(patch->tok[t].flags & DOC_ESCAPED)) { /* else it stays "", the pointer of everything */
		path = record_text(patch, t, NULL);
		const char *slash = memrchr(path.s, '/', path.n);
		size_t up = slash ? (size_t)(slash - path.s) : path.n;

		if (slash && is_element((struct text){ slash + 1, path.n - up - 1 }))
			path.n = up;
	}
	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 16;
		p->touched = xrealloc(p->touched, p->cap, sizeof *p->touched);
	}
	p->touched[p->n++] = path;
}

static void read_patch(struct promises *p, const struct doc *patch)
{
	p->n = 0;
	p->removes = false;
	for (uint32_t t = 1; t < patch->tok[0].next; t = patch->tok[t].next) {
		touch(p, patch, doc_member(patch, t, "path", 4));
		touch(p, patch, doc_member(patch, t, "from", 4));
		p->removes = p->removes || doc_equals(patch, doc_member(patch, t, "op", 2), "remove", 6);
	}
}

/* May the value at the pointer be another one after the patch?  Most are not, and need no look. */
static bool is_touched(const struct promises *all, const char *pointer)
{
	struct text p = { pointer, strlen(pointer) };

	for (size_t i = 0; i < all->n; i++) {
		struct text q = all->touched[i];
		size_t n = p.n < q.n ? p.n : q.n;

		if (memcmp(p.s, q.s, n) == 0 && (p.n == q.n || (p.n > n ? p.s[n] : q.s[n]) == '/'))
			return true;
	}
	return false;
}

/* What the set says of single values: only those that are touched can have changed. */
static const char *broken_promise(struct promises *p, const struct set *set, const struct doc *before,
                                  const struct doc *after)
{
	for (char **at = set->immutable; *at; at++) {
		struct text was = is_touched(p, *at) ? value_at(before, *at) : (struct text){ "", 0 };

		if (was.n && !text_same(was, value_at(after, *at)))
			return because(p, "immutable_changed", *at, "must not change");
	}
	for (char **at = set->required; *at; at++)
		if (is_touched(p, *at) && value_at(after, *at).n == 0)
			return because(p, "required_missing", *at, "is required, the program removed it");
	if (set->history && is_touched(p, set->history) &&
	    !text_same(value_at(before, set->history), value_at(after, set->history)))
		return because(p, "history_changed", set->history, "is the history: only mig-apply writes it");
	return NULL;
}

/* Does an operation only add a member?  An element added to an array would alter a value that was there. */
static bool adds_member(const struct doc *before, const struct doc *patch, uint32_t op, const char *path)
{
	const char *slash = strrchr(path, '/');
	uint32_t parent;

	if (!doc_equals(patch, op, "add", 3) || !slash)
		return false;
	return !pointer_find(before, 0, path, (size_t)(slash - path), &parent) ||
	       before->tok[parent].type == DOC_OBJECT;
}

/* An additive set's patch adds, and sets the version. */
static const char *not_additive(struct promises *p, const struct set *set, const struct doc *before,
                                const struct doc *patch)
{
	for (uint32_t t = 1; t < patch->tok[0].next; t = patch->tok[t].next) {
		uint32_t moved = doc_member(patch, t, "from", 4); /* a move takes away what was there */
		char *path = record_dup(patch, moved == DOC_NONE ? doc_member(patch, t, "path", 4) : moved);
		bool fine = adds_member(before, patch, doc_member(patch, t, "op", 2), path) ||
		            strcmp(path, set->version) == 0;
		const char *code = fine ? NULL : because(p, "not_additive", path,
		                                         "is altered or removed, but the set is additive");

		free(path);
		if (code)
			return code;
	}
	return NULL;
}

/* Is mig-apply able to append its entry: to a list that is there, or to one that it makes a member of an object? */
static bool history_has_place(const struct set *set, const struct doc *after)
{
	const char *at = set->history;
	uint32_t t;

	return !at || pointer_find(after, 0, at, strlen(at), &t) ||
	       (pointer_find(after, 0, at, (size_t)(strrchr(at, '/') - at), &t) && after->tok[t].type == DOC_OBJECT);
}

const char *promises_kept(struct promises *p, const struct set *set, const struct doc *before,
                          const struct doc *patch, const struct doc *after)
{
	const char *code;

	read_patch(p, patch);
	if ((code = broken_promise(p, set, before, after)))
		return code;
	if (set->additive && (code = not_additive(p, set, before, patch)))
		return code;
	if (!history_has_place(set, after))
		return because(p, "bad_history", set->history, "has no object to stand in");
	return NULL;
}
