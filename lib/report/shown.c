/* shown.c -- see shown.h */
#include "shown.h"

#include "page.h"
#include "pointer.h"
#include "redact-doc.h"
#include "redact.h"

enum {
	TEXT_COLUMNS = 4200,  /* the longest path that Linux opens, and some */
	VALUE_BYTES = 4096,   /* a longer value is cut anyway */
	OP_COLUMNS = 90,
	PATH_COLUMNS = 60
};

char *shown_text(struct text t)
{
	struct buf plain = BUF_INIT, out = BUF_INIT;

	if (!t.s)
		return NULL;
	redact_text(&plain, t.s, t.n);
	if (plain.len)
		page_clean(&out, plain.s, plain.len, TEXT_COLUMNS);
	buf_release(&plain);
	return buf_steal(&out);
}

static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return doc_member(d, obj, name, strlen(name));
}

char *shown_member(const struct doc *d, uint32_t obj, const char *name)
{
	uint32_t t = member(d, obj, name);
	struct buf b = BUF_INIT;
	char *s;

	if (t == DOC_NONE || d->tok[t].type != DOC_STRING)
		return NULL;
	doc_string(d, t, &b);
	s = shown_text((struct text){ b.s ? b.s : "", b.len });
	buf_release(&b);
	return s;
}

int64_t int_member(const struct doc *d, uint32_t obj, const char *name)
{
	uint32_t t = member(d, obj, name);
	int64_t v;

	return t != DOC_NONE && d->tok[t].type == DOC_NUMBER && doc_int(d, t, &v) ? v : 0;
}

static void add_string(struct buf *out, const struct doc *d, uint32_t t)
{
	struct buf plain = BUF_INIT, redacted = BUF_INIT;

	doc_string(d, t, &plain);
	if (plain.len)
		redact_text(&redacted, plain.s, plain.len);
	canon_string(out, redacted.s ? redacted.s : "", redacted.len);
	buf_release(&plain);
	buf_release(&redacted);
}

static void add_value(struct buf *out, const struct doc *d, uint32_t t, bool secret)
{
	uint8_t type = d->tok[t].type;
	struct doc_walk w;
	uint32_t key, e;
	char sep = type == DOC_OBJECT ? '{' : '[';

	if (secret) {
		buf_addstr(out, "\"" REDACTED "\"");
	} else if (type == DOC_STRING) {
		add_string(out, d, t);
	} else if (type == DOC_OBJECT) {
		for (doc_walk_init(&w, d, t); out->len < VALUE_BYTES && (key = doc_walk_next(&w)); sep = ',') {
			buf_addch(out, sep);
			add_string(out, d, key);
			buf_addch(out, ':');
			add_value(out, d, key + 1, redact_member(d, key));
		}
		buf_addstr(out, sep == '{' ? "{}" : "}");
	} else if (type == DOC_ARRAY) {
		for (e = t + 1; out->len < VALUE_BYTES && e < d->tok[t].next; e = d->tok[e].next, sep = ',') {
			buf_addch(out, sep);
			add_value(out, d, e, false);
		}
		buf_addstr(out, sep == '[' ? "[]" : "]");
	} else {
		canon_value(out, d, t, DOC_NONE);
	}
}

void shown_value(struct buf *out, const struct doc *d, uint32_t t, bool secret, size_t columns)
{
	struct buf b = BUF_INIT;

	add_value(&b, d, t, secret);
	page_clean(out, b.s, b.len, columns);
	buf_release(&b);
}

/* Does a pointer lead through the name of a secret? */
static bool leads_to_secret(struct text path)
{
	struct buf name = BUF_INIT;
	bool secret = false;

	while (path.n && path.s[0] == '/' && !secret) {
		buf_reset(&name);
		pointer_next(&path.s, &path.n, &name);
		secret = name.len && secret_name(name.s, name.len);
	}
	buf_release(&name);
	return secret;
}

