/* db-pg-scratch.c -- a PostgreSQL database in which a plan can be tried: see db.h */
#include "db-pg.h"

struct db *pg_scratch(struct db *db, struct diag *d)
{
	(void)db;
	diag_add(d, MIG_ERROR, "internal", NULL, "no scratch");
	return NULL;
}
