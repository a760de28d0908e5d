/* page.c -- see page.h */
#include "page.h"

#include "base.h"
#include "redact.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void page_release(struct page *p)
{
	buf_release(&p->text);
	p->nline = 0;
}

void page_clear(struct page *p)
{
	buf_reset(&p->text);
	p->nline = 0;
}

static uint32_t decode(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c = n == 1 ? u[0] : u[0] & (0xFFu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3Fu);
	return c;
}

/* Would the character move the cursor, turn the direction of writing, or not be seen? */
static bool is_tricky(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
	       (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
	       c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

/* How a character is shown, and in how many columns: those that may be wide count as two. */
static size_t show(const char *s, const char *end, char out[16], size_t *columns, size_t *used)
{
	size_t n = utf8_length(s, end);
	uint32_t c = n ? decode(s, n) : (unsigned char)*s;

	*used = n ? n : 1;
	if (!n || is_tricky(c)) {
		*columns = (size_t)snprintf(out, 16, !n ? "\\x%02x" : c > 0xFFFF ? "\\u{%x}" : "\\u%04x", (unsigned)c);
		return *columns;
	}
	memcpy(out, s, n);
	*columns = c < 0x1100 ? 1 : 2;
	return n;
}

void page_clean(struct buf *out, const char *s, size_t n, size_t columns)
{
	const char *end = s + n;
	size_t col = 0, fits = out->len; /* fits: where to cut if it becomes too long */
	char shown[16];

	while (s < end) {
		size_t wide, used, len = show(s, end, shown, &wide, &used);

		if (col + wide > columns) {
			buf_setlen(out, fits);
			buf_addstr(out, "...");
			return;
		}
		buf_add(out, shown, len);
		col += wide;
		if (col + 3 <= columns)
			fits = out->len;
		s += used;
	}
}

void page_put(struct page *p, unsigned level, const char *s, size_t n)
{
	struct buf b = BUF_INIT;
	unsigned indent = 2 + 2 * level;

	redact_text(&b, s, n);
	buf_addf(&p->text, "%*s", (int)indent, "");
	if (b.len)
		page_clean(&p->text, b.s, b.len, PAGE_COLUMNS - indent);
	buf_addch(&p->text, '\n');
	p->nline++;
	buf_release(&b);
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	return s;
}

void page_line(struct page *p, unsigned level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = format(fmt, ap);

	va_end(ap);
	page_put(p, level, s, strlen(s));
	free(s);
}

void page_blank(struct page *p)
{
	buf_addch(&p->text, '\n');
	p->nline++;
}

void page_heading(struct page *p, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	char *s = format(fmt, ap);

	va_end(ap);
	if (p->nline)
		page_blank(p);
	redact_text(&b, s, strlen(s));
	page_clean(&p->text, b.s, b.len, PAGE_COLUMNS);
	buf_addch(&p->text, '\n');
	p->nline++;
	buf_release(&b);
	free(s);
}

void page_words(struct page *p, const char *label, const char *words, const char *glue)
{
	int indent = (int)strlen(label);
	size_t width = PAGE_COLUMNS - 2 - strlen(label), n;

	for (const char *s = words; *s; s += n + strspn(s + n, " ")) {
		n = strlen(s);
		if (n > width) { /* a single word that is longer is cut like any line */
			const char *blank = memrchr(s, ' ', width - strlen(glue) + 1);

			blank = blank ? blank : strchr(s, ' ');
			n = blank ? (size_t)(blank - s) : n;
		}
		page_line(p, 0, "%*s%.*s%s", indent, s == words ? label : "", (int)n, s, s[n] ? glue : "");
	}
}

/* The bytes of s up to end that fill one line of so many columns: to its own end, a blank, or the edge. */
static size_t one_line(const char *s, const char *end, size_t columns, size_t *next)
{
	size_t n = 0, col = 0, blank = 0, wide, used;
	char shown[16];

	for (; s + n < end && s[n] != '\n'; n += used) {
		show(s + n, end, shown, &wide, &used);
		if (s[n] == '\t')
			wide = 1;
		if (col + wide > columns) {
			*next = blank ? blank + 1 : n;
			return blank ? blank : n;
		}
		if (s[n] == ' ')
			blank = n;
		col += wide;
	}
	*next = n + (s + n < end);
	return n;
}

void page_block(struct page *p, unsigned level, const char *label, const char *s, size_t n)
{
	struct buf b = BUF_INIT, line = BUF_INIT;
	size_t width = strlen(label), columns = PAGE_COLUMNS - 2 - 2 * level - width, next;

	buf_reserve(&b, 0);
	redact_text(&b, s, n);
	for (const char *at = b.s, *end = b.s + b.len; at < end; at += next) {
		buf_reset(&line);
		buf_addf(&line, "%*s", (int)width, at == b.s ? label : "");
		buf_add(&line, at, one_line(at, end, columns, &next));
		for (size_t i = width; i < line.len; i++)
			if (line.s[i] == '\t')
				line.s[i] = ' ';
		page_put(p, level, line.s, line.len);
	}
	buf_release(&b);
	buf_release(&line);
}

void page_wrap(struct page *p, unsigned level, const char *s)
{
	char label[16];
	struct buf b = BUF_INIT;

	snprintf(label, sizeof label, "%*s", (int)(2 * level), "");
	/* lines end at blanks, a little early */
	page_clean(&b, s, strlen(s), 3 * (PAGE_COLUMNS - 2 * level - 12));
	page_words(p, label, b.s ? b.s : "", "");
	buf_release(&b);
}

void page_append(struct page *p, const struct page *more)
{
	if (more->text.len)
		buf_add(&p->text, more->text.s, more->text.len);
	p->nline += more->nline;
}

/* The next line of the page from *s on, without LF: false at the end. */
static bool next_line(const char **s, const char **line, size_t *n)
{
	const char *lf = *s ? strchr(*s, '\n') : NULL;

	if (!lf)
		return false;
	*line = *s;
	*n = (size_t)(lf - *s);
	*s = lf + 1;
	return true;
}

static bool is_heading(const char *line, size_t n)
{
	return n > 0 && line[0] != ' ';
}

void page_text(struct buf *out, const struct page *p, bool bold)
{
	const char *s = p->text.s, *line;
	size_t n;

	while (next_line(&s, &line, &n)) {
		bool strong = bold && is_heading(line, n);

		buf_addstr(out, strong ? "\033[1m" : "");
		buf_add(out, line, n);
		buf_addstr(out, strong ? "\033[0m\n" : "\n");
	}
}

static void escape(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (s[i]) {
		case '&': buf_addstr(out, "&amp;"); break;
		case '<': buf_addstr(out, "&lt;"); break;
		case '>': buf_addstr(out, "&gt;"); break;
		case '"': buf_addstr(out, "&quot;"); break;
		case '\'': buf_addstr(out, "&#39;"); break;
		default: buf_addch(out, s[i]);
		}
}

void page_html(struct buf *out, const struct page *p, const char *title)
{
	const char *s = p->text.s, *line, *tag = "h1";
	bool pre = false;
	size_t n;

	buf_addstr(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	escape(out, title, strlen(title));
	buf_addstr(out, "</title>\n<style>body{font-family:sans-serif;margin:2em;max-width:60em}"
	                "pre{background:#f4f4f4;padding:.6em;overflow-x:auto}</style>\n</head>\n<body>\n");
	while (next_line(&s, &line, &n)) {
		if (pre && (n == 0 || is_heading(line, n))) {
			buf_addstr(out, "</pre>\n");
			pre = false;
		}
		if (n == 0)
			continue;
		if (is_heading(line, n)) {
			buf_addf(out, "<%s>", tag);
			escape(out, line, n);
			buf_addf(out, "</%s>\n", tag);
			tag = "h2";
			continue;
		}
		if (!pre)
			buf_addstr(out, "<pre>\n");
		pre = true;
		escape(out, line + 2, n - 2);
		buf_addch(out, '\n');
	}
	buf_addstr(out, pre ? "</pre>\n</body>\n</html>\n" : "</body>\n</html>\n");
}
