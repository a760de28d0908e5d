/*
 * filelock.h -- a lock that dies with its process: flock(2) on a file that says who holds it.
 *
 * Floor 3.
 */
#ifndef MIG_FILELOCK_H
#define MIG_FILELOCK_H

#include "diag.h"

#include <stdbool.h>

/*
 * Lock the open file fd, waiting at most so many seconds: 0; -1 and errno; where
 * somebody else has it still, errno is EWOULDBLOCK, after a finding of
 * MIG_PRECONDITION "locked" at where that names the holder.
 */
int filelock_take(int fd, unsigned seconds, const char *where, struct diag *d);

/* Is the file open at fd a regular one, and the one that has that name in folder dir? */
bool filelock_names(int fd, int dir, const char *name);

/* Write into the file we hold who holds it: 0, or -1 and errno. */
int filelock_sign(int fd, const char *holder);

#endif
