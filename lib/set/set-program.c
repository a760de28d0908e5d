/* set-program.c -- see set-program.h */
#include "set-program.h"

#include "canon.h"
#include "jqrun.h"
#include "pointer.h"

#include <stdlib.h>
#include <string.h>

/*
 * _mig_error({"mig_code":code,"mig_reason":reason}), reason being canonical JSON or any jq expression.
 * Names with _mig_ stand for jq's own, whatever lib.jq calls like those.
 */
static void add_error(struct buf *out, const char *code, const char *reason)
{
	buf_addf(out, "_mig_error({mig_code:\"%s\",mig_reason:%s})", code, reason);
}

static void add_predicates(struct buf *out, const struct predicate *p, const char *code)
{
	for (; p->jq; p++) {
		struct buf message = BUF_INIT;

		canon_string(&message, p->message, strlen(p->message));
		buf_addf(out, "| if [(%s\n)] == [true] then . else ", p->jq);
		add_error(out, code, message.s);
		buf_addstr(out, " end\n");
		buf_release(&message);
	}
}

/* "/a/b~1c" as a jq path: ["a","b/c"] */
static void add_path(struct buf *out, const char *pointer)
{
	const char *p = pointer;
	size_t n = strlen(pointer);
	struct buf name = BUF_INIT;

	for (char sep = '['; n > 0; sep = ',') {
		buf_addch(out, sep);
		buf_reset(&name);
		pointer_next(&p, &n, &name);
		canon_string(out, name.s ? name.s : "", name.len);
	}
	buf_addch(out, ']');
	buf_release(&name);
}

static void add_records_program(const struct set *s, const size_t *path, size_t n, struct buf *out)
{
	buf_addstr(out, "[.");
	for (size_t i = 0; i < n; i++) {
		const struct hop *h = &s->hop[path[i]];

		add_predicates(out, h->before, "before_failed");
		buf_addf(out, "| (%s\n)\n", h->up);
		add_predicates(out, h->after, "after_failed");
	}
	buf_addstr(out, "]");
}

void set_program(const struct set *s, const size_t *path, size_t n, struct buf *out)
{
	if (s->targets) {
		add_records_program(s, path, n, out);
		return;
	}
	struct buf version_path = BUF_INIT;

	add_path(&version_path, s->version);
	buf_addstr(out, ".");
	for (size_t i = 0; i < n; i++) {
		const struct hop *h = &s->hop[path[i]];
		char *code = xasprintf("\"%s: the program gave \\(_mig_length) outputs, not one\"", h->id);
		char *wrong_version =
			xasprintf("\"%s: the program gave version \\($mig_v | _mig_tojson), expected %s\"", h->id,
		                  h->to);

		add_predicates(out, h->before, "before_failed");
		buf_addf(out, "| [(%s\n)] | if _mig_length == 1 then .[0] else ", h->up);
		add_error(out, "not_one_output", code);
		buf_addf(out, " end | (_mig_getpath(%s) as $mig_v | if $mig_v == \"%s\" or $mig_v == \"%s\"",
		         version_path.s, h->from, h->to);
		if (s->version_default && strcmp(s->version_default, h->from) == 0)
			buf_addstr(out, " or ($mig_v == null and . != null)");
		buf_addf(out, " then _mig_setpath(%s; \"%s\") else ", version_path.s, h->to);
		add_error(out, "wrong_version", wrong_version);
		buf_addstr(out, " end)\n");
		add_predicates(out, h->after, "after_failed");
		free(code);
		free(wrong_version);
	}
	buf_release(&version_path);
}

/* 1.0.0..1.1.0/hop.json: /before/0/jq: f/0 is not defined, line 1 */
static void blame_predicates(const struct set *s, const struct hop *h, const struct predicate *list, const char *name,
                             struct diag *d)
{
	for (const struct predicate *p = list; p->jq; p++) {
		struct diag own = DIAG_INIT;

		jqrun_free(jqrun_compile(s->lib, p->jq, name, &own));
		for (size_t i = 0; i < own.n; i++) {
			char *where = xasprintf("%s/hop.json", h->id);

			diag_add(d, own.list[i].exit, own.list[i].rule, where, "/%s/%td/jq: %s", name, p - list,
			         own.list[i].message);
			free(where);
		}
		diag_release(&own);
	}
}

void set_program_blame(const struct set *s, const size_t *path, size_t n, struct diag *d)
{
	size_t first = d->n;

	for (size_t i = 0; i < n; i++) {
		char *where = xasprintf("%s/up.jq", s->hop[path[i]].id);

		jqrun_free(jqrun_compile(s->lib, s->hop[path[i]].up, where, d));
		free(where);
	}
	for (size_t i = 0; i < n && d->n == first; i++) {
		const struct hop *h = &s->hop[path[i]];

		blame_predicates(s, h, h->before, "before", d);
		blame_predicates(s, h, h->after, "after", d);
	}
}
