/*
 * permit.h -- a plan and the grant that lets it run.
 *
 * Floor 8.
 */
#ifndef MIG_PERMIT_H
#define MIG_PERMIT_H

#include "record.h"

/* What the operator granted.  Texts borrowed from a record, or from argv. */
struct grant {
	struct text env, tenant, project; /* tenant, project: s == NULL when not given */
	bool apply, dry_run, allow_destructive;
	struct text ticket;               /* s == NULL: none */
	struct text actor;
	struct text digest;               /* of the plan stream's end */
	struct text nonce, issued_at;
	uint32_t rules;                   /* token of the array of rule ids, when read */
};

/*
 * Read the grant at token t (strict): 0, or -1 after MIG_USAGE "bad_record" at
 * where.  Escaped texts are decoded into arena, which must outlive g.
 */
int grant_read(struct grant *g, const struct doc *d, uint32_t t, struct buf *arena, const char *where,
               struct diag *diag);

/* Append the grant's canonical text; rules is a canonical JSON array. */
void grant_write(struct buf *out, const struct grant *g, const char *rules, size_t n);

#endif
