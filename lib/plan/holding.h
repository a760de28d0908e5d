/*
 * holding.h -- a permit taken apart, in room that is used again.
 *
 * Floor 11.
 */
#ifndef MIG_HOLDING_H
#define MIG_HOLDING_H

#include "permit.h"
#include "plan.h"
#include "spool.h"

struct holding {
	struct grant grant;
	struct plan plan;
	/* private */
	struct doc doc;
	struct buf arena;
};

#define HOLDING_INIT { .doc = DOC_INIT, .plan = PLAN_INIT }

void holding_release(struct holding *h);

/* Read the permit in doc, which is borrowed, and judge it by the built-in rules: 0, or -1 after findings at where. */
int holding_take(struct holding *h, const struct doc *doc, const char *where, struct diag *d);

/* Spool the n bytes at line, which hold the permit that was just taken. */
int holding_keep(const struct holding *h, struct spool *permits, const char *line, size_t n, struct diag *d);

/* The next of the permits that were taken and kept: 1, 0 at the end, -1 after a finding. */
int holding_next(struct holding *h, struct spool *permits, struct diag *d);

#endif
