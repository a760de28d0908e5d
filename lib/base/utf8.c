/* utf8.c -- see utf8.h */
#include "utf8.h"

#include <string.h>

size_t utf8_length(const char *s, const char *end)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned low = 0x80, high = 0xBF;

	if (s == end || u[0] < 0x80)
		return s < end;
	size_t n = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;

	if (u[0] < 0xC2 || u[0] > 0xF4 || (size_t)(end - s) < n)
		return 0;
	switch (u[0]) {
	case 0xE0: low = 0xA0; break; /* overlong */
	case 0xED: high = 0x9F; break; /* surrogates */
	case 0xF0: low = 0x90; break; /* overlong */
	case 0xF4: high = 0x8F; break; /* beyond U+10FFFF */
	}
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

/* Most texts are ASCII for long stretches. */
static const char *behind_ascii(const char *s, const char *end)
{
	uint64_t w;

	while (end - s >= 8) {
		memcpy(&w, s, 8);
		if (w & 0x8080808080808080)
			break;
		s += 8;
	}
	while (s < end && (unsigned char)*s < 0x80)
		s++;
	return s;
}

bool utf8_valid(const char *s, size_t n)
{
	if (n == 0) /* s may be NULL */
		return true;
	const char *end = s + n;

	for (size_t k; (s = behind_ascii(s, end)) < end; s += k)
		if (!(k = utf8_length(s, end)))
			return false;
	return true;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)(lead[n] | c);
	return n;
}

int utf8_compare(const char *a, size_t na, const char *b, size_t nb)
{
	size_t n = na < nb ? na : nb, i = 0;

	while (i + 8 <= n && memcmp(a + i, b + i, 8) == 0)
		i += 8;
	while (i < n && a[i] == b[i])
		i++;
	if (i < n)
		return utf8_rank((unsigned char)a[i]) - utf8_rank((unsigned char)b[i]);
	return (na > nb) - (na < nb);
}
