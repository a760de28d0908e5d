/*
 * instruction.h -- what it takes to make one descriptor another: a planner step each.
 *
 * Floor 7.  The types are those of InstantDB's schema planner; what it does not
 * know has a type of ours, and everything that is in no table is for review.
 */
#ifndef MIG_INSTRUCTION_H
#define MIG_INSTRUCTION_H

#include "sqlfinding.h"

struct instruction_kind {
	const char *type;          /* "add-attr"; NULL: one that nobody here knows */
	const char *rule;          /* of its finding: "add_attr" */
	enum sqlseverity severity;
	const char *step;          /* the type of a plan's step: "schema" */
	const char *inverse;       /* the type that undoes it; NULL: none is known */
	bool reversible;
	const char *action;        /* what a reviewer should see to */
	const char *note;          /* what undoing it means for the data */
};

/* Never NULL: what is not in the table is the kind without a type. */
const struct instruction_kind *instruction_kind(struct text type);

/* May a step of type back undo one of type forth?  A changed value type goes back by another check. */
bool instruction_undoes(struct text back, struct text forth);

/* The <what> of a step_id: the type where it is made of letters, digits, - and _, else "unknown". */
struct text instruction_what(struct text type);

struct instruction {
	char *type, *target, *summary; /* target: "notes.title" */
	const char *inverse;           /* type, or NULL */
	char *before, *after;          /* canonical JSON; NULL in one that a planner gave */
	char *step;                    /* as the planner gave it, canonical; NULL in one that was found by comparing */
};

struct instructions {
	struct instruction *v;
	size_t n, cap;
};

#define INSTRUCTIONS_INIT { .v = NULL }

/* One more, keeping the summary, with the inverse of its kind.  Valid until the next one. */
struct instruction *instructions_add(struct instructions *l, const char *type, const char *target, char *summary);
void instructions_release(struct instructions *l);

#endif