/* "+" for add, and so on. */
static char sign_of(const struct doc *d, uint32_t op)
{
	static const struct {
		const char *op;
		char sign;
	} signs[] = {
		{ "add", '+' }, { "remove", '-' }, { "replace", '~' }, { "move", '>' }, { "copy", '=' }, { "test", '?' }
	};
	uint32_t t = member(d, op, "op");

	for (size_t i = 0; t && i < sizeof signs / sizeof *signs; i++)
		if (doc_equals(d, t, signs[i].op, strlen(signs[i].op)))
			return signs[i].sign;
	return '!';
}

static struct text string_member(const struct doc *d, uint32_t op, const char *name, struct buf *b)
{
	uint32_t t = member(d, op, name);

	buf_reset(b);
	if (t && d->tok[t].type == DOC_STRING)
		doc_string(d, t, b);
	return (struct text){ b->s ? b->s : "", b->len };
}

/* The value that op's inverse would put back at the same path, or DOC_NONE. */
static uint32_t old_value(const struct doc *d, uint32_t undo, struct text path)
{
	struct buf b = BUF_INIT;
	uint32_t old = DOC_NONE;

	if (undo != DOC_NONE) {
		struct text at = string_member(d, undo, "path", &b);

		if (text_is(path, at.s) && at.n == path.n)
			old = member(d, undo, "value");
	}
	buf_release(&b);
	return old;
}

void shown_op(struct buf *out, const struct doc *d, uint32_t op, uint32_t undo)
{
	struct buf path = BUF_INIT, from = BUF_INIT;
	struct text p = string_member(d, op, "path", &path), f = string_member(d, op, "from", &from);
	uint32_t value = member(d, op, "value");
	char sign = sign_of(d, op);
	bool secret = leads_to_secret(p);
	size_t start = out->len;

	buf_addf(out, "%c ", sign);
	if (f.n) {
		page_clean(out, f.s, f.n, OP_COLUMNS / 2);
		buf_addstr(out, " -> ");
	}
	page_clean(out, p.s, p.n, f.n ? OP_COLUMNS / 2 : PATH_COLUMNS);
	size_t room = OP_COLUMNS - (out->len - start < OP_COLUMNS - 20 ? out->len - start : OP_COLUMNS - 20);
	uint32_t old = sign == '~' || sign == '-' ? old_value(d, undo, p) : DOC_NONE;

	if (old != DOC_NONE) {
		buf_addch(out, ' ');
		shown_value(out, d, old, secret, value ? room / 2 : room);
	}
	if (value != DOC_NONE) {
		buf_addstr(out, sign == '~' ? " -> " : " ");
		shown_value(out, d, value, secret, old ? room / 2 : room);
	}
	buf_release(&path);
	buf_release(&from);
}

static bool is_index(const struct buf *name)
{
	size_t i;

	return (name->len == 1 && name->s[0] == '-') ||
	       (name->len > 0 && pointer_index(name->s, name->len, &i));
}

static void add_path_shape(struct buf *out, struct text path)
{
	struct buf name = BUF_INIT, clean = BUF_INIT;

	while (path.n && path.s[0] == '/') {
		const char *s = path.s;

		buf_reset(&name);
		pointer_next(&path.s, &path.n, &name);
		buf_addstr(&clean, is_index(&name) ? "/*" : "");
		if (!is_index(&name))
			page_clean(&clean, s, (size_t)(path.s - s), SIZE_MAX);
	}
	buf_add(out, clean.s ? clean.s : "(all)", clean.s ? clean.len : 5);
	buf_release(&name);
	buf_release(&clean);
}

void shown_op_shape(struct buf *out, const struct doc *d, uint32_t op)
{
	struct buf b = BUF_INIT;
	char sign = sign_of(d, op);

	buf_addf(out, "%c ", sign);
	if (sign == '>' || sign == '=') {
		add_path_shape(out, string_member(d, op, "from", &b));
		buf_addstr(out, " -> ");
	}
	add_path_shape(out, string_member(d, op, "path", &b));
	buf_release(&b);
}
