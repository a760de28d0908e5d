/*
 * approval.h -- signed files that say: these plans may run there.
 *
 * Floor 9.  One JSON object; the signature (Ed25519, hex) is over
 *
 *	mig-approval-v1 LF and the canonical text without signature
 *
 * digest is that of the end of the stream of plans, so an approval is of no use
 * for any other plan.
 */
#ifndef MIG_APPROVAL_H
#define MIG_APPROVAL_H

#include "keyring.h"
#include "moment.h"
#include "record.h"

struct approval {
	struct text approver, digest, env, expires_at, key_id, ticket;
};

/* Append the approval, signed by k. */
void approval_write(struct buf *out, const struct approval *a, const struct key *k);

/* Approvals that were read from files. */
struct approvals {
	struct given *list; /* private */
	size_t n;
};

#define APPROVALS_INIT { .list = NULL }

void approvals_release(struct approvals *a);

/*
 * Read the files, a NULL-ended list or NULL, and verify their signatures: 0, or
 * -1 after findings at the file: MIG_PRECONDITION "missing_approval", MIG_INVALID
 * "bad_approval", MIG_UNSAFE "approval_signature" for one that no trusted key
 * signed.
 */
int approvals_read(struct approvals *a, char *const *paths, const struct keyring *trusted, struct diag *d);

/*
 * Do all of them speak of these plans, this env and a time that has not come?
 * 0, or -1 after findings of MIG_UNSAFE: "approval_digest", "approval_env",
 * "approval_expired", and "approval_name" for a key that signed under two names.
 */
int approvals_check(const struct approvals *a, const char *digest, const char *env, struct moment now, struct diag *d);

/* The same where each may speak of something else, which about knows: "approval_digest" where it does not. */
int approvals_check_each(const struct approvals *a, bool (*about)(void *arg, struct text digest), void *arg,
                         const char *env, struct moment now, struct diag *d);

/* Does one of them speak of this digest? */
bool approvals_hold(const struct approvals *a, const char *digest);

/* How many approvers there are: who approves twice counts once. */
size_t approvals_count(const struct approvals *a);

/* Append what the grant keeps of them: [{"approver":..,"key_id":..,"ticket":..}], each approver once. */
void approvals_json(const struct approvals *a, struct buf *out);

#endif
