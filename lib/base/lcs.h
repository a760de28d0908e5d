/*
 * lcs.h -- the longest common subsequence of two runs of numbers.
 *
 * Floor 1.  E. Myers, "An O(ND) difference algorithm and its variations"
 * (1986), in its linear-space form.
 */
#ifndef MIG_LCS_H
#define MIG_LCS_H

#include <stdint.h>

/*
 * Set match[i] to the index in b of the element that a[i] is paired with, or
 * to -1; indices ascend.  0, or -1 if more than max elements of a and b
 * together are in no pair, or if finding out takes too long.  Deterministic.
 */
int lcs_match(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb, uint32_t max, int32_t *match);

#endif
