/*
 * verify-ledger.h -- is the chain of a ledger whole?
 *
 * Floor 13.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_LEDGER_H
#define MIG_VERIFY_LEDGER_H

#include "store.h"
#include "stream.h"

/*
 * Re-compute the ledger's chain and write a verdict of it, which holds its seq
 * and head, and an end.  head, if not NULL, was kept elsewhere: it must be the
 * hash of one of the entries, or the tail was cut or the chain written anew.
 * 0, or -1 after MIG_INVALID "ledger_broken" or "head_missing".
 */
int verify_ledger(struct store *s, const char *head, struct out *out, struct diag *d);

#endif
