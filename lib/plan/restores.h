/*
 * restores.h -- what the rollback plans of one stream put back, in turn.
 *
 * Floor 9.  Where several runs are undone in one stream, a document may be
 * restored more than once: from 1.2.0 to 1.1.0 by one plan, from there to 1.0.0
 * by a later one.  Each plan alone would take the document, as it is before or
 * after all of them, for drift.
 */
#ifndef MIG_RESTORES_H
#define MIG_RESTORES_H

#include "plan.h"

struct restore;

struct restores {
	struct restore *v; /* sorted by document, then place */
	size_t n, cap;
};

void restores_release(struct restores *r);

/* Take in the steps of the rollback plan at this place of the stream.  Places come in order. */
void restores_add(struct restores *r, uint32_t place, const struct plan *p);

/* To be called once, after the last was added and before anything is asked. */
void restores_sort(struct restores *r);

/* What the document holds once all plans before place are done: the hash of its bytes, or false if none restores it. */
bool restores_before(const struct restores *r, struct text ref, uint32_t place, char raw[HEX_SIZE]);

/* Does a plan behind place put these bytes there? */
bool restores_later(const struct restores *r, struct text ref, uint32_t place, const char *raw);

#endif
