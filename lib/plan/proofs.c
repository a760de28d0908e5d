/* proofs.c -- see proofs.h */
#include "proofs.h"

#include "verdict-file.h"

#include <stdlib.h>

static void take(void *arg, const struct record *verdict, const char *hash)
{
	struct proofs *x = arg;

	if (verdict_finds(verdict, "rehearsed"))
		return;
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 16;
		x->v = xrealloc(x->v, x->cap, sizeof *x->v);
	}
	x->v[x->n].good = verdict_ok(verdict);
	memcpy(x->v[x->n++].hash, hash, HEX_SIZE);
}

int proofs_read(struct proofs *x, char *const *files, struct diag *d)
{
	int rc = 0;

	for (; files && *files; files++)
		if (verdict_file_read(*files, "missing_evidence", take, x, d) < 0)
			rc = -1;
	return rc;
}

void proofs_release(struct proofs *x)
{
	free(x->v);
	*x = (struct proofs)PROOFS_INIT;
}

bool proofs_hold(const struct proofs *x, const char *plan_hash, bool *known)
{
	bool good = true;

	*known = false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i].hash, plan_hash) == 0) {
			*known = true;
			good &= x->v[i].good;
		}
	return *known && good;
}
