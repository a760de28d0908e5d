/*
 * sqlite-catalog.h -- the tables and views of a SQLite database, as it tells of them.
 *
 * Floor 7.
 */
#ifndef MIG_SQLITE_CATALOG_H
#define MIG_SQLITE_CATALOG_H

#include "db.h"
#include "sqlite-create.h"

enum catalog_list { L_CHECKS, L_FKEYS, L_INDEXES, L_TRIGGERS, L_UNIQUES, L_N };

/* An element of a list of a table, to be sorted by name. */
struct item {
	char *name, *json;
};

struct items {
	struct item *v;
	size_t n;
};

struct ltable {
	char *name, *sql;
	struct created_list created;
	struct buf columns; /* "{..},{..}" */
	char **key;         /* columns of the primary key, in its order */
	size_t nkey, nfkey; /* nfkey: how many were met */
	struct items list[L_N];
};

struct lview {
	char *name, *sql;
};

struct catalog {
	struct db *db;
	struct diag *d;
	struct ltable *table; /* by name */
	size_t ntable;
	struct lview *view; /* by name */
	size_t nview;
	/* a key or an index whose columns come row by row */
	char *id; /* table and number, or name, of it; NULL: none */
	struct ltable *of;
	struct buf from, to, head;
};

/* Read all of it: 0, or -1 after a finding; needs catalog_release either way. */
int catalog_read(struct catalog *l, struct db *db, struct diag *d);
void catalog_release(struct catalog *l);

/* Add an element to a list; takes the text of json. */
void items_add(struct items *l, const char *name, struct buf *json);
/* By name, and those without one by their text. */
void items_sort(struct items *l);
void items_release(struct items *l);

/* The n-th constraint of a kind in the table's text; NULL past the last. */
const struct created *ltable_created(const struct ltable *t, enum created_kind kind, size_t n);

/* Tables that are SQLite's, ours, or somebody's who wants them left alone. */
#define OURS(name)                                                                                      \
	name " NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND " name " NOT LIKE 'mig\\_%' ESCAPE '\\' AND " name \
	     " NOT LIKE 'system\\_%' ESCAPE '\\' AND " name " NOT LIKE 'auth\\_%' ESCAPE '\\'"

#endif
