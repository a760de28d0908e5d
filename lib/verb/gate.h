/*
 * gate.h -- decide whether plans may run.
 *
 * Floor 13.  Pure once it is open: reads plans, touches no store.
 */
#ifndef MIG_GATE_H
#define MIG_GATE_H

#include "approval.h"
#include "bundle.h"
#include "permit.h"
#include "phasing.h"
#include "policy.h"
#include "rehearsal.h"
#include "spool.h"
#include "stream.h"

/* What the operator said.  Lists are NULL-ended, or NULL. */
struct gate_ask {
	struct grant grant;     /* without digest, nonce, expires_at and what follows them in the struct */
	char *const *policies, *const *approvals, *const *trust;
	const char *sign;       /* a private key's file, or NULL */
	const char *rehearsed;  /* a file of verdicts that plans of databases need, or NULL */
	const char *phases;     /* a file of phases, that the plans are one of, or NULL */
	char *const *evidence, *const *confirmed; /* verdicts, and confirmations, of the phases before it */
	const char *bundle;     /* a folder whose bundle must be whole, or NULL */
	const char *key_name;   /* what the grant calls it; NULL: by its id */
	int64_t ttl;            /* seconds that the permits hold; 0: for ever */
	size_t needed;          /* approvals that a plan in review needs; 0: one in prod, none elsewhere */
};

struct gate {
	struct grant grant;     /* the grant to be */
	size_t needed;
	struct moment now;
	struct key *key;        /* signs the permits; NULL: they are not signed */
	struct approvals approvals;
	struct policies policies;
	struct rehearsals rehearsals;
	struct phasing phasing;
	struct bundle bundle;   /* hash "": none was asked for */
	/* private */
	char nonce[33], expires[MOMENT_SIZE];
	struct buf approved;
	char (*hash)[HEX_SIZE]; /* of the plans, in order */
	size_t nhash, hashcap;
	bool review;
};

/*
 * Read the keys, policies, approvals, verdicts and the bundle: 0, or -1 after findings.  Borrows ask's
 * texts as long as g is used; gate_close must be called either way.
 */
int gate_open(struct gate *g, const struct gate_ask *ask, struct diag *d);
void gate_close(struct gate *g);

/*
 * Read plans; write a permit for each, and their end, once the last has been
 * read and judged by the built-in rules, the policies and the approvals.
 * Rejects are forwarded.  0, or -1 after the findings of every plan (MIG_UNSAFE,
 * MIG_INVALID), with no permit written; a kind that is not known is MIG_USAGE.
 * Borrows the spool, open and empty.
 */
int gate_run(struct gate *g, struct spool *plans, struct stream *in, struct out *out, struct diag *d);

#endif
