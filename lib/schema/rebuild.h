/*
 * rebuild.h -- SQLite's way to change what ALTER TABLE does not.
 *
 * Floor 11.  https://sqlite.org/lang_altertable.html, section 7: a new table
 * beside the old one, the rows copied, the old one dropped, the new one renamed,
 * and what hung on the old one made again.
 */
#ifndef MIG_REBUILD_H
#define MIG_REBUILD_H

#include "dialect.h"

/* Append the statements, backups and restores included. */
void rebuild_act(const struct half *h);

/* What SQLite needs triggers for in the table: lists that are checked, but those named in skip; columns that count. */
void rebuild_triggers(const struct half *h, const struct table *t, const struct names *skip);

/* Is a trigger of that name one of those? */
bool rebuild_own_trigger(const struct table *t, const char *name);

/* The triggers of one list's check. */
void rebuild_list_triggers(const struct half *h, const char *table, const struct check *c);
void rebuild_drop_list_triggers(const struct half *h, const char *table, const struct check *c);

#endif
