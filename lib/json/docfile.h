/*
 * docfile.h -- a file that holds one JSON value.
 *
 * Floor 4.
 */
#ifndef MIG_DOCFILE_H
#define MIG_DOCFILE_H

#include "doc.h"
#include "io.h"

struct docfile {
	struct buf text;
	struct doc doc;
};

#define DOCFILE_INIT { .doc = DOC_INIT }

/* 0, or -1 after MIG_PRECONDITION of the rule missing ("missing_schema"), or MIG_INVALID "bad_json" with its place. */
int docfile_read(struct docfile *f, const char *path, const char *missing, struct diag *d);
void docfile_release(struct docfile *f);

#endif
