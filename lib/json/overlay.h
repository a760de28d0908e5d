/*
 * overlay.h -- a document with values taken out and put in, and its text.
 *
 * Floor 4.  The source is not copied: a value is a token until something in it
 * changes; then it is opened and becomes a box of slots.  Writing goes over
 * the boxes once and copies the source's bytes between the changes.
 *
 *	{"a":1, "b":[2,3]}  with /b/1 replaced by 4
 *	root box    slot "a": the token of 1
 *	            slot "b": a box   slot: the token of 2
 *	                              slot: a token of the patch, 4
 *
 * Everything lives in the overlay's arena until overlay_release.
 */
#ifndef MIG_OVERLAY_H
#define MIG_OVERLAY_H

#include "arena.h"
#include "doc.h"
#include "text.h"

struct value {
	const struct doc *d; /* the text it stands in: the source, or a patch */
	uint32_t t;
	struct box *box;     /* NULL: as it stands there */
};

/* A member or an element of a box. */
struct slot {
	struct value v;
	struct text name; /* a member's characters */
	uint32_t home;    /* the value's token in the box's own text, or DOC_NONE: put in later */
	bool gone;        /* a member taken out */
	bool renamed;     /* its name in the text is no longer its name */
};

struct box {
	const struct doc *d; /* what was opened */
	uint32_t t;
	bool object;
	uint32_t n;          /* members or elements now */
	struct slot *kids;   /* those of the text, in its order */
	uint32_t nkids;
	struct slot **list;  /* object: members put in; array: all elements, with a gap in between */
	uint32_t nlist, cap, gap;
	struct slot **map;   /* a large object's members by name */
	uint32_t mask, nmap;
};

struct overlay {
	const struct doc *src;
	struct value root;
	struct arena mem;
	struct buf room;
	uint32_t copied;           /* slots made by overlay_copy */
	const struct style *style; /* the source's own, in mem, once asked for */
};

void overlay_init(struct overlay *o, const struct doc *src); /* borrows src until overlay_release */
void overlay_release(struct overlay *o);

/* The characters of string token t: in the document's text if it has no escapes, else in the arena. */
struct text overlay_string(struct overlay *o, const struct doc *d, uint32_t t);

/* Open a value; NULL if it is no array or object. */
struct box *overlay_open(struct overlay *o, struct value *v);

/* The member of that name, or NULL. */
struct slot *box_member(struct overlay *o, struct box *b, struct text name);

/*
 * Put a member in or replace it; keeps name's text.  One that was taken out comes back to its
 * place, a new one goes to its sorted place if the text's members are sorted, else to the end.
 */
void box_put(struct overlay *o, struct box *b, struct text name, struct value v);
void box_drop(struct box *b, struct slot *member);

/*
 * Give a member another name where it stands; keeps name's text.  False, and nothing is done, if
 * its place is not free to choose: the members are sorted, or there is or was one of that name.
 */
bool box_rename(struct overlay *o, struct box *b, struct slot *member, struct text name);

/* Elements, 0 <= i < b->n; an insertion may be at b->n. */
struct slot *box_element(const struct box *b, uint32_t i);
void box_insert(struct overlay *o, struct box *b, uint32_t i, struct value v);
void box_remove(struct box *b, uint32_t i);

/* A second value equal to *v in *to: 0, or -1 if it is too large or too deep. */
int overlay_copy(struct overlay *o, const struct value *v, struct value *to);

/* Append the text of v, or of the whole document: 0, or -1 if it is too deep or too long, part of it in out. */
int overlay_write_value(struct overlay *o, const struct value *v, struct buf *out);
int overlay_write(struct overlay *o, struct buf *out);

#endif
