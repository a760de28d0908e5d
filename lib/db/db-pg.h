/*
 * db-pg.h -- what is between the parts of PostgreSQL's table of functions.
 *
 * Floor 7.
 */
#ifndef MIG_DB_PG_H
#define MIG_DB_PG_H

#include "db.h"
#include "db-pg-lib.h"

enum { PG_KEPT = 8, PG_TAG = 32 };

struct pg {
	struct db base;
	PGconn *conn;
	enum db_mode mode;
	enum db_trouble trouble;
	bool inside;        /* a transaction of begin's, */
	bool writing;       /* which writes */
	bool ours;          /* our tables are there: they are never dropped again */
	bool preparing;     /* they are, if this transaction commits */
	char *holder;       /* of the lock, when it is held; NULL: it is not */
	unsigned patience;  /* seconds that lock was to wait */
	unsigned cursors;   /* how many there were */
	unsigned depth;     /* a scratch database: how many savepoints it has made */
	struct buf queued;  /* statements that go with the next one, each ended by ; */
	struct pg_kept {
		char *sql;
		bool ready;     /* the server has it */
	} kept[PG_KEPT];    /* of ours that come again */
	unsigned generation;
	char tag[PG_TAG];   /* of the last statement: "CREATE TABLE" */
};

/* What every transaction, and the session, begins with: the same text from any server for the same thing. */
#define PG_SETTINGS(set)                                                                                          \
	set "search_path=public;" set "datestyle='ISO, YMD';" set "intervalstyle=postgres;" set "timezone='UTC';" \
	set "extra_float_digits=1;" set "bytea_output=hex;" set "lc_monetary='C';" set "xmloption=content;"        \
	set "standard_conforming_strings=on;" set "quote_all_identifiers=off;" set "row_security=off;"             \
	set "client_min_messages=warning;" set "jit=off;"

/* pg_type.dat of the server's sources. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_OID = 26,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_NUMERIC = 1700,
	OID_JSONB = 3802
};

/* What the values of a server's type are. */
enum db_type pg_type(Oid oid);

/* One row; bytes are kept here, as they come in hex. */
struct pg_row {
	struct db_value *v;
	int n;
	struct buf bytes;
};

/* Take a line of a result, which has r->n columns. */
void pg_row_take(struct pg_row *r, const PGresult *res, int line);

/* The next result of what was sent, asking now and then whether to go on; NULL: that was all. */
PGresult *pg_result(struct pg *p);

/* Statements of our own, one behind the other, after those that are queued; rows go to each, if not NULL. */
int pg_plain(struct pg *p, const char *sql, db_row *each, void *arg, struct diag *d);
/* One statement after those that are queued; with parameters it is one of our own. */
int pg_query(struct pg *p, const char *sql, const struct db_value *v, size_t n, db_row *each, void *arg,
             struct diag *d);
/* Queue a statement of our own that gives no rows: see later of struct db_ops. */
int pg_later(struct pg *p, const char *sql, const struct db_value *v, size_t n, struct diag *d);
/* Append the name under which the server has a statement of ours: false where it has not, but may have later. */
bool pg_kept(struct pg *p, const char *sql, struct buf *out);
/* Queue that the server is to prepare what was asked for; before a transaction. */
void pg_keep(struct pg *p);
/* A statement of somebody else's was executed, and this is its tag. */
void pg_ran(struct pg *p, const char *tag);
void pg_forget(struct pg *p);
void pg_kept_release(struct pg *p);

/* Send what is queued by itself. */
int pg_flush(struct pg *p, struct diag *d);

/*
 * Add the finding for a failed result, or, r NULL, for the connection: sets
 * p->trouble and returns -1.  sql, if not NULL, is the text that positions count in.
 */
int pg_failed(struct pg *p, const PGresult *r, const char *sql, struct diag *d);

/*
 * One statement outside of a transaction.  An index that is built concurrently:
 * an invalid one of that name is dropped first, and dropped again where it
 * fails; one that is there already, and the same, is what was wanted.
 */
int pg_index(struct pg *p, const char *sql, struct diag *d);

/* See db.h. */
int pg_exec(struct db *db, struct text sql, struct diag *d);
int pg_live(struct db *db, struct buf *out, struct diag *d);
int pg_estimates(struct db *db, struct buf *out, struct diag *d);
struct db_cursor *pg_cursor(struct db *db, const char *sql);
int pg_next(struct db_cursor *c, const struct db_value **row, struct diag *d);
void pg_done(struct db_cursor *c);
int pg_lock(struct db *db, unsigned seconds, const char *holder, struct diag *d);
struct db *pg_scratch(struct db *db, struct diag *d);

#endif
