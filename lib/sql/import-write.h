/*
 * import-write.h -- what was imported, as a migration set on disk.
 *
 * Floor 10.
 */
#ifndef MIG_IMPORT_WRITE_H
#define MIG_IMPORT_WRITE_H

#include "import.h"

/* "sets/app/" is "app" in "sets": two new strings.  False if it names no folder, such as "..". */
bool import_place(const char *to, char **parent, char **name);

/*
 * Write the set called id as folder name in the open folder parent, whole or not
 * at all.  Nothing is overwritten: where something stands, each file must be
 * there with the same bytes, and nothing is written.  dialect may be NULL.  0,
 * or -1 after a finding: MIG_INVALID "exists" that names the first file that
 * differs, MIG_ERROR "write_failed", MIG_PRECONDITION "store_full".
 */
int import_write(const struct import *im, const char *id, const char *dialect, int parent, const char *name,
                 struct diag *d);

#endif
