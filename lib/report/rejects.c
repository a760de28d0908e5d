/* rejects.c -- see rejects.h */
#include "rejects.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_CODES = 64 };

void rejects_init(struct rejects *x)
{
	*x = (struct rejects){ .example = BUF_INIT };
	counts_init(&x->codes, MAX_CODES);
}

void rejects_release(struct rejects *x)
{
	counts_release(&x->codes);
	buf_release(&x->example);
}

void rejects_add(struct rejects *x, const struct record *r)
{
	char *code = shown_member(r->doc, 0, "code");
	struct count *c = counts_add(&x->codes, code, strlen(code));

	if (c && c->n <= COUNT_EXAMPLES) {
		char *ref = shown_member(r->doc, 0, "ref"), *reason = shown_member(r->doc, 0, "reason");

		buf_reset(&x->example);
		buf_addf(&x->example, "%s\n%s", ref, reason);
		count_example(c, x->example.s, x->example.len);
		free(ref);
		free(reason);
	}
	free(code);
}

/* "5 x malformed, e.g. REF" and, where there is room, the reason below it. */
static void put_short(struct page *p, const struct count *c, size_t reasons)
{
	const char *reason = strchr(c->example[0], '\n');

	page_line(p, 0, "%" PRIu64 " x %s, e.g. %.*s", c->n, c->key, (int)(reason - c->example[0]), c->example[0]);
	if (reasons)
		page_line(p, 1, "%s", reason + 1);
}

/* "REF: REASON", on one line if that fits. */
static void put_example(struct page *p, const char *example)
{
	const char *reason = strchr(example, '\n') + 1;
	int n = (int)(reason - 1 - example);

	if (strlen(example) < PAGE_COLUMNS - 8) {
		page_line(p, 1, "%.*s: %s", n, example, reason);
	} else {
		page_line(p, 1, "%.*s", n, example);
		page_line(p, 2, "%s", reason);
	}
}

void rejects_page(struct rejects *x, struct page *p, size_t max, size_t examples)
{
	uint64_t shown = 0;

	if (!x->codes.total)
		return;
	counts_sort(&x->codes);
	page_heading(p, "REJECTED %" PRIu64, x->codes.total);
	for (size_t i = 0; i < x->codes.n && i < max; i++) {
		const struct count *c = &x->codes.v[i];

		shown += c->n;
		if (examples < 2) {
			put_short(p, c, examples);
			continue;
		}
		page_line(p, 0, "%" PRIu64 " x %s", c->n, c->key);
		for (size_t k = 0; k < examples && k < COUNT_EXAMPLES && c->example[k]; k++)
			put_example(p, c->example[k]);
		if (c->n > examples)
			page_line(p, 1, "and %" PRIu64 " more", c->n - examples);
	}
	if (shown < x->codes.total)
		page_line(p, 0, "and %" PRIu64 " for other reasons", x->codes.total - shown);
}

/* {"reason":..,"ref":..} */
static void example_json(struct buf *out, const char *example)
{
	const char *reason = strchr(example, '\n') + 1;
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "reason", reason);
	rec_str(&w, "ref", (struct text){ example, (size_t)(reason - 1 - example) });
	rec_close(&w);
}

void rejects_json(struct rejects *x, struct buf *out)
{
	struct rec w, in;

	counts_sort(&x->codes);
	rec_open(&w, out);
	rec_name(&w, "codes");
	buf_addch(out, '[');
	for (size_t i = 0; i < x->codes.n; i++) {
		const struct count *c = &x->codes.v[i];

		if (i)
			buf_addch(out, ',');
		rec_open(&in, out);
		rec_cstr(&in, "code", c->key);
		rec_int(&in, "count", (int64_t)c->n);
		rec_name(&in, "examples");
		for (size_t k = 0; k < COUNT_EXAMPLES && c->example[k]; k++) {
			buf_addch(out, k ? ',' : '[');
			example_json(out, c->example[k]);
		}
		buf_addch(out, ']');
		rec_close(&in);
	}
	buf_addch(out, ']');
	rec_int(&w, "total", (int64_t)x->codes.total);
	rec_close(&w);
}
