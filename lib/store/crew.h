/*
 * crew.h -- several processes at work on one store, a plan at a time each.
 *
 * Floor 12.  The parent holds the store's lock, its ledger and the sync, and
 * writes what came of the plans in their order.  Whatever happens, the plans
 * that are committed are the first ones:
 *
 *	plan 1  check  begin  stage  sync  exchange  sync  commit
 *	plan 2    check    begin  stage  sync  exchange  sync   . . commit
 *
 * A plan begins when those ahead have begun, and is committed when those ahead
 * are; after one that fails, those behind are undone or never begun.
 */
#ifndef MIG_CREW_H
#define MIG_CREW_H

#include "crew-hand.h"

/*
 * Do all jobs.  The outcomes go to out up to the first plan that fails, and
 * those of plans behind it that had begun.  0, or -1 after findings.
 */
int crew_run(const struct crew *c, struct diag *d);

#endif
