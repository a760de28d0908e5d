/*
 * report-history.h -- entries of a ledger: what was done, by whom, and why.
 *
 * Floor 8.  Keeps the newest rows; memory does not grow with the ledger.
 */
#ifndef MIG_REPORT_HISTORY_H
#define MIG_REPORT_HISTORY_H

#include "counts.h"
#include "header.h"

/* An entry, fit to be shown; texts are NULL where not given. */
struct history_row {
	char *time, *event, *env, *migration, *target, *tenant, *project, *actor, *user, *ticket, *reason;
	char *plan_hash, *undoes, *ref, *kept, *code, *nonce;
	char *from, *to;      /* of the document that was asked for */
	char *before;         /* of a prune, with the number of plans and of originals that went */
	int64_t seq, documents, duration_ms, findings, plans, objects;
	bool undone;          /* its plan was rolled back by a later entry */
};

enum { HISTORY_ROWS = 24, HISTORY_HELD = 64, HISTORY_CAUSES = 6 };

struct history_view {
	uint64_t entries;               /* that came; 0: there is nothing to show */
	uint64_t nrow;                  /* rows made so far; the last are kept, row i at i % HISTORY_ROWS */
	struct history_row row[HISTORY_ROWS];
	struct history_row held[HISTORY_HELD]; /* begins whose end has not come */
	size_t nheld;
	struct counts events;
	char *ref, *from, *to;          /* of the step record in front of the next entry */
	struct buf lines;               /* finished rows for scripts, a line each; the caller resets it */
};

void history_row_read(struct history_row *w, const struct record *r);
void history_row_release(struct history_row *w);

/* "manifest to 1.2.0 in dev (acme/site)" appended. */
void history_row_name(const struct history_row *w, struct buf *out);

/* " --env dev --tenant acme" appended, quoted for a shell. */
void history_row_flags(const struct history_row *w, struct buf *out);

void history_view_init(struct history_view *v);
void history_view_release(struct history_view *v);

/* Take in an entry, or a step, which speaks of the entry behind it.  A begin is shown if its end does not come. */
void history_view_add(struct history_view *v, const struct record *r);

/* To be called after the last. */
void history_view_finish(struct history_view *v);
void history_view_page(const struct history_view *v, struct page *p);
void history_view_json(const struct history_view *v, struct buf *out);

#endif
