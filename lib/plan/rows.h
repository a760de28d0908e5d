/*
 * rows.h -- the steps of a plan of rows: batches that put or delete.
 *
 * Floor 7.  mig-stream(5) describes them.
 *
 *	"actions":[{"name":"batch-00001","op":"backup_rows"},
 *	           {"data":{..},"entity":"posts","id":"3","links":{..},"op":"put"},..]
 *	"postconditions":[{"check":"rows","count":1,"digest":H,"entity":"posts"}]
 */
#ifndef MIG_ROWS_H
#define MIG_ROWS_H

#include "balance.h"
#include "invariants.h"

/* What one step, or one rollback entry, says.  Tokens are in the plan's doc; texts are borrowed from it. */
struct row_batch {
	bool any;            /* it is a step of a plan of rows */
	bool deletes;        /* its actions delete; else they put */
	uint32_t first;      /* the first put or delete; DOC_NONE in a rollback entry */
	uint32_t n;          /* how many */
	int64_t number;      /* of the batch: batch-00001 is 1 */
	struct text backup;  /* the name under which what was there is kept; s NULL: it is not */
	uint32_t checks;     /* what holds once the step is done: [{"check":"rows",..}] */
};

/* header.rows: what the plans of a stream hold together. */
struct row_totals {
	uint32_t balance;    /* [{"count","digest","entity"}] over what is put */
	int64_t batch, deletes, duplicates, links, outside, puts;
	uint32_t invariants; /* see invariants.h; DOC_NONE: there are none */
};

/*
 * Read the actions and conditions of a forward step whose ref is ref, such as
 * batch-00001:put.  0, or -1 after a finding of MIG_INVALID at where that begins
 * with what: "malformed_op" for an action that lacks its entity, id or op or has
 * another shape; "bad_plan" for the rest.  known: counts and digests are believed.
 */
int rows_read_step(struct row_batch *b, const struct doc *d, struct text ref, uint32_t actions, uint32_t pre,
                   uint32_t post, bool known, const char *what, const char *where, struct diag *diag);

/* The same of a rollback entry. */
int rows_read_entry(struct row_batch *b, const struct doc *d, struct text ref, uint32_t actions, uint32_t pre,
                    uint32_t post, const char *what, const char *where, struct diag *diag);

/* Is u the inverse of the step s? */
bool rows_inverse(const struct doc *d, const struct row_batch *s, const struct row_batch *u);

int rows_read_totals(struct row_totals *t, const struct doc *d, uint32_t rows, const char *where, struct diag *diag);

/* Are these links: {"author":{"entity":"users","ids":["7"],"outside":true?}}? */
bool row_links_fit(const struct doc *d, uint32_t links);

/* One put or delete: its texts, decoded into arena where they are escaped; links DOC_NONE where it deletes. */
struct row_action {
	struct text entity, id;
	uint32_t data, links;
};
struct row_action row_action_at(const struct doc *d, uint32_t t, struct buf *arena);

#endif
