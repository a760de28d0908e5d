/*
 * extract.h -- read a store's documents into a stream.
 *
 * Floor 13.
 */
#ifndef MIG_EXTRACT_H
#define MIG_EXTRACT_H

#include "set.h"
#include "store.h"
#include "stream.h"

/*
 * Write a document record for each document of the set, or a reject for one
 * that cannot be read as such, then the end.  refs, if not NULL, is a NULL-ended
 * list that limits it to these (each must exist: MIG_PRECONDITION "missing").
 * 0, or -1 after a finding, with what was read so far written and no end.
 */
int extract_documents(struct store *s, const struct set *set, char *const *refs, struct out *out, struct diag *d);

/*
 * Count the documents by version: one versions record, then the end.
 *
 *	{"entity":E,"kind":"versions","latest":"1.2.0","pending":115,"records":127,
 *	 "rejects":0,"set":{..},"versions":[{"count":100,"version":"1.0.0"},..]}
 *
 * pending counts those from which a path leads to the latest version.
 */
int extract_versions(struct store *s, const struct set *set, struct out *out, struct diag *d);

#endif
