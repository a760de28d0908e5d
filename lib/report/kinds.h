/*
 * kinds.h -- the kinds of change in a stream, each with its count and an example.
 *
 * Floor 7.  Changes are of one kind when their type, versions and the shape of
 * their patches agree: the same operations at the same paths, whatever the
 * array indexes, their number and the values.
 *
 *	100 x schema 1.0.0 -> 1.2.0, the same in each
 *	  e.g. artifacts/a/manifest.json
 *	    + /inputs_hash null
 *	    ~ /schema_version "1.0.0" -> "1.2.0"
 */
#ifndef MIG_KINDS_H
#define MIG_KINDS_H

#include "counts.h"
#include "page.h"
#include "record.h"

struct kinds {
	struct counts c;
	struct buf key, shape, example; /* private */
	struct buf *part;
	size_t partcap;
};

/* What one change is; tokens are in doc. */
struct change {
	const struct doc *doc;
	struct text ref, type, from, to;
	uint32_t patch, undo; /* arrays; undo may be DOC_NONE */
	uint32_t after;       /* of a row, whose patch is empty: its hash; else DOC_NONE */
};

void kinds_init(struct kinds *k);
void kinds_release(struct kinds *k);
void kinds_add(struct kinds *k, const struct change *c);

/* The most frequent first.  Nothing may be added after it. */
void kinds_sort(struct kinds *k);

/* Put the sorted kinds on a page in at most room lines (at least 8): as many as fit with examples, then without. */
void kinds_page(const struct kinds *k, struct page *p, size_t room);

/* Append them as a JSON array of {count, example {lines, ref}, from, same, shape, to, type}, at most 200. */
void kinds_json(const struct kinds *k, struct buf *out);

#endif
