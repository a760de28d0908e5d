/*
 * set-program.h -- the jq program that takes a body along some hops of a set.
 *
 * Floor 8.
 */
#ifndef MIG_SET_PROGRAM_H
#define MIG_SET_PROGRAM_H

#include "set.h"

/*
 * Append the one jq program that takes a body along the hops: each hop's before,
 * up.jq with exactly one output, the version written at its pointer, its after.
 * In a records set: an array of what comes out of the last hop; each hop takes
 * every output of the one before it, any number of outputs is fine.
 */
void set_program(const struct set *s, const size_t *path, size_t n, struct buf *out);

/*
 * That program does not compile: compile what it is made of piece by piece, and
 * add findings that name the up.jq, or the condition in its hop.json, at fault.
 */
void set_program_blame(const struct set *s, const size_t *path, size_t n, struct diag *d);

#endif
