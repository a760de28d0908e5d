/*
 * policy.h -- the rules of a site, written in jq.
 *
 * Floor 7.  A policy is a pure jq program.  Its input is a plan record, $grant
 * the grant to be; it yields any number of
 *
 *	{"rule_id": "freeze_window", "severity": "deny", "message": "no changes on a Friday"}
 *
 * with severity deny, review or warn.
 */
#ifndef MIG_POLICY_H
#define MIG_POLICY_H

#include "digest.h"
#include "doc.h"
#include "jqrun.h"

struct policies {
	struct policy *list; /* private */
	size_t n;
	/*
	 * SHA-256 over the files in order, each as the hex digits of its own SHA-256
	 * and an LF.  Empty where there are none.
	 */
	char hash[HEX_SIZE];
	/* private */
	struct buf input, out;
	struct doc in, verdict;
	struct jqrun_why why;
};

#define POLICIES_INIT { .in = DOC_INIT, .verdict = DOC_INIT }

void policies_release(struct policies *p);

/*
 * Read and compile the files, a NULL-ended list or NULL: 0, or -1 after findings
 * at the file: MIG_PRECONDITION "missing_policy", MIG_INVALID "bad_policy" or
 * "bad_jq" with the line.  Borrows paths.
 */
int policies_read(struct policies *p, char *const *paths, struct diag *d);

enum severity { POLICY_WARN, POLICY_REVIEW, POLICY_DENY };

/*
 * Ask every policy about a plan and a grant, both canonical texts, and call each
 * for what they yield; message is one harmless line.  0, or -1 after MIG_INVALID
 * at the file: "policy_failed" for an error, something impure, or what is not
 * such an object.
 */
int policies_ask(struct policies *p, const struct buf *grant, const char *plan, size_t n,
                 void (*each)(void *arg, enum severity s, const char *path, const char *rule_id, const char *message),
                 void *arg, struct diag *d);

/*
 * From now on a policy that runs away or kills libjq ends the process with
 * MIG_INVALID and a fault "jq_died" of the tool on fd, which must hold whole
 * lines by then.
 */
void policies_guard(int fd, const char *tool);

#endif
