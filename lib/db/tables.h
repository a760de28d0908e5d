/*
 * tables.h -- the tables whose rows can be read, and what they are known by.
 *
 * Floor 7.  Of PostgreSQL, those in the schema public.
 */
#ifndef MIG_TABLES_H
#define MIG_TABLES_H

#include "db.h"

/* How the keys of a table can be read in the order of their texts. */
enum table_order {
	TABLE_ANY,
	TABLE_INTEGERS, /* integers alone, by an index: in the order of numbers */
	TABLE_SORTED    /* the server's order is that of the texts (UUIDs) */
};

struct table {
	char *name;
	bool view;      /* or whatever else has rows and no key of its own */
	bool parts;     /* its rows are in other tables of the server's */
	char **column;  /* in their order */
	size_t ncolumn;
	char *key;      /* the primary key, if that is one column; NULL */
	size_t nkey;    /* how many columns it has */
	enum table_order order;
};

/* Find a table or view by exactly this name: 1, 0 if there is none, -1 after a finding. */
int table_find(struct db *db, const char *name, struct table *t, struct diag *d);
void table_release(struct table *t);

/* Is that a column of it? */
bool table_has(const struct table *t, const char *column);

/* Append how a statement names it. */
void table_name(struct buf *sql, struct db *db, const struct table *t);

struct table_names {
	char **v;
	size_t n;
};

/* The tables of LIVE, without views: 0, or -1 after a finding.  To be released either way. */
int table_names(struct db *db, struct table_names *names, struct diag *d);
void table_names_release(struct table_names *names);

#endif
