/*
 * instant-apply.h -- do what a plan of rows says to an InstantDB app, batch by batch.
 *
 * Floor 15.  A batch is done as a whole or not at all, a plan is not: it stops
 * at the first batch that fails, and goes on there when it is run again.
 */
#ifndef MIG_INSTANT_APPLY_H
#define MIG_INSTANT_APPLY_H

#include "instant-work.h"

/* See apply of struct store_ops. */
int instant_apply(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                  struct diag *d);

/* See check of struct store_ops. */
int instant_check(struct instant *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                  struct diag *d);

#endif
