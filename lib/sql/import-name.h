/*
 * import-name.h -- what the names of other tools' migrations say.
 *
 * Floor 2.
 *
 *	V1.2__add_users.sql		flyway: forth to 1.2.0; U1.2__ back; R__ repeatable
 *	000003_add_users.up.sql		golang-migrate: forth to 3.0.0; .down.sql back
 *	20240102030405_users.sql	dbmate, goose: both in one file
 *
 * A number becomes a major version, what stands behind its dots the minor and
 * the patch, so that a version depends on nothing but its own file.
 */
#ifndef MIG_IMPORT_NAME_H
#define MIG_IMPORT_NAME_H

#include "base.h"

enum import_tool { IMPORT_FLYWAY, IMPORT_GOLANG, IMPORT_DBMATE, IMPORT_GOOSE, IMPORT_NTOOLS };

/* "flyway", "golang-migrate", "dbmate", "goose"; -1 if it is none. */
int import_tool_of(const char *name);

enum import_part { IMPORT_OTHER, IMPORT_UP, IMPORT_DOWN, IMPORT_BOTH, IMPORT_REPEATABLE, IMPORT_BAD };

struct import_name {
	enum import_part part;  /* OTHER: not a migration, and no attempt at one */
	char *version;          /* semantic; NULL for OTHER, REPEATABLE and BAD.  New */
	char *title;            /* "add users"; may be empty.  New, or NULL */
	const char *problem;    /* for BAD */
};

void import_name_read(struct import_name *n, enum import_tool tool, const char *file);
void import_name_release(struct import_name *n);

#endif
