/*
 * row-work.h -- rows of a group, read and written in a table: one table of functions a dialect.
 *
 * Floor 10.  Inside a transaction of the caller's.
 */
#ifndef MIG_ROW_WORK_H
#define MIG_ROW_WORK_H

#include "row-group.h"

/* What is to be done with a row. */
enum row_need { ROW_NOTHING, ROW_INSERT, ROW_UPDATE, ROW_DELETE };

struct row_work {
	struct db *db;
	const struct doc *doc;
	struct diag *d;
	struct buf sql, arena, id, json; /* reused */
	uint32_t *value;             /* of the row at hand */
	size_t room;
};

/*
 * One row as it is there.  same[i] tells of field i whether it holds the plan's
 * value, by the column's own idea of equality; actual is the row's columns as a
 * JSON object, or s NULL where all fields are the same or none was asked for.
 */
struct row_seen {
	bool there;
	const bool *same;
	struct text actual;
};

struct row_ops {
	/* Keep others from changing those rows of the group that are there. */
	int (*hold)(struct row_work *w, const struct row_group *g);
	/*
	 * Call each for every row i of the group.  0, or -1 after a finding:
	 * MIG_INVALID "bad_id" for an id that the key's type spells in another way.
	 */
	int (*look)(struct row_work *w, const struct row_group *g, bool actual,
	            int (*each)(void *arg, size_t i, const struct row_seen *seen), void *arg);
	/* Do what need says with each row.  MIG_ERROR "changed" where one to be inserted has come meanwhile. */
	int (*write)(struct row_work *w, const struct row_group *g, const enum row_need *need);
};

extern const struct row_ops row_sqlite, row_postgresql;

/* Those of the database's dialect. */
const struct row_ops *row_ops_of(const struct db *db);

void row_work_release(struct row_work *w);

/* The values of row i, in w->value: 0 or -1. */
int row_work_values(struct row_work *w, const struct row_group *g, size_t i);

/* The fields that have a column, in order: the place of the next one from i on, or nfield. */
size_t row_field_next(const struct row_group *g, size_t i);

/* MIG_INVALID "bad_id": the key spells the id as is. */
int row_bad_id(struct row_work *w, const struct row_group *g, size_t i, struct text is);

#endif
