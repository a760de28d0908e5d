/*
 * backoff.h -- a pause before something is tried again.
 *
 * Floor 1.
 */
#ifndef MIG_BACKOFF_H
#define MIG_BACKOFF_H

#include <stdint.h>

/*
 * How long before attempt number attempt (0: the first after the one that
 * failed), in ms: between half and all of a time that begins at 200, doubles
 * with each attempt and ends at 5000.  The half by chance keeps several filters
 * from coming back at once.
 */
int64_t backoff_ms(unsigned attempt);

/* Wait that long, or ms; less where a signal comes that is caught, so that who waits can end. */
void backoff_pause(unsigned attempt);
void backoff_wait(int64_t ms);

#endif
