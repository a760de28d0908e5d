/*
 * db.h -- an open database: one table of functions a kind of server.
 *
 * Floor 6.  Statements are text; parameters are written $1, $2, .. and their
 * types follow from where they stand.  Whatever fails adds a finding whose class
 * says what it means:
 *
 *	MIG_PRECONDITION  "store_missing", "locked", "store_full", "store_readonly",
 *	                  "connection_failed", "not_permitted", "not_a_database"
 *	MIG_INVALID       "constraint": the data breaks a rule of the schema
 *	MIG_ERROR         "sql_failed", "io_failed": everything else
 *
 * No finding holds a password; a URI is never shown.
 */
#ifndef MIG_DB_H
#define MIG_DB_H

#include "buf.h"
#include "diag.h"
#include "doc.h"
#include "text.h"

enum db_mode {
	DB_READ,
	DB_READ_OR_EMPTY, /* where the database lacks (SQLite), as if it were there and empty */
	DB_WRITE,
	DB_CREATE         /* WRITE, and make it where it lacks (SQLite) */
};

/* What the last failed call means for whoever may try again. */
enum db_trouble {
	DB_FINE,
	DB_TRANSIENT,  /* the same may succeed: serialisation failure, deadlock */
	DB_CONSTRAINT, /* the data is at fault */
	DB_LOST,       /* the connection has gone: whether a commit was done, only the server knows */
	DB_UNREADY,    /* locked, full, missing, not permitted: nothing was done */
	DB_OTHER
};

/* A value that came from the database or goes there. */
enum db_type {
	DB_NULL,
	DB_INT,  /* s is its decimal text, and so for REAL */
	DB_REAL,
	DB_BOOL, /* "true" or "false" (a server that has none gives DB_INT) */
	DB_TEXT, /* also what has a type of the server's own: s is its text; may be no UTF-8 (SQLite) */
	DB_BLOB
};

struct db_value {
	enum db_type type;
	const char *s; /* NULL for DB_NULL; borrowed until the next row */
	size_t n;
};

/* The tables that are ours, as they stand in SQL: "system_migration_log", "system.migration_log". */
struct db_names {
	const char *ledger, *plan, *checksum, *history, *log;
};

/* What a column's values are, beyond their type; see cell.h. */
enum db_form {
	DB_PLAIN,
	DB_BOOLS,    /* the integers 0 and 1 mean false and true */
	DB_JSON,     /* a text is JSON */
	DB_DECIMAL,  /* a text is a number of any length */
	DB_TIME,     /* a text is a date and a time: 2025-01-01 00:00:00 */
	DB_INSTANT   /* and a zone, which is UTC: 2025-01-01 00:00:00+00 */
};

struct db_column {
	char *name;
	enum db_form form;
	enum db_type type; /* of an array: what its elements are */
	char comma;        /* what parts the elements of an array; NUL: it is none */
	bool keyed;        /* may hold integers or texts, as a key does */
};

/* Rows that are taken one by one. */
struct db_cursor {
	struct db *db;
	struct db_column *column; /* known once the first row was asked for */
	size_t n;
};

struct db;

/* Gets each row; -1 stops, and fails the query. */
typedef int db_row(void *arg, const struct db_value *v, size_t n);

struct db_ops {
	const char *dialect; /* "sqlite", "postgresql" */
	struct db_names names;

	/*
	 * Execute one statement, whose rows, if any, are passed over.  Inside begin and
	 * commit it may not end the transaction: MIG_INVALID "ends_transaction", undone.
	 */
	int (*exec)(struct db *db, struct text sql, struct diag *d);
	/* Execute one statement with n parameters (NULL: none) and call each, if not NULL, for every row. */
	int (*query)(struct db *db, const char *sql, const struct db_value *p, size_t n, db_row *each, void *arg,
	             struct diag *d);
	/*
	 * Execute one of our own statements that gives no rows, inside a transaction and no
	 * later than the next call: which may be the one that tells that it failed.
	 */
	int (*later)(struct db *db, const char *sql, const struct db_value *p, size_t n, struct diag *d);

	/*
	 * Begin to read the rows of one statement, beside other cursors, in a
	 * transaction of begin's: memory holds some of its rows.  Nothing is asked yet.
	 */
	struct db_cursor *(*cursor)(struct db *db, const char *sql);
	/* The next row, valid until this cursor is asked for another: 1, 0 at the end, -1 after a finding. */
	int (*next)(struct db_cursor *c, const struct db_value **row, struct diag *d);
	void (*done)(struct db_cursor *c);

