/*
 * verdicts.h -- verdicts, written down in the ledger.
 *
 * Floor 11.
 */
#ifndef MIG_VERDICTS_H
#define MIG_VERDICTS_H

#include "spool.h"
#include "store.h"

/*
 * Lock the store and append a "verify" entry for each verdict in the spool;
 * other records in it are passed over.  What the entry says of the plan comes
 * from the store, null for one that it does not know.
 */
int verdicts_record(struct store *s, const char *actor, const char *now, unsigned lock_timeout, struct spool *spool,
                    struct diag *d);

/* Write all records of the spool, in order. */
int verdicts_forward(struct spool *spool, struct out *out, struct diag *d);

#endif
