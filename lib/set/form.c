/* form.c -- see form.h */
#include "form.h"

#include "io.h"
#include "pointer.h"
#include "record.h"
#include "semver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int form_wrong(struct form *f, const char *member, const char *what)
{
	f->bad = true;
	return diag_add(f->d, MIG_INVALID, "bad_set", f->file, "%s/%s: %s", f->at, member, what);
}

void form_enter(struct form *f, const char *at, ...)
{
	va_list ap;

	va_start(ap, at);
	vsnprintf(f->at, sizeof f->at, at, ap);
	va_end(ap);
}

void form_leave(struct form *f)
{
	f->at[0] = '\0';
}

int form_part(const char *path, size_t dirlen, struct buf *b, struct digest *sum, const char *rule, struct diag *d)
{
	char hex[HEX_SIZE];
	size_t start = b->len;

	if (io_read_file(path, b, rule, d) < 0)
		return -1;
	if (!sum)
		return 0;
	digest_hex(b->s + start, b->len - start, hex);
	digest_add(sum, path + dirlen + 1, strlen(path + dirlen + 1) + 1);
	digest_add(sum, hex, HEX_LEN);
	digest_add(sum, "\n", 1);
	return 0;
}

int form_open(struct form *f, const char *file, size_t dirlen, struct digest *sum, const char *rule, struct diag *d)
{
	*f = (struct form){ .file = file, .doc = DOC_INIT, .d = d };
	buf_reserve(&f->text, 0);
	if (form_part(file, dirlen, &f->text, sum, rule, d) < 0)
		return -1;
	if (doc_parse(&f->doc, f->text.s, f->text.len, DOC_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "bad_set", file, "line %zu, column %zu: %s", f->doc.err.line,
		                f->doc.err.column, f->doc.err.reason);
	if (f->doc.tok[0].type != DOC_OBJECT)
		return diag_add(d, MIG_INVALID, "bad_set", file, "not an object");
	return 0;
}

void form_release(struct form *f)
{
	buf_release(&f->text);
	doc_release(&f->doc);
}

void form_only(struct form *f, uint32_t obj, const char *const *names)
{
	struct doc_walk w;
	uint32_t key;

	for (doc_walk_init(&w, &f->doc, obj); (key = doc_walk_next(&w));) {
		const char *const *n = names;

		while (*n && !doc_equals(&f->doc, key, *n, strlen(*n)))
			n++;
		if (!*n) {
			char *name = record_dup(&f->doc, key);

			form_wrong(f, name, "unknown member");
			free(name);
		}
	}
}

uint32_t form_member(struct form *f, uint32_t obj, const char *name, int types, bool must)
{
	uint32_t t = doc_member(&f->doc, obj, name, strlen(name));

	if (t == DOC_NONE) {
		if (must)
			form_wrong(f, name, "missing");
		return DOC_NONE;
	}
	if (!(types & 1 << f->doc.tok[t].type)) {
		form_wrong(f, name, "has the wrong type");
		return DOC_NONE;
	}
	return t;
}

char *form_text(struct form *f, uint32_t obj, const char *name, bool must)
{
	char *s = record_dup(&f->doc, form_member(f, obj, name, 1 << DOC_STRING, must));

	if (s && !*s)
		form_wrong(f, name, "is empty");
	return s;
}

bool form_boolean(struct form *f, uint32_t obj, const char *name, bool otherwise, bool must)
{
	uint32_t t = form_member(f, obj, name, 1 << DOC_TRUE | 1 << DOC_FALSE, must);

	return t == DOC_NONE ? otherwise : f->doc.tok[t].type == DOC_TRUE;
}

char **form_texts(struct form *f, uint32_t obj, const char *name, bool must)
{
	uint32_t a = form_member(f, obj, name, 1 << DOC_ARRAY, must);
	size_t n = a == DOC_NONE ? 0 : f->doc.tok[a].n, i = 0;
	char **list = xcalloc(n + 1, sizeof *list);

	if (n == 0)
		return list;
	for (uint32_t t = a + 1; t < f->doc.tok[a].next; t = f->doc.tok[t].next) {
		if (f->doc.tok[t].type == DOC_STRING)
			list[i++] = record_dup(&f->doc, t);
		else
			form_wrong(f, name, "holds something that is not a text");
	}
	return list;
}

char *form_check_pointer(struct form *f, const char *name, char *p)
{
	if (p && (!*p || !pointer_valid(p, strlen(p))))
		form_wrong(f, name, "not a JSON pointer (RFC 6901) to a member");
	return p;
}

char **form_pointers(struct form *f, uint32_t obj, const char *name)
{
	char **list = form_texts(f, obj, name, false);

	for (char **p = list; *p; p++)
		form_check_pointer(f, name, *p);
	return list;
}

char *form_version(struct form *f, uint32_t obj, const char *name, bool must)
{
	char *v = form_text(f, obj, name, must);

	if (v && !semver_valid(v))
		form_wrong(f, name, "not a semantic version");
	return v;
}

void form_free_texts(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

char *form_type(struct form *f, uint32_t obj)
{
	static const char types[] = " schema data config profile index cleanup ";
	char *type = form_text(f, obj, "type", true);

	if (type) {
		char *padded = xasprintf(" %s ", type);

		if (strchr(type, ' ') || !strstr(types, padded))
			form_wrong(f, "type", "not one of schema, data, config, profile, index, cleanup");
		free(padded);
	}
	return type;
}
