/* findings.c -- see findings.h */
#include "findings.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { DIFF_LINES = 20 };

void findings_init(struct findings *f, size_t max)
{
	*f = (struct findings){ .max = max < FINDINGS_MAX ? max : FINDINGS_MAX };
}

static void forget(struct shown_finding *x)
{
	free(x->rule);
	free(x->severity);
	free(x->ref);
	free(x->message);
	free(x->expected);
	free(x->actual);
	buf_release(&x->diff);
}

void findings_release(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		forget(&f->list[i]);
	free(f->first);
	findings_init(f, f->max);
}

static bool is_error(const struct shown_finding *x)
{
	return !x->severity || strcmp(x->severity, "error") == 0;
}

/* Where a finding goes: behind the others, or, an error, in the place of the last warning; NULL: no room. */
static struct shown_finding *place(struct findings *f, bool error)
{
	if (f->n < f->max)
		return &f->list[f->n++];
	if (!error || f->n == 0 || is_error(&f->list[f->n - 1]))
		return NULL;
	forget(&f->list[f->n - 1]);
	return &f->list[f->n - 1];
}

static void add_diff(struct shown_finding *x, const struct doc *d, uint32_t list)
{
	size_t n = 0;

	if (list == DOC_NONE || d->tok[list].type != DOC_ARRAY)
		return;
	for (uint32_t t = list + 1; t < d->tok[list].next && n < DIFF_LINES; t = d->tok[t].next, n++) {
		shown_op(&x->diff, d, t, DOC_NONE);
		buf_addch(&x->diff, '\n');
	}
}

/* Errors stand before warnings: move the last one up. */
static void sort_last(struct findings *f)
{
	for (size_t i = f->n - 1; i > 0 && is_error(&f->list[i]) && !is_error(&f->list[i - 1]); i--) {
		struct shown_finding x = f->list[i];

		f->list[i] = f->list[i - 1];
		f->list[i - 1] = x;
	}
}

void findings_add(struct findings *f, const struct doc *d, uint32_t list)
{
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		uint32_t severity = doc_member(d, t, "severity", 8);
		bool error = severity == DOC_NONE || doc_equals(d, severity, "error", 5);
		struct shown_finding *x;

		if (error && f->errors++ == 0)
			f->first = shown_member(d, t, "rule_id");
		f->warnings += !error;
		if (!(x = place(f, error)))
			continue;
		*x = (struct shown_finding){
			.rule = shown_member(d, t, "rule_id"), .severity = shown_member(d, t, "severity"),
			.ref = shown_member(d, t, "ref"), .message = shown_member(d, t, "message"),
			.expected = shown_member(d, t, "expected"), .actual = shown_member(d, t, "actual"),
		};
		add_diff(x, d, doc_member(d, t, "diff", 4));
		sort_last(f);
	}
}

static void put_lines(struct page *p, const struct buf *lines)
{
	const char *s = lines->s;

	for (const char *lf; s && (lf = strchr(s, '\n')); s = lf + 1)
		page_put(p, 2, s, (size_t)(lf - s));
}

void findings_page(const struct findings *f, struct page *p)
{
	uint64_t more = f->errors + f->warnings - f->n;

	if (f->errors + f->warnings == 0)
		return;
	page_heading(p, "FINDINGS: %" PRIu64 " error%s, %" PRIu64 " warning%s", f->errors, f->errors == 1 ? "" : "s",
	             f->warnings, f->warnings == 1 ? "" : "s");
	for (size_t i = 0; i < f->n; i++) {
		const struct shown_finding *x = &f->list[i];

		page_line(p, 0, "%s%s%s%s", is_error(x) ? "" : "warning: ", x->rule ? x->rule : "?", x->ref ? " " : "",
		          x->ref ? x->ref : "");
		page_wrap(p, 1, x->message ? x->message : "");
		if (x->expected)
			page_line(p, 1, "expected %s", x->expected);
		if (x->actual)
			page_line(p, 1, "actual   %s", x->actual);
		put_lines(p, &x->diff);
	}
	if (more)
		page_line(p, 0, "and %" PRIu64 " more", more);
}

static void diff_json(struct rec *w, const struct buf *lines)
{
	const char *s = lines->s;
	char sep = '[';

	rec_name(w, "diff");
	for (const char *lf; s && (lf = strchr(s, '\n')); s = lf + 1, sep = ',') {
		buf_addch(w->b, sep);
		canon_string(w->b, s, (size_t)(lf - s));
	}
	buf_addstr(w->b, sep == '[' ? "[]" : "]");
}

void findings_json(const struct findings *f, struct buf *out)
{
	struct rec w;

	buf_addch(out, '[');
	for (size_t i = 0; i < f->n; i++) {
		const struct shown_finding *x = &f->list[i];

		if (i)
			buf_addch(out, ',');
		rec_open(&w, out);
		rec_cstr(&w, "actual", x->actual);
		diff_json(&w, &x->diff);
		rec_cstr(&w, "expected", x->expected);
		rec_cstr(&w, "message", x->message);
		rec_cstr(&w, "ref", x->ref);
		rec_cstr(&w, "rule_id", x->rule);
		rec_cstr(&w, "severity", x->severity);
		rec_close(&w);
	}
	buf_addch(out, ']');
}