	/*
	 * A transaction.  One that writes takes the database's own write lock where it
	 * has one, waiting as long as lock said, and does not enforce foreign keys
	 * where that can be put off (SQLite): see orphans.  A server may be asked for
	 * it with the statement that follows.  rollback is silent, and does no harm
	 * where there is nothing to roll back.
	 */
	int (*begin)(struct db *db, bool writes, struct diag *d);
	/* Inside of one: what statements have set for themselves is put back as begin has it. */
	int (*resettle)(struct db *db, struct diag *d);
	/* One that writes rows: foreign keys hold at commit, and nobody is waited for longer than lock said. */
	int (*begin_rows)(struct db *db, struct diag *d);
	int (*commit)(struct db *db, struct diag *d);
	void (*rollback)(struct db *db);

	/* Inside a transaction: has nobody else written since our last commit?  false where it does not tell. */
	bool (*untouched)(struct db *db);

	/*
	 * Take the lock of the one run that writes, waiting up to seconds: 0, or
	 * MIG_PRECONDITION "locked" that names who holds it.  holder is one line of
	 * JSON for those who wait.  It dies with the process, or with close.
	 */
	int (*lock)(struct db *db, unsigned seconds, const char *holder, struct diag *d);

	/* Are our tables there: 1, 0 (none of them), or -1 after a finding.  And make what lacks of them. */
	int (*known)(struct db *db, struct diag *d);
	int (*prepare)(struct db *db, struct diag *d);

	/* Append the canonical LIVE object: the server's own spelling of what is there, without ours and its own. */
	int (*live)(struct db *db, struct buf *out, struct diag *d);
	/* Append {"users":1200}: roughly how many rows each table of LIVE has, without counting. */
	int (*estimates)(struct db *db, struct buf *out, struct diag *d);
	/* Do all foreign keys hold that begin put off?  0, or MIG_INVALID "foreign_key" for each that is broken. */
	int (*orphans)(struct db *db, struct diag *d);

	/* What a time (RFC 3339, UTC) is in a column of ours. */
	void (*stamp)(const char *time, char out[32]);
	/* The last failure's meaning. */
	enum db_trouble (*trouble)(const struct db *db);
	/*
	 * A database of the same schema and rows in which a plan can be tried and that
	 * leaves nothing behind when it is closed; one that has no room for a copy
	 * gives itself, inside a transaction that can only be rolled back.  NULL after a finding.
	 */
	struct db *(*scratch)(struct db *db, struct diag *d);
	/* Give up what it does not need; state: the folder of --state, or -1.  See store.h. */
	int (*confine)(struct db *db, int state, struct diag *d);
	void (*close)(struct db *db);
};

struct db {
	const struct db_ops *ops;
	const char *name;    /* for findings: "app.db", or host and database; without a password */
	bool (*stop)(void);  /* asked while a statement runs, if not NULL: true ends it with MIG_ERROR "interrupted" */
};

/* Each kind, given what follows the scheme (SQLite) or all of the URI (PostgreSQL): new, or NULL after a finding. */
struct db *db_sqlite_open(const char *file, enum db_mode mode, struct diag *d);
struct db *db_pg_open(const char *uri, enum db_mode mode, struct diag *d);

/* Free the columns of a cursor; for those who make one. */
void db_columns_free(struct db_column *c, size_t n);

/* Append a name as an identifier: "a""b". */
void db_name(struct buf *out, const char *name);

/* Append a text, which holds no NUL, as a literal: 'it''s'. */
void db_literal(struct buf *out, struct text s);

/*
 * Append a value as JSON that db_value_of reads back as it was: {"hex":"00ff"} for
 * bytes, {"text":"ff"} for a text that is no UTF-8, {"real":"2.0"} for a real
 * that JSON would take for an integer, or not hold.
 */
void db_json(struct buf *out, const struct db_value *v);

/*
 * The value at token t as db_json wrote it; an object that it did not write is
 * NULL.  Its text goes into arena, which must have room for it and a NUL.
 */
struct db_value db_value_of(const struct doc *doc, uint32_t t, struct buf *arena);

/* The first column of the first row of a query as text, appended: 1, 0 if there is none or NULL, -1 after a finding. */
int db_one(struct db *db, const char *sql, const struct db_value *p, size_t n, struct buf *out, struct diag *d);

/* A text as a parameter; NULL gives NULL. */
struct db_value db_text(const char *s);

#endif
