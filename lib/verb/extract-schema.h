/*
 * extract-schema.h -- read what a database holds into a stream.
 *
 * Floor 13.
 */
#ifndef MIG_EXTRACT_SCHEMA_H
#define MIG_EXTRACT_SCHEMA_H

#include "store.h"
#include "stream.h"

/*
 * Write the schema record and its end, whose digest is over "schema" NUL hash LF.
 * 0, or -1 after a finding: MIG_USAGE "no_schema" for a store of documents.
 */
int extract_schema(struct store *s, struct out *out, struct diag *d);

#endif
