/*
 * rejects.h -- the rejected documents of a stream, by their codes.
 *
 * Floor 7.
 */
#ifndef MIG_REJECTS_H
#define MIG_REJECTS_H

#include "counts.h"
#include "page.h"
#include "record.h"

struct rejects {
	struct counts codes; /* its examples: REF LF REASON */
	struct buf example;  /* private */
};

void rejects_init(struct rejects *x);
void rejects_release(struct rejects *x);
void rejects_add(struct rejects *x, const struct record *r);

/*
 * The codes, at most max of them, each with so many examples (0: a ref on the
 * same line; 1: its reason too); nothing if there are none.
 */
void rejects_page(struct rejects *x, struct page *p, size_t max, size_t examples);

/* Append as a JSON object {codes: [{code, count, examples}], total}. */
void rejects_json(struct rejects *x, struct buf *out);

#endif
