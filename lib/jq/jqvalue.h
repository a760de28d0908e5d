/*
 * jqvalue.h -- a document as libjq's value, and the way back.
 *
 * Floor 5.  Private to jqrun.c.  libjq's value of a document stays alive while
 * the program runs, so that whatever the program did not touch is recognised by
 * its address and written as the text it was read from.
 */
#ifndef MIG_JQVALUE_H
#define MIG_JQVALUE_H

#include "doc.h"

#include <jv.h>

/* What libjq got for a token of the document. */
struct jqtok {
	jv val;        /* borrowed from the root */
	const char *s; /* of a string: its characters in libjq's heap */
	uint32_t n;    /* how many; of an array or object: its elements or members */
	uint32_t next; /* the token behind it, as in struct tok */
};

struct jqvalue {
	const struct doc *in;
	uint32_t top;   /* the token that the value was made from */
	jv root;        /* owned; invalid where there is none */
	/* private */
	struct jqtok *tok, *was; /* by token, of this document and the one before */
	size_t ntok, nwas;
	bool mould;     /* the last root can become the next one */
	struct jqname *names; /* member names remembered from document to document */
	struct buf text;      /* scratch: characters of an escaped string */
	struct rounded *rounded;
	size_t nrounded, roundedcap;
	bool rounded_known;
	struct jqmember *member; /* a stack, one run per object being written */
	size_t nmember, membercap;
	struct jqstep *step;     /* the way down to the value being written */
	struct buf *out, *reason;
};

/* The same thing in libjq's heap, or the same number with the same mark; an array may be a slice. */
static inline bool jqvalue_same(jv a, jv b)
{
	return a.u.ptr == b.u.ptr && a.kind_flags == b.kind_flags && a.offset == b.offset && a.size == b.size;
}

void jqvalue_init(struct jqvalue *x);
void jqvalue_release(struct jqvalue *x);

/*
 * Make libjq's value of in's token t in x->root; in is borrowed until the next
 * read.  Nobody may hold a part of the last root any more: it is made over.
 */
void jqvalue_read(struct jqvalue *x, const struct doc *in, uint32_t t);

/* Drop the root, after a run that may not have let go of its parts. */
void jqvalue_forget(struct jqvalue *x);

/*
 * Append v (borrowed), a result of a program that was given x->root, as canonical
 * JSON.  NULL, or the code of a reject of jqrun_value, with the reason appended to reason.
 */
const char *jqvalue_write(struct jqvalue *x, jv v, struct buf *out, struct buf *reason);

#endif
