/* lex.c -- see lex.h */
#include "lex.h"

#include <strings.h>

void lex_init(struct lex *l, const char *s, size_t n, enum dialect dialect)
{
	*l = (struct lex){ .s = s, .n = n, .dialect = dialect, .next_line = 1 };
}

bool lex_is(const struct lex *l, const char *keyword)
{
	return l->kind == LEX_WORD && l->len == strlen(keyword) && strncasecmp(l->s + l->at, keyword, l->len) == 0;
}

/* The byte at i, or 0 behind the last. */
static unsigned char byte(const struct lex *l, size_t i)
{
	return i < l->n ? (unsigned char)l->s[i] : 0;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_inner(unsigned char c)
{
	return is_start(c) || is_digit(c) || c == '$';
}

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static enum lex_kind bad(struct lex *l, const char *what)
{
	l->what = what;
	l->next = l->n;
	return LEX_BAD;
}

/* From the quote at i to the one that closes it; a doubled one, or one behind a backslash, does not. */
static enum lex_kind quoted(struct lex *l, size_t i, unsigned char close, bool escapes, enum lex_kind kind)
{
	for (i++; i < l->n; i++) {
		unsigned char c = byte(l, i);

		if (escapes && c == '\\') {
			i++;
		} else if (c == close && close != ']' && byte(l, i + 1) == close) {
			i++;
		} else if (c == close) {
			l->next = i + 1;
			return kind;
		}
	}
	return bad(l, kind == LEX_STRING ? "a string" : "a name in quotes");
}

static size_t line_end(const struct lex *l, size_t i)
{
	while (i < l->n && l->s[i] != '\n' && !(l->s[i] == '\r' && l->dialect == DIALECT_POSTGRESQL))
		i++;
	return i;
}

/*
 * Behind the quote that ended a PostgreSQL string: where it goes on, or 0.  It
 * does when only space with a line end, and comments, part it from another
 * quote; the second part then has the first one's rules.
 *
 *	E'it\'s '
 *	  'one string\''
 */
static size_t continued(const struct lex *l, size_t i)
{
	bool newline = false;

	for (;;) {
		unsigned char c = byte(l, i);

		if (c == '\n' || c == '\r')
			newline = true;
		if (c == '-' && byte(l, i + 1) == '-')
			i = line_end(l, i);
		else if (is_space(c))
			i++;
		else
			return c == '\'' && newline ? i : 0;
	}
}

static enum lex_kind escape_string(struct lex *l, size_t i)
{
	enum lex_kind kind;

	do
		kind = quoted(l, i, '\'', true, LEX_STRING);
	while (kind == LEX_STRING && (i = continued(l, l->next)));
	return kind;
}

/* $tag$ .. $tag$, or where none begins at i the $ alone. */
static enum lex_kind dollar(struct lex *l, size_t i)
{
	size_t tag = i + 1;

	if (is_start(byte(l, tag)))
		while (is_inner(byte(l, tag)) && byte(l, tag) != '$')
			tag++;
	if (byte(l, tag) != '$') {
		l->next = i + 1;
		return LEX_OTHER;
	}
	size_t n = tag + 1 - i;
	const char *end = memmem(l->s + tag + 1, l->n - tag - 1, l->s + i, n);

	if (!end)
		return bad(l, "a dollar-quoted string");
	l->next = (size_t)(end - l->s) + n;
	return LEX_STRING;
}

static enum lex_kind block_comment(struct lex *l, size_t i)
{
	int depth = 1;

	for (i += 2; i + 1 < l->n; i++) {
		if (l->s[i] == '*' && l->s[i + 1] == '/') {
			i++;
			if (--depth == 0) {
				l->next = i + 1;
				return LEX_COMMENT;
			}
		} else if (l->dialect == DIALECT_POSTGRESQL && l->s[i] == '/' && l->s[i + 1] == '*') {
			depth++;
			i++;
		}
	}
	return bad(l, "a comment");
}

static enum lex_kind word(struct lex *l, size_t i)
{
	unsigned char c = byte(l, i);

	if (l->dialect == DIALECT_POSTGRESQL && (c == 'e' || c == 'E') && byte(l, i + 1) == '\'')
		return escape_string(l, i + 1);
	while (is_inner(byte(l, i)))
		i++;
	l->next = i;
	return LEX_WORD;
}

static enum lex_kind number(struct lex *l, size_t i)
{
	while (is_digit(byte(l, i)) || is_start(byte(l, i)))
		i++;
	l->next = i;
	return LEX_NUMBER;
}

static enum lex_kind scan(struct lex *l, size_t i)
{
	bool sqlite = l->dialect == DIALECT_SQLITE;
	unsigned char c = byte(l, i), d = byte(l, i + 1);

	if (is_space(c)) {
		while (is_space(byte(l, l->next)))
			l->next++;
		return LEX_SPACE;
	}
	if (c == '-' && d == '-') {
		l->next = line_end(l, i);
		return LEX_COMMENT;
	}
	if (c == '/' && d == '*')
		return block_comment(l, i);
	if (c == '\'')
		return quoted(l, i, c, false, LEX_STRING);
	if (c == '"' || (sqlite && c == '`'))
		return quoted(l, i, c, false, LEX_NAME);
	if (sqlite && c == '[')
		return quoted(l, i, ']', false, LEX_NAME);
	if (!sqlite && c == '$')
		return dollar(l, i);
	if (is_start(c) || c == '$')
		return word(l, i);
	if (is_digit(c))
		return number(l, i);
	l->next = i + 1;
	return c == ';' ? LEX_SEMI : c == '(' ? LEX_OPEN : c == ')' ? LEX_CLOSE : LEX_OTHER;
}

enum lex_kind lex_next(struct lex *l)
{
	l->at = l->next;
	l->line = l->next_line;
	l->kind = l->at < l->n ? scan(l, l->at) : LEX_END;
	l->len = l->next - l->at;
	for (const char *p = l->s + l->at; l->len && (p = memchr(p, '\n', (size_t)(l->s + l->next - p))); p++)
		l->next_line++;
	return l->kind;
}
