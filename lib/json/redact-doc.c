/* redact-doc.c -- see redact-doc.h */
#include "redact-doc.h"

#include "canon.h"
#include "redact.h"

enum { SHORTEST = 4, JQ_SHOWS = 10 }; /* bytes; libjq 1.6 shows ten of a string and then "..." */

static void hide(struct buf *text, const char *s, size_t n)
{
	size_t at = 0;
	char *p;

	if (n < SHORTEST)
		return;
	while (at < text->len && (p = memmem(text->s + at, text->len - at, s, n))) {
		size_t from = (size_t)(p - text->s), rest = text->len - from - n;
		struct buf tail = BUF_INIT;

		buf_add(&tail, p + n, rest);
		buf_setlen(text, from);
		buf_addstr(text, REDACTED);
		at = text->len;
		buf_add(text, tail.s, rest);
		buf_release(&tail);
	}
}

/* A text whole, or its beginning and "...". */
static void hide_cut(struct buf *text, const char *s, size_t n)
{
	char cut[JQ_SHOWS + 3];

	hide(text, s, n);
	if (n < JQ_SHOWS)
		return;
	memcpy(cut, s, JQ_SHOWS);
	memcpy(cut + JQ_SHOWS, "...", 3);
	hide(text, cut, sizeof cut);
}

static void hide_scalar(struct buf *text, const struct doc *d, uint32_t t)
{
	struct buf plain = BUF_INIT, json = BUF_INIT;

	if (d->tok[t].type == DOC_STRING) {
		doc_string(d, t, &plain);
		hide_cut(text, plain.s, plain.len);
		canon_string(&json, plain.s, plain.len);
		hide_cut(text, json.s + 1, json.len - 2);
	} else if (d->tok[t].type == DOC_NUMBER) {
		canon_value(&json, d, t, DOC_NONE);
		hide(text, json.s, json.len);
	}
	buf_release(&plain);
	buf_release(&json);
}

/* All scalars in a value; the names in it are no secret. */
static void hide_value(struct buf *text, const struct doc *d, uint32_t t)
{
	bool object = d->tok[t].type == DOC_OBJECT;

	if (d->tok[t].type != DOC_ARRAY && !object) {
		hide_scalar(text, d, t);
		return;
	}
	for (uint32_t e = t + 1; e < d->tok[t].next; e = d->tok[e + object].next)
		hide_value(text, d, e + object);
}

bool redact_member(const struct doc *d, uint32_t key)
{
	struct buf name = BUF_INIT;

	doc_string(d, key, &name);
	bool secret = name.len && secret_name(name.s, name.len);

	buf_release(&name);
	return secret;
}

void redact_doc(struct buf *text, const struct doc *d)
{
	for (uint32_t t = 0; t < d->ntok; t++) {
		if (d->tok[t].type != DOC_OBJECT)
			continue;
		for (uint32_t key = t + 1; key < d->tok[t].next; key = d->tok[key + 1].next)
			if (redact_member(d, key))
				hide_value(text, d, key + 1);
	}
}
