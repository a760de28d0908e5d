/*
 * sorter.h -- more blobs than memory holds, in the order of their keys.
 *
 * Floor 3.  Runs of RUN_BYTES are sorted in memory, kept in an unlinked
 * temporary file, and merged when they are read.  Blobs of equal keys come in
 * the order in which they were added.  Keys are compared as bytes.
 */
#ifndef MIG_SORTER_H
#define MIG_SORTER_H

#include "io.h"
#include "text.h"

struct sorter {
	int fd;
	struct out out;
	struct buf heap;        /* frames of the run being filled */
	size_t *frame;          /* where each begins in it */
	size_t nframe, framecap;
	struct run *run;        /* the runs in the file */
	size_t nrun, runcap;
	uint64_t size;          /* of the file */
	size_t *order;          /* a heap over the runs, while reading */
	size_t norder;
	bool reading;
};

/* Opens the file, in TMPDIR or /tmp: to be called before a sandbox.  0, or -1 after a finding. */
int sorter_init(struct sorter *s, struct diag *d);
void sorter_release(struct sorter *s);

int sorter_add(struct sorter *s, struct text key, const void *p, size_t n, struct diag *d);

/* Nothing is added after it; from now on they are read. */
int sorter_sort(struct sorter *s, struct diag *d);

/*
 * The next blob, followed by BUF_PAD zero bytes, and its key; both valid until
 * the next call.  1, 0 at the end, -1 after a finding.
 */
int sorter_next(struct sorter *s, struct text *key, const char **p, size_t *n, struct diag *d);

#endif
