/*
 * store.h -- where documents live: one table of functions a kind of store.
 *
 * Floor 10.  A folder or a database; a filter knows no other difference between stores.
 */
#ifndef MIG_STORE_H
#define MIG_STORE_H

#include "ledger.h"
#include "outcome.h"
#include "relay.h"
#include "restores.h"

enum store_mode { STORE_READ, STORE_WRITE };

/* What becomes of plans that a killed run has begun: named, to be applied again; or undone. */
enum store_recovery { STORE_REDO, STORE_UNDO };

/* Who and why, for the ledger; times are RFC 3339 in UTC. */
struct apply_ctx {
	const struct grant *grant;
	const char *now;       /* fixed time (--now, SOURCE_DATE_EPOCH), or NULL: the clock */
	enum store_recovery recovery;
	/* a plan of a rollback over several runs: */
	const struct restores *restores; /* what the stream restores, or NULL */
	uint32_t place;                  /* the plan's place in it */
	bool ahead;                      /* judge as if the plans before it were done */
	/* plans of rows: */
	unsigned retries;    /* of a batch, after a failure that may pass */
	int64_t batch_delay; /* ms from one batch to the next */
};

/* What a prune drops. */
struct store_pruned {
	char **plan;           /* their hashes, ascending */
	size_t n;
	int64_t objects, bytes; /* originals that no other plan needs */
	bool prod;             /* one of the plans is of env prod */
	int64_t seq;           /* of the ledger's entry; -1: none was written */
	char head[HEX_SIZE];
};

/*
 * A document as it stands in the store.  Borrowed until the next one.  What
 * matches but cannot be read as one has bytes NULL and a code: "symlink",
 * "not_regular", "unreadable", "too_large".
 */
struct store_doc {
	struct text ref;
	const struct buf *bytes;   /* followed by BUF_PAD zero bytes; never NULL inside, even if empty */
	char raw[HEX_SIZE];        /* SHA-256 of the bytes, or of none where they cannot be read */
	uint64_t size;             /* how many bytes that hash is over */
	const char *code, *reason; /* NULL where there are bytes */
};

struct db;
struct store;
struct uses;

