/*
 * rowsource.h -- what is read of a database: entities, each with its statement and its key.
 *
 * Floor 9.
 *
 *	{"users": {},
 *	 "posts": {"columns": ["id", "title"], "where": "draft = 0"},
 *	 "authors": {"key": "email"},
 *	 "totals": {"sql": "SELECT author, count(*) AS n FROM posts GROUP BY author", "key": "author"}}
 */
#ifndef MIG_ROWSOURCE_H
#define MIG_ROWSOURCE_H

#include "query.h"
#include "tables.h"

struct rowsource {
	char *entity;
	char *prefix;     /* of its references: "users/" */
	struct buf from;  /* SELECT .. FROM .. */
	struct buf where; /* "(draft = 0)"; empty: all rows */
	char *key;        /* the column that holds the id */
	enum table_order order;
	char *place;      /* where the query has SQL: "/posts/where"; NULL: nowhere */
	bool past;        /* all of it is ahead of where reading begins */
};

struct rowsources {
	struct rowsource *v; /* by prefix, and so by reference */
	size_t n;
};

struct rowsource_ask {
	const struct query *query; /* NULL: all tables */
	const char *file;          /* that it came from, for messages; NULL: none */
	const char *after;         /* begin behind this reference; NULL: at the first */
};

/*
 * Find out, in a transaction, what to read: 0, or -1 after findings:
 * MIG_PRECONDITION "missing_table", MIG_INVALID "no_key", or "bad_query" at file,
 * with the pointer of what is wrong.  To be released either way.
 */
int rowsources_read(struct rowsources *all, struct db *db, const struct rowsource_ask *ask, struct diag *d);
void rowsources_release(struct rowsources *all);

/* Append its statement, with another condition and an order, or NULL. */
void rowsource_sql(const struct rowsource *s, const char *where, const char *order, struct buf *sql);

/*
 * Let the server leave out what is ahead of a reference; what it cannot be sure of
 * comes all the same.  0, or -1 after a finding.
 */
int rowsource_begin(struct rowsource *s, struct db *db, const char *after, struct diag *d);

#endif
