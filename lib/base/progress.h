/*
 * progress.h -- how far a filter is, for a person at a terminal.
 *
 * Floor 1.  When stderr is a terminal and the work takes more than a second, a
 * line such as "mig-apply: 12000 documents" is kept up to date there, and wiped
 * at the end.  Elsewhere nothing happens.
 */
#ifndef MIG_PROGRESS_H
#define MIG_PROGRESS_H

#include <signal.h>

/* What was done so far; the verbs count, a timer shows it. */
extern volatile sig_atomic_t progress_done;

static inline void progress_tick(void)
{
	progress_done++;
}

/* Begin and end to show it.  tool and what are borrowed in between. */
void progress_start(const char *tool, const char *what);
void progress_stop(void);

#endif
