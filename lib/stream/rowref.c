/* rowref.c -- see rowref.h */
#include "rowref.h"

enum { ID_MAX = 1024 };

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool has_control(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (is_control(t.s[i]))
			return true;
	return false;
}

bool rowref_entity_valid(struct text entity)
{
	return rowref_id_valid(entity) && !memchr(entity.s, '/', entity.n);
}

bool rowref_id_valid(struct text id)
{
	return id.n && id.n <= ID_MAX && !has_control(id);
}

static void escape(struct buf *out, struct text t, char also)
{
	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '%' || t.s[i] == also || is_control(t.s[i]))
			buf_addf(out, "%%%02X", (unsigned)(unsigned char)t.s[i]);
		else
			buf_addch(out, t.s[i]);
	}
}

void rowref_write(struct buf *out, struct text entity, struct text id)
{
	escape(out, entity, '/');
	buf_addch(out, '/');
	escape(out, id, '%');
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Append a part of a reference with its escapes resolved. */
static bool unescape(struct text t, struct buf *out)
{
	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] != '%') {
			buf_addch(out, t.s[i]);
			continue;
		}
		if (t.n - i < 3 || digit(t.s[i + 1]) < 0 || digit(t.s[i + 2]) < 0)
			return false;
		buf_addch(out, (char)(digit(t.s[i + 1]) << 4 | digit(t.s[i + 2])));
		i += 2;
	}
	return true;
}

bool rowref_id(struct text ref, struct text entity, struct buf *out)
{
	const char *slash = memchr(ref.s, '/', ref.n);
	size_t at = out->len, n = slash ? (size_t)(slash - ref.s) : 0;

	buf_reserve(out, ref.n);
	if (slash && unescape((struct text){ ref.s, n }, out) &&
	    text_same((struct text){ out->s + at, out->len - at }, entity)) {
		buf_setlen(out, at);
		if (unescape((struct text){ slash + 1, ref.n - n - 1 }, out) && out->len > at)
			return true;
	}
	buf_setlen(out, at);
	return false;
}
