/* semver.c -- see semver.h */
#include "semver.h"

#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char word[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

/* The length of a number without leading zeros, or 0. */
static size_t number(const char *s)
{
	size_t n = strspn(s, digits);

	return n > 1 && *s == '0' ? 0 : n;
}

/* Dot-separated identifiers up to one of stop; numeric ones without leading zeros where strict.  Their length, or 0. */
static size_t identifiers(const char *s, bool strict)
{
	const char *p = s;

	for (;;) {
		size_t n = strspn(p, word);

		if (n == 0 || (strict && strspn(p, digits) == n && number(p) != n))
			return 0;
		p += n;
		if (*p != '.')
			return (size_t)(p - s);
		p++;
	}
}

bool semver_valid(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = number(s);

		if (n == 0 || n > 18 || (i < 2 && s[n] != '.'))
			return false;
		s += i < 2 ? n + 1 : n;
	}
	if (*s == '-') {
		size_t n = identifiers(s + 1, true);

		if (n == 0)
			return false;
		s += n + 1;
	}
	if (*s == '+') {
		size_t n = identifiers(s + 1, false);

		if (n == 0)
			return false;
		s += n + 1;
	}
	return *s == '\0';
}

/* Compare two runs of digits without leading zeros. */
static int compare_numbers(const char *a, size_t na, const char *b, size_t nb)
{
	if (na != nb)
		return na < nb ? -1 : 1;
	return memcmp(a, b, na);
}

static int compare_identifiers(const char *a, size_t na, const char *b, size_t nb)
{
	bool da = strspn(a, digits) >= na, db = strspn(b, digits) >= nb;

	if (da && db)
		return compare_numbers(a, na, b, nb);
	if (da != db)
		return da ? -1 : 1; /* numbers come before words */
	int c = memcmp(a, b, na < nb ? na : nb);

	return c ? c : (na > nb) - (na < nb);
}

int semver_compare(const char *a, const char *b)
{
	for (int i = 0; i < 3; i++) {
		size_t na = strspn(a, digits), nb = strspn(b, digits);
		int c = compare_numbers(a, na, b, nb);

		if (c)
			return c;
		a += i < 2 ? na + 1 : na;
		b += i < 2 ? nb + 1 : nb;
	}
	if (*a != '-' || *b != '-') /* a release comes after its pre-releases */
		return (*a != '-') - (*b != '-');
	for (;;) {
		size_t na = strspn(++a, word), nb = strspn(++b, word);
		int c = compare_identifiers(a, na, b, nb);

		if (c)
			return c;
		a += na;
		b += nb;
		if (*a != '.' || *b != '.')
			return (*a == '.') - (*b == '.');
	}
}
