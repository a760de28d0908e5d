/*
 * moment.h -- times as RFC 3339 writes them in UTC.
 *
 * Floor 2.  2026-01-31T12:00:00Z, with a fraction of up to 9 digits if one
 * likes; no other spelling, so that what two readers accept is the same.
 */
#ifndef MIG_MOMENT_H
#define MIG_MOMENT_H

#include "text.h"

struct moment {
	int64_t seconds; /* since 1970 */
	int64_t nanos;   /* 0 .. 999999999 */
};

#define MOMENT_SIZE 32

/* Read a time: false if t is none, also for a day that its month does not have. */
bool moment_read(struct text t, struct moment *m);

/* Is it a time in whole seconds, or the front of one that ends with a whole part, such as 2026-01? */
bool moment_front(const char *s);

/* <0, 0, >0. */
int moment_compare(struct moment a, struct moment b);

/* Write whole seconds since 1970; past the year 9999, its last second. */
void moment_write(int64_t seconds, char out[MOMENT_SIZE]);

/* The clock's time. */
struct moment moment_now(void);

/* A clock that only goes forward, in milliseconds since some time. */
int64_t moment_ticks(void);

/* Milliseconds since ticks, at least one: 0 is what a fixed clock says. */
int64_t moment_since(int64_t ticks);

#endif
