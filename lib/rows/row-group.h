/*
 * row-group.h -- the rows of one batch that name the same columns of one table.
 *
 * Floor 9.  A batch of any rows becomes a few groups, so that each is written by
 * one statement, however many rows it has.
 */
#ifndef MIG_ROW_GROUP_H
#define MIG_ROW_GROUP_H

#include "row-table.h"
#include "rows.h"

/* A member of data, or the one id under a label of links. */
struct row_field {
	const struct row_column *column; /* NULL: only a repetition of the id */
	struct text name;                /* of the member or label; borrowed from the plan, */
	char *owned;                     /* or from here where it is escaped there */
	bool link;
};

struct row_group {
	const struct row_table *table;
	struct row_field *field; /* in canonical order: those of data, then those of links */
	size_t nfield;
	uint32_t *action;        /* the rows: tokens of actions in the plan's doc */
	size_t *place;           /* and which of the batch's actions each is, from 0 */
	size_t n, cap;
	struct text entity;      /* borrowed from the table */
};

struct row_groups {
	const struct doc *doc;
	struct row_group *v;
	size_t n;
};

#define ROW_GROUPS_INIT { .v = NULL }

/*
 * Group the rows of a batch, in their order within each group: 0, or -1 after
 * what row_tables_find adds, or MIG_INVALID at the row: "unknown_member" for what
 * the table has no column for, "generated_column", "key_mismatch" where data
 * gives the row another key than its id, "link_many" for several ids in one column.
 */
int row_groups_make(struct row_groups *g, struct row_tables *t, struct db *db, const struct doc *doc,
                    const struct row_batch *b, struct diag *d);
void row_groups_release(struct row_groups *g);

/* The values of a row, a token for each field of its group; 0 or -1 as above. */
int row_group_values(const struct row_group *g, const struct doc *doc, uint32_t action, uint32_t *value,
                     struct diag *d);

#endif
