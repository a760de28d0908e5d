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
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction sa = { .sa_handler = caught }, old;

	/* one that is ignored, as under nohup, stays so */
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

static bool scheme(const char *uri, const char *name)
{
	size_t n = strlen(name);

	return strncmp(uri, name, n) == 0 && uri[n];
}

struct store *store_open_as(const char *uri, const struct store_how *how, struct diag *d)
{
	bool fs = scheme(uri, "fs:"), instant = strncmp(uri, "instantdb:", 10) == 0;

	if (!instant && (how->api || how->token_file || how->ca || how->timeout > 0)) {
		diag_add(d, MIG_USAGE, "bad_store", NULL,
		         "--api, --token-file, --ca and --timeout go with instantdb:APP");
		return NULL;
	}
	if (instant && how->create) {
		diag_add(d, MIG_USAGE, "bad_store", NULL, "--create goes with a database");
		return NULL;
	}

	if (fs && (how->state || how->create)) {
		diag_add(d, MIG_USAGE, "bad_store", NULL, "--state and --create go with a database");
		return NULL;
	}
	if (fs)
		return store_fs_open(uri + 3, how->mode, d);
	if (scheme(uri, "sqlite:"))
		return store_sqlite_open(uri + 7, how, d);
	if (instant)
		return store_instant_open(uri + 10, how, d);
	if (scheme(uri, "postgresql:") || scheme(uri, "postgres:"))
		return store_pg_open(uri, how, d);
	/* what follows the scheme may hold a password: only the scheme is shown */
	diag_add(d, MIG_USAGE, "bad_store", NULL, "unknown store %.*s: expected fs:DIR, sqlite:FILE, "
	         "postgresql://.. or instantdb:APP",
	         (int)strcspn(uri, ":/@?"), uri);
	return NULL;
}

struct store *store_open(const char *uri, enum store_mode mode, struct diag *d)
{
	const struct store_how how = { .mode = mode };

	return store_open_as(uri, &how, d);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}
