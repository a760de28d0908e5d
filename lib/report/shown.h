/*
 * shown.h -- texts and values of records, fit to be shown.
 *
 * Floor 6.  What comes from here is redacted, one line of harmless UTF-8 (see
 * page.h), bounded, and free of NUL, so that pages and JSON reports use it alike.
 */
#ifndef MIG_SHOWN_H
#define MIG_SHOWN_H

#include "record.h"

/* A text, or a string member of obj: new; NULL for s == NULL, and for a member that is absent or no string. */
char *shown_text(struct text t);
char *shown_member(const struct doc *d, uint32_t obj, const char *name);

/* An integer member of obj, or 0. */
int64_t int_member(const struct doc *d, uint32_t obj, const char *name);

/* Append a value as JSON, cut to so many columns; secret: REDACTED in its place. */
void shown_value(struct buf *out, const struct doc *d, uint32_t t, bool secret, size_t columns);

/*
 * Append one operation of a patch (RFC 6902) as a line without LF; undo is its
 * inverse, which knows the old value, or DOC_NONE.
 *
 *	+ /inputs_hash null
 *	- /legacy {"a":1}
 *	~ /schema_version "1.0.0" -> "1.2.0"
 *	> /old -> /new
 */
void shown_op(struct buf *out, const struct doc *d, uint32_t op, uint32_t undo);

/* Append the sign and path of an operation, the array indexes as stars: "+ /steps/3/id" gives + /steps, star, /id. */
void shown_op_shape(struct buf *out, const struct doc *d, uint32_t op);

#endif
