/*
 * pace.h -- how fast a store was written before, by its own ledger.
 *
 * Floor 11.
 */
#ifndef MIG_PACE_H
#define MIG_PACE_H

#include "store.h"

/*
 * Would so many documents be written by so many processes in so many seconds?  0,
 * with a warning "deadline_unknown" where the ledger does not tell, or -1 after
 * MIG_ERROR "deadline".
 */
int pace_deadline(struct store *s, int64_t documents, unsigned jobs, int64_t seconds, struct diag *d);

#endif
