/*
 * extract-way.h -- what mig-extract is asked for: documents or their versions, a schema, what was done, or rows.
 *
 * Floor 16.  Reads the store.
 */
#ifndef MIG_EXTRACT_WAY_H
#define MIG_EXTRACT_WAY_H

#include "applied.h"
#include "history.h"
#include "rowopts.h"

/* At most one of versions, schema, applied and ledger; none: documents, or rows where the store holds them. */
struct extract_way {
	const char *store, *set, *state;
	char **refs;                /* NULL-ended, or NULL */
	bool versions, schema, applied, ledger;
	bool create;                /* with schema: a SQLite file that lacks is as good as an empty one */
	struct entry_scope scope;   /* with applied or ledger; its tenant and env are those of rows, too */
	struct applied_ask which;   /* with applied, for its own scope that one */
	struct history_ask entries; /* with ledger, likewise */
	struct rowopts rows;        /* ROWOPTS_INIT */
};

/* Are rows asked for?  Then w->rows knows what else was given, for rowopts_check. */
bool extract_way_rows(struct extract_way *w);

/* Which options do not go together, where no rows are asked for: a text for the usage, or NULL. */
const char *extract_way_wrong(const struct extract_way *w);

/*
 * Open the store, give up the rest, and write what was asked for.  Findings are those of
 * set-read.h, store.h, extract.h, extract-schema.h, applied.h, history.h and rowopts.h.
 */
void extract_way_run(const struct extract_way *w, struct out *out, struct diag *d);

#endif
