/*
 * rehearsal.h -- which plans of databases were tried, forth and back, on a copy.
 *
 * Floor 9.  What mig-verify --rehearse says of them, from a file.
 */
#ifndef MIG_REHEARSAL_H
#define MIG_REHEARSAL_H

#include "plan.h"

struct rehearsals {
	bool asked; /* a file was read: plans that it does not speak of are refused */
	char (*hash)[HEX_SIZE];
	size_t n, cap;
};

/*
 * Read the stream of verdicts in file, whole and unedited.  0, or -1 after a
 * finding: MIG_PRECONDITION "missing_rehearsal" where there is none, or what
 * stream.h says of a stream that is not whole.
 */
int rehearsals_read(struct rehearsals *r, const char *file, struct diag *d);
void rehearsals_release(struct rehearsals *r);

/*
 * Was the plan rehearsed?  Documents are, while they are planned, and what rolls
 * back was, with what it undoes.  0, or -1 after MIG_UNSAFE "rehearsal".
 */
int rehearsals_check(const struct rehearsals *r, const struct plan *p, struct diag *d);

#endif
