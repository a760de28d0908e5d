/*
 * detour.h -- the other ways to the target, and whether they lead to the same document.
 *
 * Floor 10.
 *
 *	way       1.0.0..1.2.0
 *	detour    1.0.0..1.1.0 1.1.0..1.2.0
 */
#ifndef MIG_DETOUR_H
#define MIG_DETOUR_H

#include "way.h"

enum { DETOUR_PATHS = 64 }; /* from one version, the way included */

struct detour {
	size_t *path; /* indexes into the set's hops, no version twice */
	size_t n;
	char *name;   /* as a way's */
	struct jqprog *prog;
};

/* All detours of one way, shortest version first at each fork. */
struct detour_list {
	char *from;
	struct detour *list;
	size_t n;
};

/* Found and compiled when the first document of a version needs them. */
struct detours {
	const struct set *set;
	const char *target;
	struct detour_list *list;
	size_t n;
	/* room for the document at the end of a detour */
	struct buf text;
	struct jqrun_why why;
};

#define DETOURS_INIT(of, to) { .set = (of), .target = (to) }

void detours_release(struct detours *s);

/*
 * The detours of a way that leads to the target.  Borrowed until the next call.
 * NULL after a finding of MIG_INVALID: "too_many_paths", or "bad_jq" at the
 * up.jq at fault.
 */
const struct detour_list *detours_find(struct detours *s, const struct way *way, struct diag *d);

/* Where a path led: a document's canonical text, or why there is none. */
struct detour_end {
	const char *path;  /* its name */
	const struct buf *text;
	const struct jqrun_why *why; /* NULL: text counts */
};

/*
 * Do both ends agree, the value at history (a pointer, or NULL) left out?  Two
 * rejects do, whatever their reasons.  If not, difference is what a finding
 * says: the paths, and at most 20 operations (RFC 6902, redacted) from the
 * first document to the second.
 */
bool detour_agrees(const struct detour_end *a, const struct detour_end *b, const char *history,
                   struct buf *difference);

#endif
