/*
 * verdict-file.h -- what mig-verify wrote, kept in a file for the gate.
 *
 * Floor 7.
 */
#ifndef MIG_VERDICT_FILE_H
#define MIG_VERDICT_FILE_H

#include "stream.h"

/*
 * Call each for every verdict in the file that is about a plan, with the plan's
 * hash.  0, or -1 after a finding: MIG_PRECONDITION of the rule missing where there is
 * no file, or what stream.h says of a stream that is not whole.
 */
int verdict_file_read(const char *path, const char *missing,
                      void (*each)(void *arg, const struct record *verdict, const char *hash), void *arg,
                      struct diag *d);

/* Has the verdict a finding of this rule? */
bool verdict_finds(const struct record *verdict, const char *rule);

/* {"ok":true,..} */
bool verdict_ok(const struct record *verdict);

#endif
