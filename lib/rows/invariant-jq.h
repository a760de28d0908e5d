/*
 * invariant-jq.h -- those invariants of a plan that are jq, put to rows as they are there.
 *
 * Floor 8.
 */
#ifndef MIG_INVARIANT_JQ_H
#define MIG_INVARIANT_JQ_H

#include "invariants.h"
#include "jqwatch.h"
#include "rows.h"

struct invariant_jq {
	struct jqprog **prog; /* in their order, */
	size_t n;
	char hash[HEX_SIZE];  /* and the hash of the list that they are of */
	/* reused */
	struct buf line, value, ref;
	struct doc there, row;
};

void invariant_jq_release(struct invariant_jq *x);

/*
 * Compile the programs of a list, DOC_NONE for none, unless x has them.  What must be
 * ended as it runs leaves its fault in out, borrowed.  0, or -1 after a finding of
 * invariant_read or jqrun_compile.
 */
int invariant_jq_read(struct invariant_jq *x, const struct doc *doc, uint32_t list, struct out *out, struct diag *d);

/*
 * Put those that are of its entity to row a, which is there as {"data":..,"links":..}.
 * bad is told of each that gives anything but true, by its token, and what it gives.
 * 0, or -1 after a finding: the fault of a program.
 */
int invariant_jq_ask(struct invariant_jq *x, const struct doc *doc, uint32_t list, const struct row_action *a,
                     struct text there, void (*bad)(void *arg, uint32_t t, const char *is), void *arg,
                     struct diag *d);

#endif
