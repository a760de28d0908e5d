/*
 * index-planner.h -- from documents to the plans that build an index of them.
 *
 * Floor 15.  The files are the authority, the table can always be built again.
 */
#ifndef MIG_INDEX_PLANNER_H
#define MIG_INDEX_PLANNER_H

#include "plan-ask.h"
#include "rowindex.h"
#include "sorted.h"
#include "stream.h"

struct index_ask {
	struct plan_ask plan;
	enum dialect dialect;
};

/*
 * Read documents and rejects; write the rejects, then the plans that build the
 * table anew beside the one that is there and swap the two, then their end.  Rows
 * come in the order of their keys.  0, or -1 after a finding: a value that does
 * not fit its column, a stream that is not whole, more rejects than allowed.
 * A document that yields to another of its key is a warning, "duplicate".
 * Borrows rows and spool, both open and empty.
 */
int index_planner_run(const struct index_ask *ask, const struct rowindex *index, struct sorted *rows,
                      struct spool *spool, struct stream *in, struct out *out, struct diag *d);

#endif
