/* backoff.c -- see backoff.h */
#include "backoff.h"

#include <sys/random.h>
#include <time.h>

enum { FIRST_MS = 200, LONGEST_MS = 5000, DOUBLINGS = 5 };

int64_t backoff_ms(unsigned attempt)
{
	uint32_t dice = 0;
	unsigned ms = attempt < DOUBLINGS ? FIRST_MS << attempt : LONGEST_MS;

	if (ms > LONGEST_MS)
		ms = LONGEST_MS;
	if (getrandom(&dice, sizeof dice, 0) != sizeof dice)
		dice = 0;
	return ms / 2 + dice % (ms / 2 + 1);
}

void backoff_wait(int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

void backoff_pause(unsigned attempt)
{
	backoff_wait(backoff_ms(attempt));
}
