/*
 * gate-ask.h -- what an operator asks of the gate, and the grant that it would come to.
 *
 * Floor 9.  Pure.
 */
#ifndef MIG_GATE_ASK_H
#define MIG_GATE_ASK_H

#include "permit.h"

/* NULL: not given; lists are NULL-ended.  All borrowed, but for the arrays of the lists and the waivers. */
struct gate_ask {
	const char *env, *tenant, *project;
	bool apply, dry_run, destructive;
	const char *ticket, *actor;
	const char *issued_at;  /* RFC 3339 in UTC */
	char **allow;           /* RULE=REASON, and */
	struct buf waivers;     /* what waivers_json makes of them */
	char **policies, **approvals, **trust; /* files: programs, approvals, the keys they may be signed with */
	const char *rehearsed;  /* a file of verdicts that plans of databases need */
	const char *phases;     /* a file of phases, that the plans are one of; */
	char **evidence, **confirmed; /* verdicts, and confirmations, of those before it */
	const char *bundle;     /* a folder whose bundle must be whole */
	const char *sign;       /* a private key's file, and */
	const char *key_name;   /* what the grant calls it; NULL: by its id */
	int64_t ttl;            /* seconds that the permits hold; GATE_ANY: for ever */
	int64_t needed;         /* approvals that a plan in review needs; GATE_ANY: one in prod, none elsewhere */
};

enum { GATE_ANY = -1 };

#define GATE_ASK_INIT { .ttl = GATE_ANY, .needed = GATE_ANY }

/* Free the arrays of the lists, and the waivers. */
void gate_ask_release(struct gate_ask *a);

/* Which options are out of their range, or do not go together: a text for the usage, or NULL. */
const char *gate_ask_wrong(const struct gate_ask *a);

/* The grant as far as it is known before a file is read: without nonce, expires_at and what is in the files. */
struct grant gate_ask_grant(const struct gate_ask *a);

#endif
