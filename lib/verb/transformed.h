/*
 * transformed.h -- the records that mig-transform writes of a document: change, current, reject.
 *
 * Floor 10.
 */
#ifndef MIG_TRANSFORMED_H
#define MIG_TRANSFORMED_H

#include "stream.h"
#include "way.h"

struct transformed {
	const struct set *set;
	const char *target;
	struct out *out;
	struct buf record; /* used again from document to document */
};

/* The document r, whose ref is ref, is rejected.  These return 0 or -1, as stream_put. */
int transformed_reject(struct transformed *x, const struct record *r, struct text ref, const char *code,
                       const char *reason);

/* It stands at the target already. */
int transformed_current(struct transformed *x, const struct record *r);

/* What patch makes of it, and undo takes back; after is the hash of the content that comes of it. */
struct transformed_change {
	const char *after;
	struct text patch, undo; /* canonical */
	bool destructive;
};
int transformed_change(struct transformed *x, const struct record *r, const struct way *way,
                       const struct transformed_change *c);

#endif
