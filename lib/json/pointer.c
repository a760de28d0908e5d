/* pointer.c -- see pointer.h */
#include "pointer.h"

#include "utf8.h"

#include <stdint.h>

bool pointer_valid(const char *s, size_t n)
{
	if (n > 0 && s[0] != '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '~' && (i + 1 == n || (s[i + 1] != '0' && s[i + 1] != '1')))
			return false;
	return utf8_valid(s, n);
}

bool pointer_index(const char *s, size_t n, size_t *i)
{
	size_t v = 0;

	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t k = 0; k < n; k++) {
		if (s[k] < '0' || s[k] > '9' || v > (SIZE_MAX - 9) / 10)
			return false;
		v = v * 10 + (size_t)(s[k] - '0');
	}
	*i = v;
	return true;
}

void pointer_next(const char **s, size_t *n, struct buf *name)
{
	const char *p = *s + 1, *end = *s + *n;

	for (; p < end && *p != '/'; p++) {
		if (*p == '~' && p + 1 < end)
			buf_addch(name, *++p == '0' ? '~' : '/');
		else
			buf_addch(name, *p);
	}
	*s = p;
	*n = (size_t)(end - p);
}

static uint32_t element(const struct doc *d, uint32_t array, const char *s, size_t n)
{
	uint32_t e = array + 1;
	size_t i;

	if (!pointer_index(s, n, &i) || i >= d->tok[array].n)
		return DOC_NONE;
	for (; i > 0; i--)
		e = d->tok[e].next;
	return e;
}

/* The member or element of that name, or DOC_NONE. */
static uint32_t child(const struct doc *d, uint32_t at, const char *name, size_t n)
{
	return d->tok[at].type == DOC_ARRAY ? element(d, at, name, n) : doc_member(d, at, name, n);
}

/* Follow a pointer with escapes. */
static uint32_t find_escaped(const struct doc *d, uint32_t at, const char *s, size_t n)
{
	struct buf name = BUF_INIT;

	do {
		buf_reset(&name);
		buf_reserve(&name, n);
		pointer_next(&s, &n, &name);
		at = child(d, at, name.s, name.len);
	} while (at != DOC_NONE && n > 0);
	buf_release(&name);
	return at;
}

/* Follow one without: its names stand in it as they are. */
static uint32_t find_plain(const struct doc *d, uint32_t at, const char *s, size_t n)
{
	const char *end = s + n;

	do {
		const char *name = s + 1;

		s = memchr(name, '/', (size_t)(end - name));
		if (!s)
			s = end;
		at = child(d, at, name, (size_t)(s - name));
	} while (at != DOC_NONE && s < end);
	return at;
}

bool pointer_find(const struct doc *d, uint32_t root, const char *s, size_t n, uint32_t *t)
{
	uint32_t at = root;

	if (n > 0) {
		if (s[0] != '/')
			return false;
		at = memchr(s, '~', n) ? find_escaped(d, root, s, n) : find_plain(d, root, s, n);
		if (at == DOC_NONE)
			return false;
	}
	*t = at;
	return true;
}

void pointer_add(struct buf *out, const char *name, size_t n)
{
	size_t from = 0;

	buf_addch(out, '/');
	for (size_t i = 0; i < n; i++) {
		if (name[i] != '~' && name[i] != '/')
			continue;
		buf_add(out, name + from, i - from);
		buf_addstr(out, name[i] == '~' ? "~0" : "~1");
		from = i + 1;
	}
	buf_add(out, name + from, n - from);
}

void pointer_add_index(struct buf *out, size_t i)
{
	buf_addf(out, "/%zu", i);
}

/* Append the step from the array or object at to its child around t; returns the child. */
static uint32_t step(const struct doc *d, uint32_t at, uint32_t t, struct buf *out)
{
	bool object = d->tok[at].type == DOC_OBJECT;
	uint32_t child = at + 1 + object;
	size_t i = 0;

	for (; d->tok[child].next <= t; i++)
		child = d->tok[child].next + object;
	if (object) {
		struct buf name = BUF_INIT;

		doc_string(d, child - 1, &name);
		pointer_add(out, name.s, name.len);
		buf_release(&name);
	} else {
		pointer_add_index(out, i);
	}
	return child;
}

void pointer_of(const struct doc *d, uint32_t t, struct buf *out)
{
	for (uint32_t at = 0; at != t;)
		at = step(d, at, t, out);
}
