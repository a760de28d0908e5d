/*
 * phasing.h -- may the plans of a phase run: are those before it done?
 *
 * Floor 10.  For mig-gate.
 */
#ifndef MIG_PHASING_H
#define MIG_PHASING_H

#include "approval.h"
#include "permit.h"
#include "phases.h"
#include "proofs.h"

struct phasing {
	bool asked;                 /* a file was read: plans that are no phase of it are refused */
	struct phases phases;
	struct proofs proofs;
	struct approvals confirmed; /* of phases that a person confirms */
	const struct phase *now;    /* the one that the plans so far are; NULL: none came */
	struct buf grant;           /* what the grant keeps */
};

#define PHASING_INIT { .phases = PHASES_INIT, .proofs = PROOFS_INIT, .confirmed = APPROVALS_INIT }

/* Read the file of phases (NULL: none is asked), verdicts and confirmations: 0, or -1 after their findings. */
int phasing_read(struct phasing *x, const char *file, char *const *evidence, char *const *confirmed,
                 const struct keyring *trusted, struct diag *d);
void phasing_release(struct phasing *x);

/*
 * Judge a plan, and let g say what was found, in texts of x.  0, or -1 after findings: MIG_INVALID
 * "phase_strategy" for a plan of another strategy or place, "phase_mixed" for a
 * second phase in a stream; MIG_UNSAFE "phase_unlisted" for one that the file does
 * not list, "phase_order" for one that is no phase, and for each phase before it
 * that is not verified or confirmed; those of approvals_check_each.  A dry run need not be listed or in order.
 */
int phasing_judge(struct phasing *x, const struct plan *p, struct grant *g, struct moment now, struct diag *d);

#endif
