/*
 * schema-live.h -- what a database holds, as a schema record tells it.
 *
 * Floor 6.  The server's own spelling; mig-stream(5) has its members.
 */
#ifndef MIG_SCHEMA_LIVE_H
#define MIG_SCHEMA_LIVE_H

#include "names.h"
#include "record.h"

struct live_view {
	char *name, *definition;
	bool materialized;
	char **depends;  /* tables and views that it reads */
	size_t ndepends;
};

struct live {
	const struct doc *doc; /* borrowed */
	struct names table;    /* name: token of the table's object */
	struct names views;    /* name: place in view */
	struct live_view *view;
	size_t ntable, nview;
	uint32_t estimates;    /* token of the object, or DOC_NONE */
	/* private */
	char **owned;
	size_t nowned;
};

#define LIVE_INIT { .doc = NULL }

/* Read the live object at token t: 0, or -1 after MIG_USAGE "bad_record" at where. */
int live_read(struct live *l, const struct doc *doc, uint32_t t, uint32_t estimates, const char *where,
              struct diag *d);
void live_release(struct live *l);

/* The token of a table, or DOC_NONE. */
uint32_t live_table(const struct live *l, const char *name);

/* Roughly how many rows a table has, or -1 where nobody knows. */
int64_t live_rows(const struct live *l, const char *table);

/* A table's columns in the order the server keeps them: the array is new, the strings are l's.  *n: how many. */
char **live_columns(struct live *l, uint32_t table, size_t *n);

/* A walk over "indexes" or "triggers" of a table: the element after t (DOC_NONE: the first), or DOC_NONE. */
uint32_t live_next(const struct live *l, uint32_t table, const char *member, uint32_t t);

#endif
