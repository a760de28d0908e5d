/*
 * page.h -- a short text for people, as plain text or HTML.
 *
 * Floor 3.  Lines under headings.  What is put on a page is made harmless:
 * secrets redacted; control, bidirectional and invisible characters shown as
 * \uXXXX; lines cut to PAGE_COLUMNS.
 *
 *	PLAN manifest to 1.2.0 in dev            page_heading(p, ..)
 *	  set    manifest 35d6ad23..             page_line(p, 0, ..)
 *	      + /inputs_hash null                page_line(p, 2, ..)
 */
#ifndef MIG_PAGE_H
#define MIG_PAGE_H

#include "buf.h"

#include <stdbool.h>

enum { PAGE_COLUMNS = 100, PAGE_LINES = 48 };

struct page {
	struct buf text; /* the lines, each ended by LF; a heading begins with no blank, a blank line parts sections */
	size_t nline;
};

#define PAGE_INIT { .text = BUF_INIT }

void page_release(struct page *p);
void page_clear(struct page *p);

/* A heading, with a blank line before it unless it is the first. */
void page_heading(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line under it, 2 columns in for each level and 2 more. */
void page_line(struct page *p, unsigned level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same, for n bytes. */
void page_put(struct page *p, unsigned level, const char *s, size_t n);

/*
 * Words parted by blanks, on as many lines as they need behind a label; glue
 * (" \\" for a command, or "") ends each line but the last.
 */
void page_words(struct page *p, const char *label, const char *words, const char *glue);

/* A text of n bytes in full behind a label: its own line ends kept, longer lines broken at blanks, nothing cut. */
void page_block(struct page *p, unsigned level, const char *label, const char *s, size_t n);

/* A message on as many lines as it needs, three at most. */
void page_wrap(struct page *p, unsigned level, const char *s);

void page_blank(struct page *p);

/* Append the lines of another page, without a blank line between. */
void page_append(struct page *p, const struct page *more);

/* Append a text's first characters that fit in so many columns, made harmless; "..." where it was cut. */
void page_clean(struct buf *out, const char *s, size_t n, size_t columns);

/* Append the page: as text, headings in bold or not; as a whole HTML document. */
void page_text(struct buf *out, const struct page *p, bool bold);
void page_html(struct buf *out, const struct page *p, const char *title);

#endif
