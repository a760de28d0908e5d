/*
 * sql-count.h -- no row is lost when SQLite rebuilds a table.
 *
 * Floor 10.  A table that is rebuilt is dropped on the way, and with it, had
 * something gone wrong, the rows of those that refer to it.
 */
#ifndef MIG_SQL_COUNT_H
#define MIG_SQL_COUNT_H

#include "db.h"
#include "plan.h"

struct counts_of {
	struct table_count {
		char *table, *rows;
	} *v;
	size_t n;
};

#define COUNTS_OF_INIT { NULL, 0 }

/* Count the rows of the tables that the steps rebuild, and of those that refer to them: 0, or -1 after a finding. */
int sql_count_before(struct counts_of *c, struct db *db, const struct step *step, size_t n, struct diag *d);
/* Count them again: 0, or MIG_INVALID "rows_lost". */
int sql_count_after(const struct counts_of *c, struct db *db, struct diag *d);
void counts_of_release(struct counts_of *c);

#endif
