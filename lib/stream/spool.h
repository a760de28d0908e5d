/*
 * spool.h -- blobs set aside in an unlinked temporary file.
 *
 * Floor 6.  Write all, rewind, read all: memory holds one blob.  The file is in
 * TMPDIR or /tmp and has no name.
 */
#ifndef MIG_SPOOL_H
#define MIG_SPOOL_H

#include "io.h"

struct spool {
	int fd;
	struct out out;
	struct buf in;   /* the window that is being read */
	size_t pos;
	uint64_t at;     /* where the window ends in the file: forked readers share its offset, so none is used */
	uint64_t n;      /* blobs written */
	uint64_t size;   /* where the next one will begin, for spool_seek */
};

int spool_init(struct spool *s, struct diag *d);
void spool_release(struct spool *s);
int spool_add(struct spool *s, const char *p, size_t n, struct diag *d);
/* The same of a blob in two parts. */
int spool_add_parts(struct spool *s, const char *head, size_t nhead, const char *p, size_t n, struct diag *d);
int spool_rewind(struct spool *s, struct diag *d); /* also again, to read once more */
int spool_seek(struct spool *s, uint64_t where, struct diag *d); /* go on reading at the blob that began there */

/* The next blob, followed by BUF_PAD zero bytes, valid until the next call.  1, 0 at the end, -1 with a finding. */
int spool_next(struct spool *s, const char **p, size_t *n, struct diag *d);

#endif
