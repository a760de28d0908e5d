/*
 * temporary.h -- a file without a name.
 *
 * Floor 2.
 */
#ifndef MIG_TEMPORARY_H
#define MIG_TEMPORARY_H

#include "diag.h"

/* A new unlinked file in TMPDIR or /tmp, open for reading and writing: its descriptor, or -1 after a finding. */
int temporary_file(const char *what, struct diag *d);

#endif
