/*
 * ledger.h -- what was done to a store: an append-only chain of entries.
 *
 * Floor 9.  One canonical JSON line an entry.  "hash" is the SHA-256 of the
 * entry without it, "prev" the hash of the entry before (64 zeros at the
 * start), "seq" counts from 1:
 *
 *	{"actor":"ada","env":"dev","event":"begin","hash":"5c..","kind":"entry","migration_id":"manifest",
 *	 "nonce":"7f..","plan_hash":"e1..","prev":"00..","project":null,"reason":null,"seq":1,"target_version":"1.2.0",
 *	 "tenant":null,"ticket":null,"time":"2026-01-02T03:04:05Z","user":"ada"}
 *
 * Events: begin, commit, undo, rollback (the commit of a rollback plan), conflict,
 * step (one that is done by itself: outside of the plan's transaction, or a batch of rows),
 * verify (a verdict, about a plan or with null for all of it about the ledger),
 * prune (the plans it names can no longer be rolled back).
 */
#ifndef MIG_LEDGER_H
#define MIG_LEDGER_H

#include "permit.h"
#include "plan.h"
#include "relay.h"

#define LEDGER_START "0000000000000000000000000000000000000000000000000000000000000000"

/* What an entry says, beside its place in the chain.  A text with s == NULL is written as null. */
struct entry {
	const char *event;
	struct text actor, env, migration_id, nonce, plan_hash, project, reason, target_version, tenant, ticket, user;
	const char *time;    /* RFC 3339, UTC */
	/* one event only; left out where absent */
	struct text ref;     /* step: its step_id; conflict: the document, */
	const char *kept;    /* and where its displaced bytes are */
	struct text undoes;  /* begin and rollback of a rollback plan: the plan it undoes */
	const char *const *written; /* commit, rollback: a step's new SHA-256, NULL for a skipped one, */
	size_t nwritten;
	int64_t duration_ms;        /* and how long the plan took; 0 where the time was fixed */
	const char *backups;        /* canonical; commit of SQL: [{"hash":H,"name":"81c2..7f.3.ndjson","rows":12}]; */
	                            /* begin, commit, undo of documents: see fs-claims.h */
	const char *code;           /* verify: "ok" or why not, */
	int64_t findings;           /* and how many errors */
	const char *before;         /* prune: what ended before that time was dropped, */
	char *const *plans;         /* these plans, */
	size_t nplans;
	int64_t objects, bytes;     /* and so many originals */
};

/* The entry of a plan's event; borrows all of it. */
void entry_init(struct entry *e, const char *event, const struct plan *p, const struct grant *g, const char *user,
                const char *time);

/* Append the canonical text of entry number seq behind prev; gives its hash. */
void entry_write(struct buf *out, const struct entry *e, int64_t seq, const char *prev, char hash[HEX_SIZE]);

/* The name of the user that runs this process, or his number: new. */
char *ledger_user(void);

/* The fixed time, or the clock's, as RFC 3339 in UTC. */
#define LEDGER_TIME_SIZE 32
void ledger_time(const char *fixed, char out[LEDGER_TIME_SIZE]);

/* Where a plan's entry stands, and what it says.  Verdicts do not count: they change nothing. */
struct ledger_mark {
	char plan_hash[HEX_SIZE];
	char event[16];
	uint64_t offset;
	size_t len;
};

/* A ledger in a file.  One writer at a time: the store's lock sees to that. */
struct ledger {
	int fd;
	int64_t seq;            /* of the last entry, 0 when empty */
	char head[HEX_SIZE];    /* its hash */
	char event[16];         /* its event and plan */
	char plan_hash[HEX_SIZE];
	/* private */
	uint64_t size;          /* bytes of whole entries in the file */
	struct buf pending;     /* entries that are not written yet */
	int64_t written_seq;    /* the chain as it is in the file */
	char written_head[HEX_SIZE];
	bool dead;              /* a sync failed: nothing is known, nothing is written any more */
	struct ledger_mark *mark;
	size_t nmark, markcap;
	bool indexed;
	const struct relay *relay; /* who has the ledger, or NULL: this process */
	struct ledger_mark relayed;
};

#define LEDGER_INIT { .fd = -1 }

/*
 * Go on with the ledger in fd, which l keeps: reads the last line only.  A torn
 * last line is left out with a warning "ledger_torn", and cut off if repair;
 * one that is not a whole entry is MIG_INVALID "ledger_broken".
 */
int ledger_open(struct ledger *l, int fd, bool repair, struct diag *d);
void ledger_release(struct ledger *l);

/*
 * For a process that was forked and asks r from now on: ledger_find and
 * ledger_entry go on with what was there, if a plan was asked for before.
 */
void ledger_detach(struct ledger *l, const struct relay *r);

/* Put an entry behind the others; it reaches the file with the next sync. */
void ledger_append(struct ledger *l, const struct entry *e);

/*
 * Write what was appended and wait for the disk.  0, or -1 after a finding: when
 * the write failed, the file and the chain are as before and *unsure is false;
 * when the sync failed it is true, and the ledger takes nothing more.
 */
int ledger_sync(struct ledger *l, bool exchanged, bool *unsure, struct diag *d);

/*
 * Put the n bytes of entries that another process wrote behind the others: they
 * get their places in the chain here.  0, or -1 after MIG_ERROR "internal".
 */
int ledger_adopt(struct ledger *l, const char *lines, size_t n, struct diag *d);

/*
 * The last mark of a plan, or NULL if it has none (or after a finding: see
 * d->n).  The first call reads the whole file, later ones an index.  What
 * only says something beside, a conflict, a step or a prune, is passed over.
 */
const struct ledger_mark *ledger_last(struct ledger *l, const char *plan_hash, struct diag *d);

/* Was the plan pruned, and not begun since?  1, 0, or -1 after a finding. */
int ledger_pruned(struct ledger *l, const char *plan_hash, struct diag *d);

/* The last mark of a plan with that event, or NULL if there is none (or after a finding). */
const struct ledger_mark *ledger_find(struct ledger *l, const char *plan_hash, const char *event, struct diag *d);

/* An entry of a plan stands at offset, which later questions are to find.  Verdicts are left out. */
void ledger_mark_add(struct ledger *l, struct text plan_hash, struct text event, uint64_t offset, size_t len);

/* Append the entry at mark: 0, or -1 after a finding. */
int ledger_entry(struct ledger *l, const struct ledger_mark *m, struct buf *out, struct diag *d);

/*
 * The plans that were begun, and neither finished nor undone since, the last
 * one first: 0 and *n hashes (new, as is their list), or -1 after a finding.
 */
int ledger_unfinished(struct ledger *l, char ***hash, size_t *n, struct diag *d);

/*
 * Re-compute the chain of the ledger in fd from its start and call each, if not
 * NULL, for every good entry; *seq and head are those of the last one.  0, or -1
 * after MIG_INVALID "ledger_broken" at "entry N", or because each returned -1.
 * A torn last line is a warning "ledger_torn".
 */
int ledger_walk(int fd, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d);

#endif
