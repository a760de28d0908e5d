/*
 * operands.h -- the files that a filter is given behind its options.
 *
 * Floor 3.
 */
#ifndef MIG_OPERANDS_H
#define MIG_OPERANDS_H

#include "diag.h"

/*
 * Open the files of a NULL-ended list one after the other, whatever the limit on
 * descriptors, and call each with them; "-", and an empty list, is stdin.  With the
 * last one open, no other file can be (sandbox.h).  One that is not there is
 * MIG_PRECONDITION "missing_file" and is passed over: what was found is in d.
 */
void operands_read(char *const *files, void (*each)(void *arg, int fd, const char *name), void *arg, struct diag *d);

#endif