struct store_ops {
	/*
	 * Call each for every document whose ref matches one of the globs
	 * (NULL-ended; "**" crosses folders, "*" and "?" do not), in byte order of
	 * refs.  Memory does not grow with their number.  A folder that cannot be
	 * read is MIG_PRECONDITION "unreadable".  Stops when each returns -1.
	 */
	int (*scan)(struct store *s, char *const *globs,
	            int (*each)(void *arg, const struct store_doc *doc),
	            void *arg, struct diag *d);
	/* Call each with the ref of every link that leads nowhere, in byte order, and what is written in it. */
	int (*orphans)(struct store *s, int (*each)(void *arg, struct text ref, struct text target), void *arg,
	               struct diag *d);
	/* One document by ref: 0, or -1 after a finding (MIG_PRECONDITION "missing", MIG_INVALID "bad_ref"). */
	int (*read)(struct store *s, struct text ref, struct store_doc *doc, struct diag *d);
	/* A stored plan by hash, appended to out: 0, or MIG_PRECONDITION "missing_plan". */
	int (*plan)(struct store *s, const char *plan_hash, struct buf *out, struct diag *d);
	/* The bytes a raw hash stands for, from the store's objects: 1, 0 if it has none, -1. */
	int (*object)(struct store *s, struct text raw, struct buf *out, struct diag *d);
	/*
	 * Re-compute the ledger's chain and call each, if not NULL, for every entry,
	 * oldest first; *seq and head are those of the last one (0 and zeros where
	 * there is none).  MIG_INVALID "ledger_broken" where the chain breaks.
	 */
	int (*ledger)(struct store *s, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
	              char head[HEX_SIZE], struct diag *d);
	/* The last ledger entry of a plan, appended to out: 1, 0 if there is none, -1.  Does not check the chain. */
	int (*last)(struct store *s, const char *plan_hash, struct buf *out, struct diag *d);
	/*
	 * Take the one writer's lock, waiting up to seconds, and open the ledger: 0,
	 * or MIG_PRECONDITION "locked" with its holder, "not_writable", .., MIG_INVALID "ledger_broken".
	 */
	int (*lock)(struct store *s, unsigned seconds, const struct apply_ctx *c, struct diag *d);
	/*
	 * Repair what a killed run left behind (holding the lock); to be called once,
	 * before the first plan.  MIG_INVALID "conflict" for a file that may be
	 * somebody's: it is kept, and the next run goes on.  Plans that were begun
	 * and not ended are warnings "unfinished", or undone and "undone", as c
	 * says; one that cannot be undone is a finding, and is left as it is.
	 */
	int (*recover)(struct store *s, const struct apply_ctx *c, struct diag *d);
	/*
	 * Call each for the keys whose signatures this store wants on a permit, as
	 * PEM text under a name for messages: 1, 0 if it wants none, -1 after a finding.
	 */
	int (*trust)(struct store *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
	             struct diag *d);
	/* Has any of these grants been used up (see spent.h)?  Holding the lock.  0, or MIG_UNSAFE "spent_permit". */
	int (*spent)(struct store *s, const struct uses *u, struct diag *d);
	/*
	 * Do exactly what the plan says, or nothing.  o comes from outcome_init and
	 * is filled whatever happens.  A grant with dry_run needs no lock and writes nothing.
	 */
	int (*apply)(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
	             struct diag *d);
	/* Step (1) of apply alone: would it do the plan?  Writes nothing; o as for apply. */
	int (*check)(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
	             struct diag *d);
	/* Append an entry to the ledger (holding the lock), its user filled in, and wait for the disk. */
	int (*note)(struct store *s, const struct entry *e, struct diag *d);
	/*
	 * In a process that was forked to apply plans: go on through its parent,
	 * which holds the lock, the ledger and the sync, and answers what is asked.
	 * r is borrowed.
	 */
	int (*detach)(struct store *s, const struct relay *r, struct diag *d);
	int (*answer)(struct store *s, enum relay_ask what, bool exchanged, const char *text, size_t n,
	              struct relay_answer *a, struct diag *d);
	/*
	 * Find the plans that were applied, rolled back or undone before a time, and
	 * the originals that no other plan needs.  Then ask allow: 0 drops them,
	 * holding the lock, behind an entry in the ledger; 1 leaves them, -1 fails.
	 */
	int (*prune)(struct store *s, const char *before, const struct apply_ctx *c,
	             int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg,
	             struct store_pruned *p, struct diag *d);
	/*
	 * What is there of the rows that step st of a plan of rows names: each, in any
	 * order, gets the index of the action and the canonical JSON
	 * {"data":{..},"links":{..}} of the members and labels that the action names as
	 * they are there (the plan's spelling where a value is equal by the column's
	 * type), or s NULL where the row is not there.  NULL as an op: it has no rows.
	 */
	int (*look)(struct store *s, const struct plan *p, const struct step *st,
	            int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d);
	/*
	 * Is all that a rollback plan of rows undoes as it was before?  0, or
	 * MIG_INVALID "not_restored".  NULL as an op: it cannot tell.
	 */
	int (*restored)(struct store *s, const struct plan *p, struct diag *d);
	/* The database that it is, borrowed; NULL as an op: it is none. */
	struct db *(*database)(struct store *s);
	/*
	 * Give up for good whatever this process does not need for the store, as it
	 * was opened; to be called once, when all else is open.  0, or -1 after a finding.
	 */
	int (*confine)(struct store *s, struct diag *d);
	void (*close)(struct store *s);
};

void store_pruned_release(struct store_pruned *p);

struct store {
	const struct store_ops *ops;
};

/* How a store is to be opened. */
struct store_how {
	enum store_mode mode;
	bool create;       /* a SQLite file that lacks: make it, or read it as if it were there and empty */
	/*
	 * --state: where the backups of a database go; NULL: FILE.mig for SQLite, else
	 * nowhere.  Of an InstantDB app all that is ours; required.
	 */
	const char *state;
	/* of an InstantDB app; NULL, and a timeout that is not over 0: what is usual */
	const char *api, *token_file, *ca;
	int64_t timeout;   /* seconds for an answer */
};

/* Open the store that uri names: NULL after MIG_USAGE "bad_store" or MIG_PRECONDITION "store_missing". */
struct store *store_open_as(const char *uri, const struct store_how *how, struct diag *d);
struct store *store_open(const char *uri, enum store_mode mode, struct diag *d);

/* Close it; s may be NULL. */
void store_close(struct store *s);

/*
 * Stop at the next document: what the plan at work has done is undone, and it
 * fails with MIG_ERROR "interrupted".
 */
void store_interrupt(void);
bool store_interrupted(void);

/* From now on SIGHUP, SIGINT and SIGTERM do that and no longer end the process; to be called before the first write. */
void store_catch_signals(void);

/* Each kind of store: its constructor, given what follows the scheme. */
struct store *store_fs_open(const char *dir, enum store_mode mode, struct diag *d);
struct store *store_sqlite_open(const char *file, const struct store_how *how, struct diag *d);
/* This one is given the whole URI: it is libpq's. */
struct store *store_pg_open(const char *uri, const struct store_how *how, struct diag *d);
struct store *store_instant_open(const char *app, const struct store_how *how, struct diag *d);

#endif
