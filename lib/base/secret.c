/* secret.c -- see secret.h */
#include "secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const secrets[] = { "token", "password", "secret", "authorization", "privatekey" };

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool secret_name(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		const char *name = secrets[i];
		size_t k = strlen(name), m = n;

		for (; m && k; m--) {
			if (s[m - 1] == '_' || s[m - 1] == '-')
				continue;
			if (tolower((unsigned char)s[m - 1]) != name[k - 1])
				break;
			k--;
		}
		if (k == 0)
			return true;
	}
	return false;
}

/* Behind the quote, escaped or not, that may stand at i. */
static size_t skip_quote(const char *s, size_t n, size_t i)
{
	if (i + 1 < n && s[i] == '\\' && (s[i + 1] == '"' || s[i + 1] == '\''))
		return i + 2;
	return i < n && (s[i] == '"' || s[i] == '\'') ? i + 1 : i;
}

static size_t skip_blanks(const char *s, size_t n, size_t i)
{
	while (i < n && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i;
}

/* Where the value of a name that ends at i begins: behind = or :, blanks and a quote.  0: it has none. */
static size_t value_at(const char *s, size_t n, size_t i)
{
	i = skip_blanks(s, n, skip_quote(s, n, i));
	if (i == n || (s[i] != '=' && s[i] != ':') || (s[i] == ':' && i + 1 < n && s[i + 1] == '/'))
		return 0;
	return skip_quote(s, n, skip_blanks(s, n, i + 1));
}

/* Where the value that begins at i ends: at its quote, or at the end of the word. */
static size_t value_end(const char *s, size_t n, size_t i)
{
	char quote = s[i - 1] == '"' || s[i - 1] == '\'' ? s[i - 1] : '\0';

	if (quote) {
		bool escaped = i > 1 && s[i - 2] == '\\';

		while (i < n && !(s[i] == quote && (s[i - 1] == '\\') == escaped))
			i++;
		return escaped && i < n ? i - 1 : i;
	}
	if (n - i >= sizeof REDACTED - 1 && memcmp(s + i, REDACTED, sizeof REDACTED - 1) == 0)
		return i + sizeof REDACTED - 1;
	while (i < n && !strchr(" \t\n&;,\"')}]", s[i]))
		i++;
	return i;
}

/* "Bearer x", "Basic x": the word that follows is the secret, too. */
static size_t credentials_end(const char *s, size_t n, size_t from, size_t to)
{
	size_t len = to - from;

	if (to < n && s[to] == ' ' &&
	    ((len == 6 && strncasecmp(s + from, "bearer", 6) == 0) ||
	     (len == 5 && strncasecmp(s + from, "basic", 5) == 0)))
		return value_end(s, n, to + 1);
	return to;
}

/* How far an authority goes that ends at one of stop; *at: its last @, or 0. */
static size_t authority_end(const char *s, size_t n, size_t i, const char *stop, size_t *at)
{
	for (*at = 0; i < n && !strchr(stop, s[i]); i++)
		if (s[i] == '@')
			*at = i;
	return i;
}

/*
 * The span of the password in the URI whose :// is at i: false if there is none.
 * A password that should have been escaped and was not ("p/w", "p'w") is one, too.
 */
static bool uri_password(const char *s, size_t n, size_t i, size_t *from, size_t *to)
{
	size_t end = authority_end(s, n, i += 3, "/?# \t\n\"'<>", to);
	const char *colon = memchr(s + i, ':', end - i);

	if (!colon)
		return false;
	*from = (size_t)(colon - s) + 1;
	if (!*to && strspn(colon + 1, "0123456789") < end - *from) /* else it is a port */
		authority_end(s, n, end, " \t\n<>", to);
	return *to > *from;
}

/* The value of the name that begins at *i, if that is a secret's; *i moves behind the name. */
static bool named_value(const char *s, size_t n, size_t *i, size_t *from, size_t *to)
{
	size_t word = *i;

	while (*i < n && is_word(s[*i]))
		++*i;
	if (!secret_name(s + word, *i - word) || !(*from = value_at(s, n, *i)))
		return false;
	*to = credentials_end(s, n, *from, value_end(s, n, *from));
	return *to > *from;
}

/* Does kind let a name at i be looked at? */
static bool names_count(const char *s, size_t i, enum secret_kind kind)
{
	return kind == SECRET_ANY || memmem(s, i, "://", 3);
}

bool secret_next(const char *s, size_t n, enum secret_kind kind, size_t *i, size_t *from, size_t *to)
{
	while (*i < n) {
		bool found = false;

		if (is_word(s[*i]) && names_count(s, *i, kind)) {
			found = named_value(s, n, i, from, to);
		} else if (n - *i > 3 && memcmp(s + *i, "://", 3) == 0) {
			found = uri_password(s, n, *i, from, to);
			*i += 3;
		} else {
			++*i;
		}
		if (found) {
			*i = *to;
			return true;
		}
	}
	return false;
}
