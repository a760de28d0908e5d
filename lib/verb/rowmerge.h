/*
 * rowmerge.h -- rows whose keys are integers, read in the order of their references.
 *
 * Floor 11.  References compare as texts: 10 is ahead of 9.  So the keys are read as
 * ranges in which texts ascend with the numbers (digitruns.h), a cursor each, and
 * merged: nothing is sorted, or kept.
 */
#ifndef MIG_ROWMERGE_H
#define MIG_ROWMERGE_H

#include "tablerow.h"

/* Put all rows of s, behind out->after where that is among them.  0, or -1 after a finding. */
int rowmerge_put(struct tablerow *row, const struct rowsource *s, struct db *db, struct rowout *out, struct diag *d);

#endif
