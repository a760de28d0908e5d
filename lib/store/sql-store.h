/*
 * sql-store.h -- a database and what is kept beside it.
 *
 * Floor 11.
 */
#ifndef MIG_SQL_STORE_H
#define MIG_SQL_STORE_H

#include "row-table.h"
#include "sql-ledger.h"
#include "sql-state.h"

struct sql_store {
	struct db *db;
	struct sql_state state;
	char *user;               /* of this process, for the ledger */
	struct sql_chain chain;   /* its end at our last commit; seq 0: not known */
	struct row_tables tables; /* that rows were put into */
	bool preview;             /* in a transaction of dry runs, which is never committed */
};

#endif
