/* form.c -- see form.h */
#include "form.h"

#include "io.h"
#include "pointer.h"
#include "record.h"
#include "semver.h"

#include <stdlib.h>

/* /version/pointer: missing */
static void wrong(struct form *f, uint32_t obj, const char *member, const char *what)
{
	struct buf at = BUF_INIT;

	if (obj)
		pointer_of(&f->doc, obj, &at);
	f->bad = true;
	diag_add(f->d, MIG_INVALID, "bad_set", f->file, "%.*s/%s: %s", (int)at.len, obj ? at.s : "", member, what);
	buf_release(&at);
}

int form_wrong(struct form *f, const char *member, const char *what)
{
	wrong(f, 0, member, what);
	return -1;
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

static bool has_nul(const struct doc *d, uint32_t t)
{
	struct buf text = BUF_INIT;

	if (d->tok[t].type != DOC_STRING || !(d->tok[t].flags & DOC_ESCAPED))
		return false;
	doc_string(d, t, &text);
	bool has = memchr(text.s, '\0', text.len);

	buf_release(&text);
	return has;
}

static void refuse_nul(struct form *f, uint32_t t, const char *what)
{
	struct buf at = BUF_INIT;

	if (t)
		pointer_of(&f->doc, t, &at);
	f->bad = true;
	diag_add(f->d, MIG_INVALID, "bad_set", f->file, "%.*s%s%s U+0000", (int)at.len, t ? at.s : "", t ? ": " : "",
	         what);
	buf_release(&at);
}

/*
 * The texts of a set are strings to C and to jq, to which what stands behind a
 * U+0000 does not count.  Names that are not known are refused anyway.
 */
static int check_texts(struct form *f, uint32_t t)
{
	bool object = f->doc.tok[t].type == DOC_OBJECT;

	if (has_nul(&f->doc, t))
		refuse_nul(f, t, "holds");
	if (!object && f->doc.tok[t].type != DOC_ARRAY)
		return 0;
	for (uint32_t c = t + 1 + object; c < f->doc.tok[t].next; c = f->doc.tok[c].next + object) {
		if (object && has_nul(&f->doc, c - 1))
			refuse_nul(f, t, "a name in it holds");
		check_texts(f, c);
	}
	return f->bad ? -1 : 0;
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
	return check_texts(f, 0);
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

			wrong(f, obj, name, "unknown member");
			free(name);
		}
	}
}

uint32_t form_member(struct form *f, uint32_t obj, const char *name, int types, bool must)
{
	uint32_t t = doc_member(&f->doc, obj, name, strlen(name));

	if (t == DOC_NONE) {
		if (must)
			wrong(f, obj, name, "missing");
		return DOC_NONE;
	}
	if (!(types & 1 << f->doc.tok[t].type)) {
		wrong(f, obj, name, "has the wrong type");
		return DOC_NONE;
	}
	return t;
}

char *form_text(struct form *f, uint32_t obj, const char *name, bool must)
{
	char *s = record_dup(&f->doc, form_member(f, obj, name, 1 << DOC_STRING, must));

	if (s && !*s)
		wrong(f, obj, name, "is empty");
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
			wrong(f, obj, name, "holds something that is not a text");
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
		wrong(f, obj, name, "not a semantic version");
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
			wrong(f, obj, "type", "not one of schema, data, config, profile, index, cleanup");
		free(padded);
	}
	return type;
}
