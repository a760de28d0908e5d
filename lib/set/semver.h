/*
 * semver.h -- Semantic Versioning 2.0.0: syntax and precedence (items 2, 9-11).
 *
 * Floor 1.
 */
#ifndef MIG_SEMVER_H
#define MIG_SEMVER_H

#include <stdbool.h>

/* Is s a version such as 1.2.0, 2.0.0-rc.1 or 1.0.0+build.5? */
bool semver_valid(const char *s);

/* Precedence: <0, 0, >0.  Build metadata does not count.  Both must be valid. */
int semver_compare(const char *a, const char *b);

#endif
