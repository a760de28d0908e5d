/*
 * tablerows.h -- read the rows of a database's tables into a stream.
 *
 * Floor 14.
 */
#ifndef MIG_TABLEROWS_H
#define MIG_TABLEROWS_H

#include "stream.h"

struct tablerows_ask {
	const char *uri;          /* of the store: a database */
	const char *set;          /* a set of mode records, or NULL */
	const char *query;        /* a file, or NULL; see rowsource.h */
	const char *entity;       /* only this one, or NULL */
	const char *after;        /* begin behind this reference, or NULL */
	const char *tenant, *env; /* for the snapshot, or NULL */
};

/*
 * In one transaction, write a snapshot record, a document record for each row in
 * byte order of references, or a reject for one that cannot be one, and the
 * end.  0, or -1 after a finding: those of store.h, set.h, query.h and
 * rowsource.h, MIG_USAGE "no_documents", MIG_INVALID "duplicate_row".
 */
int tablerows_run(const struct tablerows_ask *ask, struct out *out, struct diag *d);

#endif
