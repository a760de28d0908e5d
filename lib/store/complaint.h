/*
 * complaint.h -- what is wrong with a store, on its way into a verdict and to people.
 *
 * Floor 6.
 */
#ifndef MIG_COMPLAINT_H
#define MIG_COMPLAINT_H

#include "record.h"

struct complaint {
	const char *rule, *ref, *message; /* ref: NULL where it is about no document */
	const char *expected, *actual;    /* or NULL */
	const struct buf *diff;           /* a JSON array, or NULL */
	bool warning;
	bool note;                       /* says that something held: in the verdict only */
};

struct complaints {
	struct diag *d;
	bool strict;        /* warnings count */
	struct buf json;    /* the findings of the verdict at work: "[{..},{..}", no closing bracket */
	size_t n, failed;   /* findings of this verdict, and those among them that count */
	size_t errors, warnings; /* of all verdicts */
};

#define COMPLAINTS_INIT(to, counts) { .d = (to), .strict = (counts) }

void complaints_release(struct complaints *l);

/* Begin a new verdict. */
void complaints_reset(struct complaints *l);

/* Take in a finding.  The first 20 that count, and the first 20 that do not, become findings of d. */
void complain(struct complaints *l, const struct complaint *c);

/* Write the member "code" or "findings" of the verdict. */
void complaints_code(const struct complaints *l, struct rec *w);
void complaints_findings(const struct complaints *l, struct rec *w);

/* Say how many were not named. */
void complaints_finish(struct complaints *l);

#endif
