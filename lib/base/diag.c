/* diag.c -- see diag.h */
#include "diag.h"

#include "secret.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void diag_truncate(struct diag *d, size_t n)
{
	while (d->n > n) {
		struct finding *f = &d->list[--d->n];

		free(f->rule);
		free(f->where);
		free(f->message);
	}
}

void diag_release(struct diag *d)
{
	diag_truncate(d, 0);
	free(d->list);
	free(d->hint);
	*d = (struct diag)DIAG_INIT;
}

static char *__attribute__((format(printf, 1, 0))) format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	return s;
}

/* Whoever shows a finding, and wherever: there is no secret in it.  Steals s. */
static char *safe(char *s, enum secret_kind kind)
{
	size_t i = 0, from, to;

	while (secret_next(s, strlen(s), kind, &i, &from, &to)) {
		char *hidden = xasprintf("%.*s" REDACTED "%s", (int)from, s, s + to);

		free(s);
		s = hidden;
		i = from + sizeof REDACTED - 1;
	}
	return s;
}

/* Names of files may hold any byte.  Steals s. */
static char *readable(char *s)
{
	size_t n = strlen(s), to = 0;
	const char *end = s + n;

	if (utf8_valid(s, n))
		return s;
	char *clean = xmalloc(3 * n + 1);

	for (const char *p = s; p < end;) {
		size_t k = utf8_length(p, end);

		if (k)
			memcpy(clean + to, p, k);
		else
			snprintf(clean + to, 4, "%%%02X", (unsigned char)*p);
		to += k ? k : 3;
		p += k ? k : 1;
	}
	clean[to] = '\0';
	free(s);
	return clean;
}

static void add(struct diag *d, enum mig_exit exit, const char *rule, const char *where, char *msg)
{
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 8;
		d->list = xrealloc(d->list, d->cap, sizeof *d->list);
	}
	d->list[d->n++] = (struct finding){
		.exit = exit,
		.rule = xstrdup(rule),
		.where = where ? safe(readable(xstrdup(where)), SECRET_URI) : NULL,
		.message = safe(readable(msg), SECRET_ANY),
	};
}

int diag_add(struct diag *d, enum mig_exit exit, const char *rule, const char *where,
             const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, exit, rule, where, format(fmt, ap));
	va_end(ap);
	return -1;
}

void diag_warn(struct diag *d, const char *rule, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, MIG_OK, rule, where, format(fmt, ap));
	va_end(ap);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d->hint)
		return;
	va_start(ap, fmt);
	d->hint = safe(format(fmt, ap), SECRET_ANY);
	va_end(ap);
}

const struct finding *diag_first(const struct diag *d)
{
	const struct finding *best = NULL;

	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->list[i];

		/* MIG_ERROR is 1, the lowest: a system failure outranks what it kept us from checking */
		if (f->exit != MIG_OK && (!best || f->exit < best->exit))
			best = f;
	}
	return best;
}

enum mig_exit diag_exit(const struct diag *d)
{
	const struct finding *f = diag_first(d);

	return f ? f->exit : MIG_OK;
}
