/*
 * edit.h -- what differs between two canonical documents.
 *
 * Floor 4.  Edits are collected by one walk over both; their paths are those
 * of before.  diff.c makes operations of them.
 *
 *	{"a":1,"b":[1,2]}     members   replace /a  1 by 3,  add /c  4
 *	{"a":3,"b":[2],"c":4} elements  remove /b/0
 */
#ifndef MIG_EDIT_H
#define MIG_EDIT_H

#include "arena.h"
#include "doc.h"
#include "text.h"

enum edit_verb { EDIT_ADD, EDIT_REMOVE, EDIT_REPLACE, EDIT_MOVE };

struct edit {
	enum edit_verb verb; /* EDIT_MOVE only in steps */
	uint32_t old, new;   /* tokens in before and after */
	uint32_t object;     /* members: the number of the object they are in */
	struct text path;    /* ready to stand in a JSON string */
	struct cand *cand;   /* members added or removed, once moves are looked for: see move.h */
};

struct edits {
	struct edit *list;
	uint32_t n, cap;
};

struct diff {
	const struct doc *before, *after;
	struct arena mem;
	struct edits members;  /* also replaced elements: nothing shifts */
	struct edits elements; /* added and removed: each array from its last index to its first, inner arrays first */
	struct cand *cands;    /* in order of occurrence, one without an edit behind the last */
	uint32_t ncands, nobjects, nadded, nremoved;
	struct buf name[2];    /* private: room to compare names with escapes */
};

void edit_init(struct diff *x, const struct doc *before, const struct doc *after); /* borrows both */
void edit_release(struct diff *x);

/* Fill x->members and x->elements. */
void edit_collect(struct diff *x);

/* The bytes that edit_put_ref writes: "/" and one reference token, for a JSON string. */
size_t edit_ref_size(struct text name);

/* name is spelled as in a canonical string, which never escapes "~" or "/". */
void edit_put_ref(char *to, struct text name);

/* A value's text; a string's text without its quotes. */
static inline struct text edit_span(const struct doc *d, uint32_t t)
{
	struct text s;

	s.s = doc_span(d, t, &s.n);
	return s;
}

static inline struct text edit_inside(const struct doc *d, uint32_t t)
{
	struct text s = edit_span(d, t);

	return (struct text){ s.s + 1, s.n - 2 };
}

#endif
