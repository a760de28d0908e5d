/*
 * sqlite-create.h -- what SQLite keeps of a CREATE statement only as its text.
 *
 * Floor 3.  Its pragmas tell columns and keys, but neither a CHECK nor the name
 * of a constraint.
 *
 *	CREATE TABLE t (a INTEGER CONSTRAINT positive CHECK (a > 0), CONSTRAINT t_b FOREIGN KEY (b) REFERENCES u)
 */
#ifndef MIG_SQLITE_CREATE_H
#define MIG_SQLITE_CREATE_H

#include "buf.h"
#include "text.h"

enum created_kind { CREATED_CHECK, CREATED_UNIQUE, CREATED_FOREIGN_KEY };

struct created {
	enum created_kind kind;
	char *name;     /* "" where it has none */
	char *text;     /* CHECK: the expression; UNIQUE: its columns, each behind a LF; else "" */
};

struct created_list {
	struct created *v;
	size_t n;
};

/* Read a CREATE TABLE statement that SQLite has accepted: its constraints in the order of the text. */
void created_read(struct created_list *l, const char *sql);
void created_release(struct created_list *l);

/* Call each for every word of a statement that is none of its strings, without its quotes. */
void created_words(const char *sql, void (*each)(void *arg, struct text word), void *arg);

#endif
