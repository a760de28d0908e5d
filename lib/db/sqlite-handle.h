/*
 * sqlite-handle.h -- an open SQLite database, for the files that know its library.
 *
 * Floor 7.
 */
#ifndef MIG_SQLITE_HANDLE_H
#define MIG_SQLITE_HANDLE_H

#include "db.h"

#include <sqlite3.h>
#include <sys/stat.h>

enum { KEPT = 16 };

struct sqlite {
	struct db base;
	sqlite3 *db;
	char *file; /* its real path */
	enum db_mode mode;
	enum db_trouble trouble;
	struct kept_statement {
		char *sql;
		sqlite3_stmt *st;
	} kept[KEPT];            /* of texts that come again and again */
	unsigned next;
	bool inside;    /* a transaction of begin's, */
	bool writing;   /* which writes */
	bool ours;               /* our tables are there: they are never dropped again */
	bool preparing;          /* they are, if this transaction commits */
	bool guarded;   /* statements that are not ours may not end it */
	bool held;      /* lock began the transaction that the next begin takes over */
	bool committed; /* at least once, */
	unsigned version; /* and this was the database's own count of what others wrote */
	bool immutable; /* read without its log, which was not there */
	struct stat st; /* as it was then */
	bool made;      /* the file was not there */
	int fd;         /* of the file: to be closed after SQLite has, or its locks are gone */
};

extern const struct db_ops sqlite_ops;

/* Add a finding about the database; returns -1. */
int sqlite_fail(struct sqlite *s, enum db_trouble trouble, enum mig_exit code, const char *rule, const char *message,
                struct diag *d);

/* The same for the result code of a call that failed; see db.h for what it may mean. */
int sqlite_trouble(struct sqlite *s, int rc, struct diag *d);

/* Execute one statement: see query of struct db_ops. */
int sqlite_run(struct sqlite *s, struct text sql, const struct db_value *p, size_t n, db_row *each, void *arg,
               struct diag *d);

/* Compile one statement, and nothing behind it; *st is NULL for a text that holds none. */
int sqlite_compile(struct sqlite *s, struct text sql, unsigned flags, sqlite3_stmt **st, struct diag *d);

/* The row that a statement is at. */
struct sqlite_row {
	struct db_value *v;
	char (*real)[40];
	int n;
};

void sqlite_row_init(struct sqlite_row *r, sqlite3_stmt *st);
void sqlite_row_release(struct sqlite_row *r);
void sqlite_row_take(struct sqlite_row *r, sqlite3_stmt *st);

/* See cursor of struct db_ops. */
struct db_cursor *sqlite_cursor(struct db *db, const char *sql);
int sqlite_next(struct db_cursor *c, const struct db_value **row, struct diag *d);
void sqlite_done(struct db_cursor *c);

/* See scratch of struct db_ops: a copy in memory. */
struct db *sqlite_scratch(struct db *db, struct diag *d);

#endif
