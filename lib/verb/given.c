/* given.c -- see given.h */
#include "given.h"

#include "fs-root.h"
#include "record.h"
#include "redact.h"
#include "utf8.h"

#include <stdlib.h>

struct given {
	const char *name, *value;
	size_t at; /* its place: those of one name stay in turn */
	bool list;
};

static struct given *all;
static size_t nall;

void given_add(const char *name, const char *value, bool list)
{
	all = xrealloc(all, nall + 1, sizeof *all);
	all[nall] = (struct given){ *name ? name : "operands", value, nall, list };
	nall++;
}

const char *given_value(const char *name)
{
	for (size_t i = 0; i < nall; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	return NULL;
}

void given_forget(void)
{
	free(all);
	all = NULL;
	nall = 0;
}

static int by_name(const void *a, const void *b)
{
	const struct given *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* An argument as JSON can hold it, and without its secrets; a path need not be UTF-8. */
static void put_value(struct buf *out, const char *value)
{
	struct buf safe = BUF_INIT, text = BUF_INIT;

	if (!value) {
		buf_addstr(out, "true");
		return;
	}
	redact_text(&safe, value, strlen(value));
	if (utf8_valid(safe.s, safe.len))
		buf_add(&text, safe.s, safe.len);
	else
		fs_escape(&text, safe.s, safe.len);
	canon_string(out, text.s, text.len);
	buf_release(&safe);
	buf_release(&text);
}

char *given_json(void)
{
	struct buf b = BUF_INIT;
	struct rec w;

	if (nall)
		qsort(all, nall, sizeof *all, by_name);
	rec_open(&w, &b);
	for (size_t i = 0; i < nall; i++) {
		bool first = i == 0 || strcmp(all[i].name, all[i - 1].name) != 0;
		bool last = i + 1 == nall || strcmp(all[i].name, all[i + 1].name) != 0;

		if (first)
			rec_name(&w, all[i].name);
		if (all[i].list)
			buf_addch(&b, first ? '[' : ',');
		put_value(&b, all[i].value);
		if (all[i].list && last)
			buf_addch(&b, ']');
	}
	rec_close(&w);
	return buf_steal(&b);
}
