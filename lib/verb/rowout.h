/*
 * rowout.h -- rows as records of a stream: each a document or a reject, by reference.
 *
 * Floor 8.  Rows that come in the order of their references are put; all others
 * are kept, in a temporary file if there are many, and sorted.
 */
#ifndef MIG_ROWOUT_H
#define MIG_ROWOUT_H

#include "sorted.h"
#include "stream.h"

struct row {
	struct text entity, ref;
	const char *hash;         /* of the body */
	struct text body;         /* canonical */
	const char *code, *reason; /* why it is a reject; NULL: it is a document */
};

struct rowout {
	struct out *out;
	const char *after; /* what is not behind this reference is left out; or NULL */
	/* private */
	struct tally tally;
	struct sorted kept;
	struct text ref, value; /* the next of them */
	bool waiting;
	struct buf last, record;
};

/* Opens the temporary file, ahead of any sandbox.  To be released in any case. */
int rowout_init(struct rowout *o, struct out *out, const char *after, struct diag *d);
void rowout_release(struct rowout *o);

/* Append a row's reference: entity/id, with a slash in the entity's name as %2F. */
void rowout_ref(struct buf *b, struct text entity, struct text id);

/*
 * Write a row: 0, or -1 after MIG_INVALID "duplicate_row", if its reference is that
 * of the row before, or MIG_ERROR "internal", if it is not behind it.
 */
int rowout_put(struct rowout *o, const struct row *r, struct diag *d);

/* Keep rows for later, then, once, sort them. */
int rowout_keep(struct rowout *o, const struct row *r, struct diag *d);
int rowout_sort(struct rowout *o, struct diag *d);

/* Put the kept rows that come next and whose references begin like this. */
int rowout_put_kept(struct rowout *o, const char *prefix, struct diag *d);

int rowout_end(struct rowout *o);

/* What the rows are a picture of; texts may be NULL. */
struct snapshot {
	const char *after, *app, *env, *query_hash, *source, *tenant;
	struct text descriptor; /* canonical, or empty */
};

/*
 * {"app":A,"descriptor":{..},"env":E,"kind":"snapshot","query_hash":H,"source":"domain","sum":S,"tenant":T}
 * When the rows were read is in the audit: the same rows give the same bytes.
 */
int rowout_snapshot(struct rowout *o, const struct snapshot *s);

#endif
