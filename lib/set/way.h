/*
 * way.h -- the ways from versions to the target: their programs, and what a change says of them.
 *
 * Floor 9.
 */
#ifndef MIG_WAY_H
#define MIG_WAY_H

#include "jqrun.h"
#include "set.h"

struct way {
	char *from;
	size_t *path; /* indexes into the set's hops; NULL: there is none */
	size_t n;
	char *name; /* "1.0.0..1.1.0 1.1.0..1.2.0" */
	const char *type; /* the strongest among the hops */
	struct jqprog *prog; /* NULL until a document needs it */
	struct jqprog **first; /* of the first hop alone, the first two, ..; NULL until a document stops on the way */
	/* runs of members of the change record that are the same for every document, each led by a comma */
	struct buf changes; /* "changes"; for documents also "data_safety", */
	struct buf safety;  /* which stands apart for rows */
	struct buf about;   /* "entity" to "op"; for rows "from_version" to "levers" */
	struct buf set;     /* "reversible", "set" */
	struct buf target;  /* "to_version"; for documents also "type" */
};

/* Found and compiled when the first document needs them. */
struct ways {
	const struct set *set;
	const char *target;
	struct way *list;
	size_t n;
};

#define WAYS_INIT(set, target) { (set), (target), NULL, 0 }

void ways_release(struct ways *w);

/*
 * The way from a version, borrowed until the next call.  Its path is NULL where
 * there is none, else it has its program.  NULL after a finding of MIG_INVALID
 * "bad_jq" that names the up.jq at fault.
 */
struct way *ways_find(struct ways *w, const char *from, struct diag *d);

/* The id of the hop at which the way's program stops on a document; all their ids if that cannot be told.  Borrowed. */
const char *way_stop(const struct ways *w, struct way *way, const struct doc *in);

#endif
