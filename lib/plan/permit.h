/*
 * permit.h -- a plan and the grant that lets it run.
 *
 * Floor 8.
 */
#ifndef MIG_PERMIT_H
#define MIG_PERMIT_H

#include "keyring.h"
#include "record.h"
#include "waiver.h"

/* What the operator granted.  Texts borrowed from a record, or from argv; s == NULL where not given. */
struct grant {
	struct text env, tenant, project; /* tenant, project: may lack */
	bool apply, dry_run, allow_destructive;
	struct text ticket;               /* may lack */
	struct text actor;
	struct text digest;               /* of the plan stream's end */
	struct text nonce, issued_at;
	struct text expires_at;           /* may lack: for ever */
	struct text approvals;            /* canonical array of {approver,key_id,ticket}; may lack */
	size_t napproval;                 /* when read */
	struct text waivers;              /* canonical array of {reason,rule_id}; may lack */
	struct text phase;                /* canonical {id,strategy,verified}: what was found done; may lack */
	struct text phase_id, phase_strategy; /* of it */
	struct text policy_hash;          /* may lack: no policy was asked */
	struct text bundle_hash;          /* may lack: no bundle was asked for */
	struct text key_id, signature;    /* lacking in a permit that is not signed */
	uint32_t rules;                   /* token of the array of rule ids, when read */
};

/*
 * Read the grant at token t (strict): 0, or -1 after MIG_USAGE "bad_record" at
 * where.  Escaped texts are decoded into arena, which must outlive g.
 */
int grant_read(struct grant *g, const struct doc *d, uint32_t t, struct buf *arena, const char *where,
               struct diag *diag);

/* Does the grant waive a finding of this rule? */
bool grant_waives(const struct grant *g, struct text rule);

/* Append the grant's canonical text; rules is a canonical JSON array. */
void grant_write(struct buf *out, const struct grant *g, const char *rules, size_t n);

/*
 * Sign the grant for the plan of that hash.  What is signed is
 *
 *	mig-permit-v1 LF plan_hash LF and the canonical grant without signature
 */
void grant_sign(const struct grant *g, const char *rules, size_t n, const char *plan_hash, const struct key *k,
                char signature[SIGNATURE_SIZE]);

/* The key of the ring that signed the grant g, read at token t, for this plan; NULL if none did.  Borrowed. */
const struct key *grant_signer(const struct grant *g, const struct doc *d, uint32_t t, const char *plan_hash,
                               const struct keyring *ring);

#endif
