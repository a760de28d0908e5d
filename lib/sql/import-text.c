/* import-text.c -- see import-text.h */
#include "import-text.h"

#include <stdlib.h>

#define NONE "-- mig:transaction=none\n"

enum section { BEFORE, UP, DOWN };

struct parting {
	struct import_text *t;
	enum section at;
	bool none; /* goose: for both parts */
	bool block; /* goose: between StatementBegin and StatementEnd */
	const char *where;
	size_t line;
	struct diag *d;
};

static int refuse(struct parting *p, const char *what)
{
	char *where = xasprintf("%s:%zu", p->where, p->line);
	int rc = diag_add(p->d, MIG_INVALID, "bad_script", where, "%s", what);

	free(where);
	return rc;
}

static int enter(struct parting *p, enum section to, bool none)
{
	if (to == UP && p->at != BEFORE)
		return refuse(p, "a second way up, or one behind the way down");
	if (to == DOWN && p->at != UP)
		return refuse(p, "a second way down, or one before the way up");
	p->at = to;
	p->t->has_down |= to == DOWN;
	if (none)
		buf_addstr(to == UP ? &p->t->up : &p->t->down, NONE);
	return 0;
}

/* Is s, of n bytes, the word, perhaps with more behind it?  *rest is what is behind the blanks. */
static bool says(const char *s, size_t n, const char *word, const char **rest)
{
	size_t k = strlen(word);

	if (n < k || memcmp(s, word, k) != 0 || (n > k && s[k] != ' ' && s[k] != '\t'))
		return false;
	while (k < n && (s[k] == ' ' || s[k] == '\t'))
		k++;
	*rest = s + k;
	return true;
}

/* 1: a directive, done; 0: none; -1: a finding.  s is what a comment says, without blanks around it. */
static int dbmate(struct parting *p, const char *s, size_t n)
{
	const char *rest;
	enum section to = DOWN;
	bool none;

	if (says(s, n, "migrate:up", &rest))
		to = UP;
	else if (!says(s, n, "migrate:down", &rest))
		return 0;
	size_t left = (size_t)(s + n - rest);

	none = left == 17 && memcmp(rest, "transaction:false", 17) == 0;
	if (left && !none && !(left == 16 && memcmp(rest, "transaction:true", 16) == 0))
		return refuse(p, "an option that is not known here");
	return enter(p, to, none) < 0 ? -1 : 1;
}

/* What goose took as one statement may go without its semicolon. */
static void end_block(struct buf *b)
{
	size_t n = b->len;

	while (n && strchr(" \t\r\n", b->s[n - 1]))
		n--;
	if (n && b->s[n - 1] != ';')
		buf_addstr(b, ";\n");
}

static int goose(struct parting *p, const char *s, size_t n)
{
	const char *rest, *none;

	if (!says(s, n, "+goose", &rest))
		return 0;
	n -= (size_t)(rest - s);
	if (says(rest, n, "Up", &none))
		return enter(p, UP, p->none) < 0 ? -1 : 1;
	if (says(rest, n, "Down", &none))
		return enter(p, DOWN, p->none) < 0 ? -1 : 1;
	if (says(rest, n, "NO", &none)) {
		if (p->at != BEFORE)
			return refuse(p, "NO TRANSACTION stands before the way up");
		p->none = true;
		return 1;
	}
	if (says(rest, n, "StatementBegin", &none) && !p->block && p->at != BEFORE) {
		p->block = true;
		return 1;
	}
	if (says(rest, n, "StatementEnd", &none) && p->block) {
		p->block = false;
		end_block(p->at == UP ? &p->t->up : &p->t->down);
		return 1;
	}
	return refuse(p, "a directive that is not known here, or not in its place");
}

/* If the line is a comment, what it says: the text behind the dashes, without blanks around it. */
static bool comment(const char *s, size_t n, const char **text, size_t *len)
{
	const char *end = s + n;

	if (n < 2 || s[0] != '-' || s[1] != '-')
		return false;
	for (s += 2; s < end && (*s == ' ' || *s == '\t'); s++)
		;
	while (end > s && strchr(" \t\r\n", end[-1]))
		end--;
	*text = s;
	*len = (size_t)(end - s);
	return true;
}

static bool is_blank(const char *s, size_t n)
{
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	return n == 0;
}

static int take_line(struct parting *p, enum import_tool tool, const char *s, size_t n)
{
	const char *text;
	size_t len;
	bool remark = comment(s, n, &text, &len);
	int rc = !remark ? 0 : tool == IMPORT_DBMATE ? dbmate(p, text, len) : goose(p, text, len);

	if (rc)
		return rc < 0 ? -1 : 0;
	if (p->at != BEFORE)
		buf_add(p->at == UP ? &p->t->up : &p->t->down, s, n);
	else if (!remark && !is_blank(s, n))
		return refuse(p, "something before the way up");
	return 0;
}

int import_text_read(struct import_text *t, enum import_tool tool, const char *s, size_t n, const char *where,
                     struct diag *d)
{
	struct parting p = { .t = t, .at = BEFORE, .where = where, .d = d };
	const char *end = s + n;

	if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
		s += 3;
	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		const char *next = lf ? lf + 1 : end;

		p.line++;
		if (take_line(&p, tool, s, (size_t)(next - s)) < 0)
			return -1;
		s = next;
	}
	if (p.block)
		return refuse(&p, "a StatementBegin without its end");
	return p.at == BEFORE ? refuse(&p, "no way up in it") : 0;
}
