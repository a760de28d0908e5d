/* rehearsal.c -- see rehearsal.h */
#include "rehearsal.h"

#include "verdict-file.h"

#include <stdlib.h>

static void take(void *arg, const struct record *verdict, const char *hash)
{
	struct rehearsals *x = arg;

	if (!verdict_ok(verdict) || !verdict_finds(verdict, "rehearsed"))
		return;
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 16;
		x->hash = xrealloc(x->hash, x->cap, sizeof *x->hash);
	}
	memcpy(x->hash[x->n++], hash, HEX_SIZE);
}

int rehearsals_read(struct rehearsals *x, const char *file, struct diag *d)
{
	x->asked = true;
	return verdict_file_read(file, "missing_rehearsal", take, x, d);
}

void rehearsals_release(struct rehearsals *x)
{
	free(x->hash);
	*x = (struct rehearsals){ .asked = false };
}

int rehearsals_check(const struct rehearsals *x, const struct plan *p, struct diag *d)
{
	if (!x->asked || !plan_of_sql(p) || p->rollback_mode)
		return 0;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->hash[i], p->hash) == 0)
			return 0;
	diag_hint(d, "mig-verify --store STORE --rehearse < PLANS > FILE, then mig-gate .. --rehearsed FILE");
	return diag_add(d, MIG_UNSAFE, "rehearsal", NULL, "the plan %.12s was not tried, forth and back, on a copy",
	                p->hash);
}
