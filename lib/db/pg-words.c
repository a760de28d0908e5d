/* pg-words.c -- see pg-words.h */
#include "pg-words.h"

#include <ctype.h>
#include <strings.h>

/* Behind the comment that begins at s. */
static const char *end_comment(const char *s)
{
	int depth = 0;

	do {
		if (strncmp(s, "/*", 2) == 0) {
			depth++;
			s += 2;
		} else if (strncmp(s, "*/", 2) == 0) {
			depth--;
			s += 2;
		} else {
			s++;
		}
	} while (*s && depth > 0);
	return s;
}

static const char *skip(const char *s, const char *white)
{
	for (;;) {
		s += strspn(s, white);
		if (strncmp(s, "--", 2) == 0)
			s += strcspn(s, "\r\n");
		else if (strncmp(s, "/*", 2) == 0)
			s = end_comment(s);
		else
			return s;
	}
}

const char *pg_word(const char *s)
{
	return skip(s, " \t\n\r\f\v;");
}

static bool is_part(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

bool pg_take(const char **s, const char *keyword)
{
	size_t n = strlen(keyword);

	if (strncasecmp(*s, keyword, n) != 0 || is_part((*s)[n]))
		return false;
	*s = skip(*s + n, " \t\n\r\f\v");
	return true;
}

bool pg_take_name(const char **s, struct buf *out)
{
	const char *p = *s;

	if (*p == '"') {
		for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
			p += *p == '"';
			buf_addch(out, *p);
		}
		if (*p++ != '"')
			return false;
	} else {
		for (; is_part(*p); p++)
			buf_addch(out, *p >= 'A' && *p <= 'Z' ? (char)(*p | 32) : *p);
		if (p == *s)
			return false;
	}
	*s = skip(p, " \t\n\r\f\v");
	return true;
}
