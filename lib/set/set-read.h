/*
 * set-read.h -- a migration set, read from the files of its folder.
 *
 * Floor 8.  mig-set(5) describes the files.
 */
#ifndef MIG_SET_READ_H
#define MIG_SET_READ_H

#include "diag.h"
#include "set.h"

/*
 * Read the set in folder dir.  Returns a new set, for set_free, or NULL:
 * MIG_PRECONDITION "missing_set" when dir or set.json is not there, MIG_INVALID
 * "bad_set" at the file for everything that is wrong in it.
 */
struct set *set_read(const char *dir, struct diag *d);

/* Is that the mode in the set.json of dir?  False also where it cannot be read. */
bool set_is(const char *dir, const char *mode);

/*
 * What sets of every kind share: give s a hop for each folder of dir that is one,
 * in byte order, with its id alone; sort hops by their versions; and make a file
 * that lacks the set's fault (MIG_INVALID) in the findings from first on: only a
 * missing set is a precondition.
 */
int set_name_hops(struct set *s, const char *dir, struct diag *d);
void set_sort_hops(struct set *s);
void set_blame(struct diag *d, size_t first);

#endif
