/*
 * report-rows.h -- what plans of rows put and delete, for the reviewer's page.
 *
 * Floor 8.
 *
 *	put 450 rows, batches: 3
 *	  225 x posts
 *	    e.g. p0 {"title":"T0"}
 *	         author -> users 077a92eb-e57c-56d0-8418-8a6929ae92e8
 */
#ifndef MIG_REPORT_ROWS_H
#define MIG_REPORT_ROWS_H

#include "counts.h"
#include "page.h"
#include "rows.h"

struct rows_view {
	bool any;
	struct row_totals totals;          /* of the first plan: all say the same, */
	struct buf invariants;             /* and this: "MESSAGE LF WHAT LF" of each */
	uint64_t put_batches, delete_batches;
	struct counts puts, deletes;       /* by entity; examples: "p0 {..}" LF "author -> users 7" */
	struct buf arena, text;            /* private */
};

void rows_view_init(struct rows_view *v);
void rows_view_release(struct rows_view *v);

/* Take note of what a plan says of all. */
void rows_view_begin(struct rows_view *v, const struct doc *d, const struct row_totals *t);

/* Take note of a step. */
void rows_view_add(struct rows_view *v, const struct doc *d, const struct row_batch *b);

/* The lines of a page, at most room (at least 8), the entities with the most rows first. */
void rows_view_page(struct rows_view *v, struct page *p, size_t room);

/* Append as a JSON object. */
void rows_view_json(struct rows_view *v, struct buf *out);

#endif
