/*
 * part.h -- half a step: what is asked, done and said on the way there, or back.
 *
 * Floor 7.  Each list is kept as the canonical JSON that goes into the plan.
 */
#ifndef MIG_PART_H
#define MIG_PART_H

#include "record.h"

struct part {
	struct buf actions, pre, post, findings; /* elements with commas between them */
	bool destroys;   /* rows or values, or a guard of them, are lost: the step is a cleanup */
	bool fills;      /* rows without a value get one: the step is about data */
	bool cuts;       /* values become less than they were */
	bool asks;       /* it has preconditions */
	bool keeps;      /* values that do not come back by themselves are kept, where there are such */
	bool over;       /* .. and put back also over later ones */
	bool stuck;      /* values may not come back at all */
};

#define PART_INIT { .destroys = false }

void part_release(struct part *p);

/* Another action: one statement. */
void part_sql(struct part *p, const struct buf *sql);

/* "backup" or "restore" of those columns of a table, whose rows are told apart by key; where may be NULL: all. */
void part_rows(struct part *p, const char *op, const char *table, const char *const *column, size_t ncolumn,
               const char *const *key, size_t nkey, const char *column_name, const char *where);

/* {"op":"record",..}, {"op":"unrecord",..} */
void part_record(struct part *p, const char *checksum, int64_t version, const char *schema);
void part_unrecord(struct part *p, int64_t version);

/* A query that must give 0; examples, which may be empty, shows why it does not. */
void part_ask(struct part *p, const struct buf *sql, const struct buf *examples, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same, afterwards. */
void part_expect(struct part *p, const struct buf *sql, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The database must still be what was planned on. */
void part_schema(struct part *p, const char *hash);

/* A lint finding; rows < 0: nobody knows how many. */
void part_find(struct part *p, const char *rule, const char *severity, int64_t rows, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
