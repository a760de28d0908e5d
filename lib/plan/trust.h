/*
 * trust.h -- which permits a writer believes.
 *
 * Floor 11.  A permit that writes must be signed by one of the keys given, or of
 * those the store names; without either, any permit is believed.  One that has
 * expired or is spent is never used.
 */
#ifndef MIG_TRUST_H
#define MIG_TRUST_H

#include "moment.h"
#include "spent.h"
#include "store.h"

struct trust {
	struct keyring keys;
	bool insists;          /* on a signature of one of them */
	struct uses uses;      /* what the permits believed so far want to do */
	struct moment until;   /* the first of them expires then, where expires */
	bool expires;
};

#define TRUST_INIT { .keys = KEYRING_INIT, .uses = USES_INIT }

void trust_release(struct trust *t);

/* Believe the keys of the files, a NULL-ended list or NULL: 0, or -1 after the findings of key_read. */
int trust_read(struct trust *t, char *const *paths, struct diag *d);

/*
 * Unless keys were given, believe those of the store: 0, with a warning "no_keys"
 * where it has a folder for them and none in it; -1 after a finding.
 */
int trust_store(struct trust *t, struct store *s, struct diag *d);

/*
 * Is the permit whose grant g was read at token grant of doc to be believed at
 * the time now (RFC 3339, or NULL: the clock)?  0, or -1 after MIG_UNSAFE at
 * where: "unsigned_permit", "foreign_signature", "expired_permit".  A dry run
 * needs no signature.
 */
int trust_permit(struct trust *t, const struct grant *g, const struct plan *p, const struct doc *doc, uint32_t grant,
                 const char *now, const char *where, struct diag *d);

/*
 * Once more before the first plan is begun, holding the lock: has one expired
 * while it waited, or is one spent?  0, or -1 after "expired_permit", "spent_permit".
 */
int trust_begin(struct trust *t, struct store *s, const char *now, struct diag *d);

#endif
