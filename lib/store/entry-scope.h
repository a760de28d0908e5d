/*
 * entry-scope.h -- which entries of a ledger: those of a migration, an environment, a tenant, a project.
 *
 * Floor 4.
 */
#ifndef MIG_ENTRY_SCOPE_H
#define MIG_ENTRY_SCOPE_H

#include "doc.h"

struct entry_scope {
	const char *migration, *env, *tenant, *project; /* NULL: any */
};

/* Does the entry's member say value?  NULL is what every entry says. */
bool entry_says(const struct doc *entry, const char *member, const char *value);

bool entry_scope_has(const struct entry_scope *s, const struct doc *entry);

#endif
