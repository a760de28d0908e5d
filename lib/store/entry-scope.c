/* entry-scope.c -- see entry-scope.h */
#include "entry-scope.h"

bool entry_says(const struct doc *entry, const char *member, const char *value)
{
	return !value || doc_says(entry, 0, member, value);
}

bool entry_scope_has(const struct entry_scope *s, const struct doc *entry)
{
	return entry_says(entry, "migration_id", s->migration) && entry_says(entry, "env", s->env) &&
	       entry_says(entry, "tenant", s->tenant) && entry_says(entry, "project", s->project);
}
