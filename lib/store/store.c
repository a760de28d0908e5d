/* store.c -- see store.h */
#include "store.h"

#include <signal.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

void store_pruned_release(struct store_pruned *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->plan[i]);
	free(p->plan);
	*p = (struct store_pruned){ .seq = -1 };
}

void store_interrupt(void)
{
	interrupted = 1;
}

bool store_interrupted(void)
{
	return interrupted;
}

static void caught(int sig)
{
	(void)sig;
	store_interrupt();
}

void store_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct sigaction sa = { .sa_handler = caught }, old;

	/* one that is ignored, as under nohup, stays so */
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

struct store *store_open(const char *uri, enum store_mode mode, struct diag *d)
{
	if (strncmp(uri, "fs:", 3) == 0 && uri[3])
		return store_fs_open(uri + 3, mode, d);
	/* what follows the scheme may hold a password: only the scheme is shown */
	diag_add(d, MIG_USAGE, "bad_store", NULL, "unknown store %.*s: expected fs:DIR", (int)strcspn(uri, ":/@?"),
	         uri);
	return NULL;
}
