/*
 * doc.h -- a JSON text and a flat, read-only index over it.
 *
 * Floor 3.  The only JSON reader.  One strict pass (RFC 8259, I-JSON's RFC 7493
 * limits, and mig-stream(5)'s number rules) fills an array of tokens whose
 * offsets point into the text; nothing is copied or allocated per value.
 *
 *   {"b":[1,"x"]}      tok 0 object  next 6 n 1
 *                          1 string  "b"            the key
 *                          2 array   next 6 n 2     its value
 *                          3 number  1   next 4
 *                          4 string  "x" next 5
 */
#ifndef MIG_DOC_H
#define MIG_DOC_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

enum doc_type { DOC_NULL, DOC_FALSE, DOC_TRUE, DOC_NUMBER, DOC_STRING, DOC_ARRAY, DOC_OBJECT };

enum {
	DOC_NONE = 0,         /* "no such token": the root, 0, is nobody's child */
	DOC_MAX_DEPTH = 512,  /* of a document: arrays and objects around a value */
	RECORD_MAX_DEPTH = 640
};

struct tok {
	uint32_t off;  /* first byte of the value: a string's quote, an object's brace */
	uint32_t len;  /* bytes, quotes and braces included */
	uint32_t next; /* the token after this value and all that is inside it */
	uint32_t n;    /* members or elements; private for others */
	uint8_t type;  /* enum doc_type */
	uint8_t flags; /* enum doc_flag */
	uint16_t pad;
};

enum doc_flag {
	DOC_ESCAPED = 1,  /* a string with at least one backslash */
	DOC_UNSORTED = 2, /* an object whose members are not in canonical order */
	DOC_INTEGER = 4,  /* a number without fraction and exponent */
	DOC_SPELLED = 8   /* a string or number spelled as canonical JSON spells it; clear: not sure */
};

struct doc_error {
	size_t line, column; /* from 1; columns count bytes */
	size_t offset;       /* from 0 */
	char reason[96];     /* "duplicate member \"a\"": lower case, no full stop */
};

struct doc {
	const char *text; /* borrowed */
	size_t len;       /* of the value with the white space around it */
	struct tok *tok;
	uint32_t ntok;
	bool canonical;   /* true: the text is canonical JSON to the byte; false: not sure */
	struct doc_error err;
	/* private */
	uint32_t cap;
	uint32_t *perm; /* the keys of unsorted and of large objects in canonical order */
	uint32_t nperm, permcap;
	struct doc_key *sort; /* room to sort them in */
	uint32_t sortcap;
	uint32_t open; /* the innermost array or object around the error */
	bool within;   /* the error is in the element or member that is next in it */
};

#define DOC_INIT { .text = NULL }

void doc_release(struct doc *d);

/*
 * Index the one JSON value in text, which must be followed by BUF_PAD zero
 * bytes and is borrowed as long as d is used.  d is reused from call to call:
 * its arrays only grow.  0, or -1 with d->err set.  Refused: anything that
 * RFC 8259 forbids, duplicate members (also by escape), invalid UTF-8, a BOM,
 * lone surrogates, integers that neither fit a signed 64-bit integer nor are
 * spelled exactly as ECMAScript prints that double, reals that overflow,
 * nesting deeper than max_depth, texts of 4 GiB and more.
 */
int doc_parse(struct doc *d, const char *text, size_t len, unsigned max_depth);

/*
 * The same without a look into the array of n bytes at offset off, which was
 * indexed before: it becomes one token that spans it and seems to be empty.
 */
int doc_parse_around(struct doc *d, const char *text, size_t len, unsigned max_depth, size_t off, size_t n);

/*
 * The same for the first value of several separated by white space; *used is
 * set to the bytes up to its end.  White space before it does not make
 * d->canonical false.  1: a value; 0: only white space is left; -1: d->err.
 */
int doc_parse_next(struct doc *d, const char *text, size_t len, unsigned max_depth, size_t *used);

/* Append the RFC 6901 pointer of the innermost value around d->err, cut with ".." past 200 bytes. */
void doc_error_pointer(const struct doc *d, struct buf *out);

/* The bytes of a value as they stand in the text; *n is their number.  Borrowed. */
static inline const char *doc_span(const struct doc *d, uint32_t t, size_t *n)
{
	*n = d->tok[t].len;
	return d->text + d->tok[t].off;
}

/* Append the characters of a string token (UTF-8, escapes resolved; may hold NUL). */
void doc_string(const struct doc *d, uint32_t t, struct buf *out);

/* Private to doc_equals: the same of a string with escapes. */
bool doc_equals_escaped(const struct doc *d, uint32_t t, const char *s, size_t n);

/* Is t a string of exactly these n characters? */
static inline bool doc_equals(const struct doc *d, uint32_t t, const char *s, size_t n)
{
	const struct tok *k = &d->tok[t];

	if (k->type != DOC_STRING)
		return false;
	if (k->flags & DOC_ESCAPED)
		return doc_equals_escaped(d, t, s, n);
	return k->len == n + 2 && (n == 0 || memcmp(d->text + k->off + 1, s, n) == 0);
}

/* The value of obj's member that is named by n characters, or DOC_NONE (also if obj is no object). */
uint32_t doc_member(const struct doc *d, uint32_t obj, const char *key, size_t n);

/* Is obj's member of that name a string of just these characters? */
static inline bool doc_says(const struct doc *d, uint32_t obj, const char *name, const char *value)
{
	uint32_t t = doc_member(d, obj, name, strlen(name));

	return t != DOC_NONE && doc_equals(d, t, value, strlen(value));
}

/* A walk over an object's members in canonical order; a member's value is the token after its key. */
struct doc_walk {
	const struct doc *d;
	uint32_t left, key;    /* members still to come; the next key when sorted */
	const uint32_t *order; /* the keys when unsorted, else NULL */
};

/* for (doc_walk_init(&w, d, obj); (key = doc_walk_next(&w));) value = key + 1; */
void doc_walk_init(struct doc_walk *w, const struct doc *d, uint32_t obj);
uint32_t doc_walk_next(struct doc_walk *w); /* DOC_NONE at the end */

/* Compare two runs of UTF-8 as sequences of UTF-16 code units (RFC 8785 section 3.2.3): <0, 0, >0. */
int doc_compare_keys(const char *a, size_t na, const char *b, size_t nb);

/* A number token as a double, and as an integer where it is an integer literal that fits: true and *v. */
double doc_double(const struct doc *d, uint32_t t);
bool doc_int(const struct doc *d, uint32_t t, int64_t *v);

/*
 * Index the value t of d by itself in to, which is reused like doc_parse's d and
 * borrows d's text: what doc_parse of its span gives, in a fraction of the time.
 */
void doc_part(struct doc *to, const struct doc *d, uint32_t t);

/* Private to doc.c and doc-index.c. */
enum { DOC_FEW = 32 }; /* members that are looked through one by one */

/*
 * Keep the order of an object's keys in d->perm; its place, plus 1, is the
 * first key's n.  {"b":1,"a":2}: perm 3 1.  Returns the first key that was
 * there before, or DOC_NONE.
 */
uint32_t doc_order(struct doc *d, uint32_t obj);
bool doc_keys_ascend(const struct doc *d, uint32_t a, uint32_t b); /* in canonical order */
/* The array p, which has room for *cap, with room for n things of size. */
void *doc_room(void *p, uint32_t *cap, uint64_t n, size_t size);

#endif
