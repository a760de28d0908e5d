/*
 * digitruns.h -- integers in the order of their texts, as ranges that go up or down.
 *
 * Floor 1.
 *
 *	1, 10, 100, 101, 2, 20, ..     -1, -10, -100, -2, ..
 *
 * Of integers with one sign and one number of digits the order of the texts is
 * that of the numbers, turned round for those below zero: at most 38 ranges,
 * whose members are merged.
 */
#ifndef MIG_DIGITRUNS_H
#define MIG_DIGITRUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGITRUNS = 38 };

struct digitrun {
	int64_t least, most;
	bool down; /* from most to least */
};

/* The ranges that hold all integers from least to most whose text is behind after ("": all); returns how many. */
size_t digitruns(int64_t least, int64_t most, const char *after, struct digitrun run[DIGITRUNS]);

#endif
