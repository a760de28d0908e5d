/*
 * promises.h -- what a set promises of its documents, and whether a program has kept it.
 *
 * Floor 8.  Pure.  Bodies, results and patches are canonical documents.
 */
#ifndef MIG_PROMISES_H
#define MIG_PROMISES_H

#include "set.h"

struct promises {
	struct buf reason;    /* of the answer that was not NULL last: "/a is required" */
	bool removes;         /* of the patch that was looked at last: does it remove anything? */
	/* private: what that patch may have changed */
	struct text *touched; /* see touch */
	size_t n, cap;
};

#define PROMISES_INIT { .removes = false }

void promises_release(struct promises *p);

/*
 * May a program be given this document, whose history (or DOC_NONE) is at that
 * token?  NULL, or the code of its reject: "required_missing", "bad_history".
 */
const char *promises_before(struct promises *p, const struct set *set, const struct doc *before, uint32_t history);

/*
 * Are the promises kept by patch, which leads from before to after?  NULL, or
 * the code of the reject: "immutable_changed", "required_missing",
 * "history_changed", "not_additive", or "bad_history" where no object is there for it.
 */
const char *promises_kept(struct promises *p, const struct set *set, const struct doc *before,
                          const struct doc *patch, const struct doc *after);

#endif
