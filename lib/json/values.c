/* values.c -- see values.h */
#include "values.h"

#include <errno.h>

enum { READ_SIZE = 64 * 1024 };

void values_init(struct values *v, int fd, const char *name)
{
	*v = (struct values){ .fd = fd, .name = name, .doc = DOC_INIT, .line = 1 };
	buf_reserve(&v->b, READ_SIZE);
	io_widen_pipe(fd);
}

void values_release(struct values *v)
{
	buf_release(&v->b);
	doc_release(&v->doc);
}

/* Read once more, moving what is not used up to the front. */
static int fill(struct values *v, struct diag *d)
{
	if (v->pos > 0) {
		memmove(v->b.s, v->b.s + v->pos, v->b.len - v->pos);
		buf_setlen(&v->b, v->b.len - v->pos);
		v->scan -= v->pos;
		v->pos = 0;
	}
	buf_reserve(&v->b, READ_SIZE);
	ssize_t r = io_read(v->fd, v->b.s + v->b.len, v->b.cap - v->b.len - BUF_PAD);

	if (r < 0)
		return diag_add(d, MIG_ERROR, "read_failed", v->name, "%s", strerror(errno));
	v->eof = (size_t)r < v->b.cap - v->b.len - BUF_PAD;
	buf_setlen(&v->b, v->b.len + (size_t)r);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/*
 * Go on looking for the end of the value at pos: true, and v->end, when it was
 * found.  Brackets are only counted; doc_parse judges what is between them.
 */
static bool find_end(struct values *v)
{
	const char *s = v->b.s;

	for (; v->scan < v->b.len; v->scan++) {
		char c = s[v->scan];

		if (v->in_string) {
			if (c == '\\') {
				if (v->scan + 1 == v->b.len)
					return false;
				v->scan++;
			} else if (c == '"') {
				v->in_string = false;
				if (v->depth == 0)
					goto closed;
			}
		} else if (c == '"') {
			v->in_string = true;
		} else if (c == '{' || c == '[') {
			v->depth++;
		} else if (c == '}' || c == ']') {
			if (v->depth <= 1)
				goto closed;
			v->depth--;
		} else if (v->depth == 0 && is_space(c)) {
			v->end = v->scan;
			return true;
		}
	}
	v->end = v->b.len;
	return v->eof;
closed:
	v->end = v->scan + 1;
	return true;
}

/* Index the bytes from pos to end as one value. */
static int parse(struct values *v)
{
	memcpy(v->saved, v->b.s + v->end, BUF_PAD);
	memset(v->b.s + v->end, 0, BUF_PAD);
	v->restore = true;
	return doc_parse(&v->doc, v->b.s + v->pos, v->end - v->pos, RECORD_MAX_DEPTH);
}

static void restore(struct values *v)
{
	if (v->restore)
		memcpy(v->b.s + v->end, v->saved, BUF_PAD);
	v->restore = false;
}

static int report(struct values *v, struct diag *d)
{
	const struct doc_error *e = &v->doc.err;
	struct buf pointer = BUF_INIT;

	doc_error_pointer(&v->doc, &pointer);
	size_t column = e->column + (e->line == 1 ? v->before : 0);

	diag_add(d, MIG_USAGE, "not_json", v->name, "line %zu, column %zu: %s%s%s", v->line + e->line - 1, column,
	         e->reason, pointer.len ? " in " : "", pointer.len ? pointer.s : "");
	buf_release(&pointer);
	return -1;
}

static size_t count_lines(const char *s, size_t n)
{
	size_t lines = 0;

	for (const char *end = s + n; (s = memchr(s, '\n', (size_t)(end - s))); s++)
		lines++;
	return lines;
}

/* Step over the value handed out last. */
static void skip_value(struct values *v)
{
	const char *s = v->b.s + v->pos, *lf = memrchr(s, '\n', v->end - v->pos);

	v->line += count_lines(s, v->end - v->pos);
	v->before = lf ? (size_t)(v->b.s + v->end - lf) - 1 : v->before + v->end - v->pos;
	v->pos = v->end;
}

int values_next(struct values *v, struct diag *d)
{
	bool parted = true;

	if (v->restore) { /* the value handed out last is used up */
		restore(v);
		skip_value(v);
		parted = false;
	}
	for (;;) {
		for (; v->pos < v->b.len && is_space(v->b.s[v->pos]); v->pos++, parted = true) {
			bool lf = v->b.s[v->pos] == '\n';

			v->line += lf;
			v->before = lf ? 0 : v->before + 1;
		}
		if (v->pos < v->b.len)
			break;
		if (v->eof)
			return 0;
		if (fill(v, d) < 0)
			return -1;
	}
	if (!parted)
		return diag_add(d, MIG_USAGE, "not_json", v->name,
		                "line %zu, column %zu: expected white space between two values", v->line,
		                v->before + 1);
	v->scan = v->pos;
	v->depth = 0;
	v->in_string = false;
	/* the usual case first: one value a line */
	char *lf = memchr(v->b.s + v->pos, '\n', v->b.len - v->pos);

	if (lf) {
		v->end = (size_t)(lf - v->b.s);
		if (parse(v) == 0)
			return 1;
		restore(v);
	}
	while (!find_end(v))
		if (fill(v, d) < 0)
			return -1;
	return parse(v) == 0 ? 1 : report(v, d);
}
