/*
 * proofs.h -- which plans have been found applied and whole.
 *
 * Floor 9.  What mig-verify said of them, from files.
 */
#ifndef MIG_PROOFS_H
#define MIG_PROOFS_H

#include "diag.h"
#include "digest.h"

#include <stdbool.h>

struct proof {
	char hash[HEX_SIZE];
	bool good;
};

struct proofs {
	struct proof *v;
	size_t n, cap;
};

#define PROOFS_INIT { .v = NULL }

/*
 * Take in the verdicts of the files, a NULL-ended list or NULL, each stream whole and
 * unedited.  A rehearsal is no proof that something was applied.  0, or -1 after a
 * finding: MIG_PRECONDITION "missing_evidence", or what stream.h says.
 */
int proofs_read(struct proofs *x, char *const *files, struct diag *d);
void proofs_release(struct proofs *x);

/* Is there a verdict on the plan, and none that says otherwise? */
bool proofs_hold(const struct proofs *x, const char *plan_hash, bool *known);

#endif
