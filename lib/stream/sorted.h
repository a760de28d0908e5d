/*
 * sorted.h -- values in the order of their keys, however many there are.
 *
 * Floor 7.  Add all, begin, take all: keys ascend bytewise, equal ones come in
 * the order they were added.  Memory holds one run and, while runs are merged, a
 * window on each of at most 64; the rest waits in a spool, which is opened by
 * sorted_init, ahead of any sandbox.
 */
#ifndef MIG_SORTED_H
#define MIG_SORTED_H

#include "spool.h"
#include "text.h"

struct sorted_run;

struct sorted {
	size_t limit;        /* bytes of a run; set by sorted_init, smaller for tests */
	uint64_t n;          /* values added */
	/* private */
	struct spool file;
	struct buf chunk;    /* the run that is being filled: entries one behind the other */
	size_t *at, nat, atcap, next;
	struct sorted_run *run, *heap;
	size_t nrun, nheap;
	bool merging;
};

int sorted_init(struct sorted *s, struct diag *d);
void sorted_release(struct sorted *s);

/* Add a value under a key; copies both. */
int sorted_add(struct sorted *s, struct text key, struct text value, struct diag *d);

/* No more is added: sort.  To be called once. */
int sorted_begin(struct sorted *s, struct diag *d);

/* The next value and its key, valid until the next call.  1, 0 at the end, -1 with a finding. */
int sorted_next(struct sorted *s, struct text *key, struct text *value, struct diag *d);

#endif
