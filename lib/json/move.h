/*
 * move.h -- which removed members turn up again among the added ones.
 *
 * Floor 5.  patch.h states the rules.
 */
#ifndef MIG_MOVE_H
#define MIG_MOVE_H

#include "edit.h"

/*
 * A value that may be one end of a move: a member that is added or removed, or
 * a member of objects inside one.  All those of one edit stand side by side in
 * x->cands, parents before their members.
 */
struct cand {
	uint32_t tok, end;      /* the value's token and the one behind it */
	struct text span, name; /* name without quotes */
	uint32_t order;         /* of occurrence */
	bool added;
	bool taken;             /* inside a value that moves */
	bool holed;             /* something moves out of it, or into it */
	const struct edit *edit;
	struct cand *up;        /* the candidate that it is a member of; NULL: outermost */
	struct cand *mate;      /* the other end */
};

/* Fill x->cands and the edits' cand, unless nothing can move. */
void move_find(struct diff *x);

/* The path of a candidate, in x's arena. */
struct text move_path(struct diff *x, const struct cand *c);

#endif
