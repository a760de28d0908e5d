/*
 * sqlname.h -- what tables, columns and constraints may be called.
 *
 * Floor 3.  A table is ^[a-zA-Z][a-zA-Z0-9_\s-]*$, a column
 * ^[a-z][a-z0-9_]*$, both at most 63 bytes, neither a reserved word.
 */
#ifndef MIG_SQLNAME_H
#define MIG_SQLNAME_H

#include "buf.h"
#include "text.h"

enum { SQLNAME_MAX = 63 }; /* bytes of an identifier that PostgreSQL keeps */

/* ^[a-z][a-z0-9_]*$ */
bool sqlname_plain(struct text name);

/* ^[a-zA-Z][a-zA-Z0-9_\s-]*$ */
bool sqlname_table(struct text name);

/* A table's name as SQL spells it, lower snake case: "Order Items" is order_items.  New. */
char *sqlname_snake(struct text name);

/* Is it a word that PostgreSQL or SQLite keeps for itself?  In lower case. */
bool sqlname_reserved(const char *name);

/* Is it the name of a table that is not the application's: system_, auth_, mig_, sqlite_, pg_? */
bool sqlname_protected(const char *name);

/*
 * Steal b's text; past max bytes it is cut and ends in an underscore and eight
 * digits of the whole name's SHA-256, so that two long names stay two.  New.
 */
char *sqlname_fit(struct buf *b, size_t max);

/* One of them: "categories" is category, "boxes" box, "users" user.  New. */
char *sqlname_singular(const char *name);

#endif
