/* instruction.c -- see instruction.h */
#include "instruction.h"

#include <stdlib.h>

#define BACK_AS_IT_WAS "the definition is put back"

/* Rooms and other members are no business of the planner's: whoever knows them looks at them. */
static const struct instruction_kind kinds[] = {
	{ "delete-attr", "delete_attr", SQL_CRITICAL, "cleanup", "add-attr", false,
	  "keep it in the target until nothing reads or writes it and its values are kept elsewhere",
	  "its values are gone: adding it again does not bring them back" },
	{ "update-attr", "update_attr", SQL_CRITICAL, "schema", "update-attr", false,
	  "add another beside it, copy what it holds, switch its readers, and remove it last",
	  "what did not fit the new definition does not come back" },
	{ "unique", "unique", SQL_CRITICAL, "schema", "remove-unique", true,
	  "find the values that occur more than once and settle which of them stays",
	  "values may occur more than once again" },
	{ "required", "required", SQL_CRITICAL, "schema", "remove-required", true,
	  "give a value to every row that has none, and to all that are written from now on",
	  "it may be missing again" },
	{ "check-data-type", "check_data_type", SQL_CRITICAL, "schema", "remove-data-type", true,
	  "find the values of another type and convert them, and stop whoever writes them",
	  "values of any type are taken again" },
	{ "remove-unique", "remove_unique", SQL_WARNING, "schema", "unique", true,
	  "see that nothing looks rows up by it", "holds only while no value occurs more than once" },
	{ "remove-required", "remove_required", SQL_WARNING, "schema", "required", true,
	  "see that readers can do without it", "holds only while no row lacks it" },
	{ "remove-index", "remove_index", SQL_WARNING, "index", "index", true,
	  "see that no query sorts or filters by it", "the index is built again" },
	{ "remove-data-type", "remove_data_type", SQL_WARNING, "schema", "check-data-type", true,
	  "see that readers take values of any type", "holds only while all values are of the type" },
	{ "add-attr", "add_attr", SQL_SAFE, "schema", "delete-attr", true, "push it: nothing reads it yet",
	  "what was written to it since goes with it" },
	{ "index", "index", SQL_SAFE, "index", "remove-index", true, "push it: no value changes", "the index goes" },
	{ "change-attr", "change_attr", SQL_REVIEW, "schema", "change-attr", true,
	  "see what the members that differ mean to whoever reads them", BACK_AS_IT_WAS },
	{ "change-entity", "change_entity", SQL_REVIEW, "schema", "change-entity", true,
	  "see what the members that differ mean to whoever reads them", BACK_AS_IT_WAS },
	{ "add-room", "add_room", SQL_REVIEW, "schema", "remove-room", true, "see who may join it", "the room goes" },
	{ "change-room", "change_room", SQL_REVIEW, "schema", "change-room", true,
	  "see that old and new clients understand each other in it", BACK_AS_IT_WAS },
	{ "remove-room", "remove_room", SQL_REVIEW, "schema", "add-room", true, "see that no client joins it any more",
	  BACK_AS_IT_WAS },
	{ NULL, "unknown_step", SQL_REVIEW, "schema", NULL, false,
	  "find out from whoever made the planner what this step does, and what undoes it",
	  "nobody here knows what undoes a step of this type" },
};

enum { UNKNOWN = sizeof kinds / sizeof *kinds - 1 };

const struct instruction_kind *instruction_kind(struct text type)
{
	for (size_t i = 0; i < UNKNOWN; i++)
		if (text_is(type, kinds[i].type))
			return &kinds[i];
	return &kinds[UNKNOWN];
}

bool instruction_undoes(struct text back, struct text forth)
{
	const char *inverse = instruction_kind(forth)->inverse;

	if (!inverse)
		return false;
	return text_is(back, inverse) || (text_is(forth, "check-data-type") && text_same(back, forth));
}

struct text instruction_what(struct text type)
{
	bool fit = type.n > 0 && type.n <= 64;

	for (size_t i = 0; i < type.n && fit; i++) {
		char c = type.s[i];

		fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_';
	}
	return fit ? type : TEXT("unknown");
}

struct instruction *instructions_add(struct instructions *l, const char *type, const char *target, char *summary)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->v = xrealloc(l->v, l->cap, sizeof *l->v);
	}
	l->v[l->n] = (struct instruction){ .type = xstrdup(type),
		                           .target = xstrdup(target),
		                           .summary = summary,
		                           .inverse = instruction_kind(text_cstr(type))->inverse };
	return &l->v[l->n++];
}

void instructions_release(struct instructions *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].type);
		free(l->v[i].target);
		free(l->v[i].summary);
		free(l->v[i].before);
		free(l->v[i].after);
		free(l->v[i].step);
	}
	free(l->v);
	*l = (struct instructions)INSTRUCTIONS_INIT;
}
