/*
 * counts.h -- how often each text came, in bounded room.
 *
 * Floor 2.  Texts beyond the limit are counted together, so that a stream of a
 * million different ones stays small.
 */
#ifndef MIG_COUNTS_H
#define MIG_COUNTS_H

#include "base.h"
#include "buf.h"

enum { COUNT_EXAMPLES = 3 };

struct count {
	char *key;                      /* NUL-ended */
	uint64_t n;
	char *example[COUNT_EXAMPLES];  /* the caller's words for the first ones; NULL: none */
	uint64_t mark;                  /* the caller's own: of the first, */
	bool varies;                    /* and whether later ones differ */
};

struct counts {
	struct count *v; /* in order of their first coming; counts_sort: by number */
	size_t n, max;   /* how many, and how many are kept apart at most */
	uint64_t total, others; /* all that came; those beyond the limit */
	/* private */
	size_t cap, nslot;
	uint32_t *slot;
};

void counts_init(struct counts *c, size_t max);
void counts_release(struct counts *c);

/*
 * Count the text once more.  Returns its entry, borrowed until the next call,
 * or NULL when it was counted among the others.
 */
struct count *counts_add(struct counts *c, const char *key, size_t n);

/* Keep a copy of an example of n bytes, if there is room for one more. */
void count_example(struct count *c, const char *s, size_t n);

/* The most frequent first; equal ones stay in the order they came in.  Nothing may be added after it. */
void counts_sort(struct counts *c);

#endif
