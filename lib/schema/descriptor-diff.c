/* descriptor-diff.c -- see descriptor-diff.h */
#include "descriptor-diff.h"

#include <stdlib.h>

struct diffing {
	const struct descriptor *from, *to;
	struct instructions *out;
};

static char *target_of(const struct thing *t)
{
	return *t->label ? xasprintf("%s.%s", t->entity, t->label) : xstrdup(t->entity);
}

/* Steals the summary. */
static struct instruction *put(struct diffing *x, const char *type, const struct thing *before,
                               const struct thing *after, char *summary)
{
	char *target = target_of(after ? after : before);
	struct instruction *i = instructions_add(x->out, type, target, summary);

	i->before = xstrdup(before ? before->text : "null");
	i->after = xstrdup(after ? after->text : "null");
	free(target);
	return i;
}

static bool has_entity(const struct descriptor *x, const char *name)
{
	const struct thing key = { .kind = THING_ENTITY, .entity = xstrdup(name), .label = xstrdup("") };
	size_t low = 0, high = x->n;
	bool found = false;

	while (low < high && !found) {
		size_t mid = low + (high - low) / 2;
		int c = thing_compare(&x->v[mid], &key);

		found = c == 0;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	free(key.entity);
	free(key.label);
	return found;
}

/* ", required, unique" */
static char *traits(const struct thing *t)
{
	return xasprintf("%s%s%s", t->required ? ", required" : "", t->unique ? ", unique" : "",
	                 t->indexed ? ", indexed" : "");
}

static char *describe(const char *verb, const struct thing *t)
{
	char *more = traits(t), *s;

	if (t->implied)
		s = xasprintf("%s entity %s", verb, t->entity);
	else if (t->kind == THING_LINK)
		s = xasprintf("%s link %s.%s: %s%s", verb, t->entity, t->label, t->shape, more);
	else
		s = xasprintf("%s attribute %s.%s: %s%s", verb, t->entity, t->label, t->type, more);
	free(more);
	return s;
}

static void add_thing(struct diffing *x, const struct thing *t)
{
	if (t->kind == THING_ROOM) {
		put(x, "add-room", NULL, t, xasprintf("a new room %s", t->entity));
	} else if (t->kind != THING_ENTITY) {
		put(x, "add-attr", NULL, t, describe("a new", t));
		/* a new entity has no rows that could lack it */
		if (t->required && has_entity(x->from, t->entity))
			put(x, "required", NULL, t,
			    xasprintf("the new %s.%s is required, and no row that is there has it", t->entity,
			              t->label));
	}
}

static void remove_thing(struct diffing *x, const struct thing *t)
{
	if (t->kind == THING_ROOM)
		put(x, "remove-room", t, NULL, xasprintf("the room %s goes", t->entity));
	else if (t->kind != THING_ENTITY)
		put(x, "delete-attr", t, NULL, describe("gone:", t));
}

static void say(struct diffing *x, const char *type, const struct thing *a, const struct thing *b, const char *what)
{
	put(x, type, a, b, xasprintf("%s.%s %s", b->entity, b->label, what));
}

/* Nothing is checked of a value that may be anything. */
static bool is_checked(const struct thing *t)
{
	return strcmp(t->type, "any") != 0 && strcmp(t->type, "json") != 0;
}

static void change_type(struct diffing *x, const struct thing *a, const struct thing *b)
{
	char *what = xasprintf("was %s and becomes %s", a->type, b->type);

	if (strcmp(a->type, b->type) == 0) {
		free(what);
		return;
	}
	if (is_checked(b)) {
		say(x, "check-data-type", a, b, what);
		if (is_checked(a))
			x->out->v[x->out->n - 1].inverse = "check-data-type";
	} else {
		say(x, is_checked(a) ? "remove-data-type" : "change-attr", a, b, what);
	}
	free(what);
}

static bool change_attr(struct diffing *x, const struct thing *a, const struct thing *b)
{
	size_t n = x->out->n;

	if (a->implied || b->implied)
		return false;
	if (a->kind != b->kind) {
		say(x, "update-attr", a, b,
		    a->kind == THING_LINK ? "was a link and becomes an attribute"
		                          : "was an attribute and becomes a link");
		return true;
	}
	if (a->kind == THING_LINK && strcmp(a->rest, b->rest) != 0) {
		put(x, "update-attr", a, b,
		    strcmp(a->shape, b->shape) == 0
		            ? xasprintf("the link %s.%s says other things of itself", b->entity, b->label)
		            : xasprintf("the link %s.%s leads to %s; it led to %s", b->entity, b->label, b->shape,
		                        a->shape));
	} else if (a->kind == THING_ATTR) {
		if (strcmp(a->rest, b->rest) != 0)
			say(x, "change-attr", a, b, "says other things of itself");
		change_type(x, a, b);
	}
	if (a->required != b->required)
		say(x, b->required ? "required" : "remove-required", a, b,
		    b->required ? "becomes required" : "may be missing from now on");
	if (a->unique != b->unique)
		say(x, b->unique ? "unique" : "remove-unique", a, b,
		    b->unique ? "becomes unique" : "need not be unique any more");
	if (a->indexed != b->indexed)
		say(x, b->indexed ? "index" : "remove-index", a, b, b->indexed ? "gets an index" : "loses its index");
	return x->out->n > n;
}

/* True if they differ. */
static bool change_thing(struct diffing *x, const struct thing *a, const struct thing *b)
{
	if (b->kind == THING_ATTR || b->kind == THING_LINK)
		return change_attr(x, a, b);
	if (strcmp(a->rest, b->rest) == 0)
		return false;
	if (b->kind == THING_ROOM)
		put(x, "change-room", a, b, xasprintf("the room %s changes", b->entity));
	else
		put(x, "change-entity", a, b, xasprintf("the entity %s says other things of itself", b->entity));
	return true;
}

/* An attribute and a link of one name are the same thing; an entity and a room are not. */
static int match(const struct thing *a, const struct thing *b)
{
	int c = thing_compare(a, b);

	if (*a->label && strcmp(a->entity, b->entity) == 0 && strcmp(a->label, b->label) == 0)
		return 0;
	return c;
}

size_t descriptor_diff(const struct descriptor *from, const struct descriptor *to, struct instructions *out)
{
	struct diffing x = { from, to, out };
	size_t i = 0, k = 0, same = 0;

	while (i < from->n || k < to->n) {
		int c = i == from->n ? 1 : k == to->n ? -1 : match(&from->v[i], &to->v[k]);

		if (c < 0)
			remove_thing(&x, &from->v[i++]);
		else if (c > 0)
			add_thing(&x, &to->v[k++]);
		else
			same += !change_thing(&x, &from->v[i++], &to->v[k++]);
	}
	return same;
}
