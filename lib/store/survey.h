/*
 * survey.h -- a look at a whole stream of permits before its first write.
 *
 * Floor 12.  Reads the store.
 */
#ifndef MIG_SURVEY_H
#define MIG_SURVEY_H

#include "holding.h"
#include "restores.h"
#include "store.h"

/* What the permits of a stream add up to; survey_note is told of each. */
struct survey {
	uint64_t plans, back, steps; /* back: rollback plans */
	bool runs;                   /* they undo more than one run */
	char snapshot[HEX_SIZE];     /* of the first run */
	struct restores restores;    /* where they do */
};

#define SURVEY_INIT { .plans = 0 }

void survey_release(struct survey *v);
void survey_note(struct survey *v, const struct plan *p);

/* Where several runs are undone, collect what is restored: to be called before the first plan is applied or checked. */
int survey_restores(struct survey *v, struct spool *permits, struct diag *d);

/* Fill in what plan number place (from 0) of the stream must know of the others. */
void survey_context(const struct survey *v, uint32_t place, struct apply_ctx *c);

/*
 * A stream of several rollback plans is done as a whole or not begun: ask the
 * store whether it would do each, as if those before it were done.  0, or -1
 * after findings; failed then holds the permit and o, initialised, its outcome.
 */
int survey_check(const struct survey *v, struct store *s, struct spool *permits, const char *now,
                 struct holding *failed, struct outcome *o, struct diag *d);

#endif
