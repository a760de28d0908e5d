/*
 * invariants.h -- what must hold of the rows that a plan leaves behind.
 *
 * Floor 6.  Declared in set.json, kept in the plan as they are:
 *
 *	[{"equals":0,"message":"an item lies in no thread","sql":"SELECT count(*) FROM .."},
 *	 {"entity":"posts","jq":".data.title | length > 0","message":"a post has no title"}]
 *
 * SQL is asked of the database behind the last batch, or with "at":"batch" behind
 * each; only of that "dialect", where one is named.  jq is given each row as it is
 * there, {"data","entity","id","links"}, by whoever verifies.
 */
#ifndef MIG_INVARIANTS_H
#define MIG_INVARIANTS_H

#include "record.h"

struct invariant {
	uint32_t tok;            /* the object: for SQL what sql-check.h calls a query */
	uint32_t jq, entity;     /* DOC_NONE: it is SQL */
	uint32_t dialect;        /* DOC_NONE: any */
	bool each_batch;
};

/*
 * Read the element at token t: 0, or -1 after a finding at where, which calls it
 * what: MIG_USAGE for unknown, missing or mistyped members, MIG_INVALID "bad_invariant".
 */
int invariant_read(struct invariant *v, const struct doc *doc, uint32_t t, const char *what, const char *where,
                   struct diag *d);

/* Is it SQL for this dialect? */
bool invariant_is_for(const struct invariant *v, const struct doc *doc, const char *dialect);

#endif
