/*
 * style.h -- how a JSON text is laid out: its white space, and the style that this shows.
 *
 * Floor 4.  Pure.  "lead" is the white space before a member, an element or a
 * closing bracket; "line" is a lead's last line break with what follows it.
 */
#ifndef MIG_STYLE_H
#define MIG_STYLE_H

#include "doc.h"
#include "text.h"

/* How to lay out a value that has no text of its own in the source. */
struct style {
	bool lines;         /* a line for each member or element */
	struct text nl;     /* LF or CRLF */
	struct text indent; /* of the line that the value begins in */
	struct text unit;   /* of indentation */
	struct text colon;  /* with the white space around it */
	struct text comma;  /* the white space after one, if not lines */
};

/* The text as a whole: the first container that shows something decides.  Its texts are borrowed from d. */
struct style style_of(const struct doc *d);

/* Does it add no white space? */
bool style_is_bare(const struct style *s);

static inline struct text style_between(const char *from, const char *to)
{
	return (struct text){ from, (size_t)(to - from) };
}

/* The text of token t, and where it ends. */
static inline struct text style_span(const struct doc *d, uint32_t t)
{
	struct text s;

	s.s = doc_span(d, t, &s.n);
	return s;
}

static inline const char *style_end(const struct doc *d, uint32_t t)
{
	return d->text + d->tok[t].off + d->tok[t].len;
}

/* Where a member or element begins, given its value's token. */
static inline const char *style_start(const struct doc *d, uint32_t parent, uint32_t value)
{
	return d->text + d->tok[d->tok[parent].type == DOC_OBJECT ? value - 1 : value].off;
}

static inline bool style_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The white space before p, where some other byte of the value stands before it; and that at p. */
static inline struct text style_space_before(const char *p)
{
	const char *s = p;

	while (style_is_space(s[-1]))
		s--;
	return style_between(s, p);
}

static inline struct text style_space_behind(const char *p)
{
	const char *s = p;

	while (style_is_space(*s))
		s++;
	return style_between(p, s);
}

/* The white space before a member or element, given its value's token. */
static inline struct text style_lead(const struct doc *d, uint32_t parent, uint32_t value)
{
	return style_space_before(style_start(d, parent, value));
}

/* The value of the first member or element of one that is not empty; of the second, where there are two. */
uint32_t style_first(const struct doc *d, uint32_t parent);
uint32_t style_second(const struct doc *d, uint32_t parent);

/* The white space before the closing bracket. */
struct text style_close_lead(const struct doc *d, uint32_t parent);

/* The colon of an object's first member, without the line breaks around it. */
struct text style_colon(const struct doc *d, uint32_t object);

/* The line of a lead; n is 0 where it has none.  Then of a line: its line break, and its indentation. */
struct text style_line(struct text lead);
struct text style_break(struct text line);
struct text style_indent(struct text line);

/* What members are indented by, measured against the closing line; false if it does not show. */
bool style_unit(const struct doc *d, uint32_t t, struct text *unit);

#endif
