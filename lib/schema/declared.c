/* declared.c -- see declared.h */
#include "declared.h"

#include "pointer.h"
#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* "/tables/0/name: message"; the pointer is that below root. */
__attribute__((format(printf, 5, 0)))
static void say(struct declared *in, enum mig_exit exit, uint32_t t, const char *rule, const char *fmt, va_list ap)
{
	struct buf above = BUF_INIT, at = BUF_INIT;
	char message[1024];

	vsnprintf(message, sizeof message, fmt, ap);
	buf_reserve(&at, 0);
	pointer_of(in->doc, in->root, &above);
	pointer_of(in->doc, t, &at);
	diag_add(in->d, exit, rule, in->where, "%s%s%s", at.s + above.len, at.len > above.len ? ": " : "", message);
	buf_release(&above);
	buf_release(&at);
}

int declared_say(struct declared *in, enum mig_exit exit, uint32_t t, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(in, exit, t, rule, fmt, ap);
	va_end(ap);
	in->bad |= exit != MIG_OK;
	return -1;
}

int declared_wrong(struct declared *in, uint32_t t, const char *rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(in, MIG_INVALID, t, rule, fmt, ap);
	va_end(ap);
	in->bad = true;
	return -1;
}

/* "a text or a number" */
static const char *expected(int types, char out[80])
{
	static const struct {
		int is;
		const char *name;
	} names[] = { { IS_STR, "a text" },
		      { IS_NUM, "a number" },
		      { IS_BOOL, "true or false" },
		      { IS_ARR, "an array" },
		      { IS_OBJ, "an object" } };
	int n = 0;

	out[0] = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (types & names[i].is)
			n += snprintf(out + n, 80 - (size_t)n, "%s%s", n ? " or " : "", names[i].name);
	return out;
}

uint32_t declared_member(struct declared *in, uint32_t obj, const char *name, int types)
{
	uint32_t t = doc_member(in->doc, obj, name, strlen(name));
	char what[80];

	if (t == DOC_NONE || (types & MAY_LACK && in->doc->tok[t].type == DOC_NULL)) {
		if (!(types & MAY_LACK))
			declared_wrong(in, obj, "schema_shape", "\"%s\" is missing", name);
		return DOC_NONE;
	}
	if (!(types & 1 << in->doc->tok[t].type)) {
		declared_wrong(in, t, "schema_shape", "not %s", expected(types, what));
		return DOC_NONE;
	}
	return t;
}

char *declared_dup(struct declared *in, uint32_t t)
{
	struct buf b = BUF_INIT;

	buf_reserve(&b, 0);
	doc_string(in->doc, t, &b);
	if (memchr(b.s, 0, b.len)) {
		buf_release(&b);
		declared_wrong(in, t, "schema_shape", "U+0000 is in no text of a database");
		return NULL;
	}
	return buf_steal(&b);
}

char *declared_text(struct declared *in, uint32_t obj, const char *name, int must_or_may)
{
	uint32_t t = declared_member(in, obj, name, IS_STR | must_or_may);

	return t == DOC_NONE ? NULL : declared_dup(in, t);
}

bool declared_flag(struct declared *in, uint32_t obj, const char *name)
{
	uint32_t t = declared_member(in, obj, name, IS_BOOL | MAY_LACK);

	return t != DOC_NONE && in->doc->tok[t].type == DOC_TRUE;
}

bool declared_int(struct declared *in, uint32_t obj, const char *name, int64_t low, int64_t high, int64_t *v)
{
	uint32_t t = declared_member(in, obj, name, IS_NUM | MAY_LACK);

	if (t == DOC_NONE)
		return false;
	if (doc_int(in->doc, t, v) && *v >= low && *v <= high)
		return true;
	declared_wrong(in, t, "schema_shape", "not a whole number from %lld to %lld", (long long)low, (long long)high);
	return false;
}

char **declared_texts(struct declared *in, uint32_t obj, const char *name, int must_or_may, size_t *n)
{
	uint32_t a = declared_member(in, obj, name, IS_ARR | must_or_may);
	char **list = NULL;

	*n = 0;
	if (a == DOC_NONE)
		return NULL;
	if (in->doc->tok[a].n == 0)
		declared_wrong(in, a, "schema_shape", "it is empty");
	for (uint32_t e = declared_first(in, a); e; e = declared_next(in, a, e)) {
		char *s = in->doc->tok[e].type == DOC_STRING ? declared_dup(in, e) : NULL;

		if (s)
			MORE(list, *n) = s;
		else if (in->doc->tok[e].type != DOC_STRING)
			declared_wrong(in, e, "schema_shape", "not a text");
	}
	return list;
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

void declared_known(struct declared *in, uint32_t obj, const char *const *names, size_t count, const char *what)
{
	uint32_t key = obj + 1;

	for (uint32_t i = 0; i < in->doc->tok[obj].n; i++, key = in->doc->tok[key + 1].next) {
		char *name = record_dup(in->doc, key);

		if (!bsearch(name, names, count, sizeof *names, compare_name))
			declared_say(in, MIG_OK, key + 1, "schema_unknown_member", "a %s's \"%s\" means nothing here",
			             what, name);
		free(name);
	}
}

uint32_t declared_first(const struct declared *in, uint32_t a)
{
	return a != DOC_NONE && in->doc->tok[a].n ? a + 1 : DOC_NONE;
}

uint32_t declared_next(const struct declared *in, uint32_t a, uint32_t e)
{
	e = in->doc->tok[e].next;
	return e < in->doc->tok[a].next ? e : DOC_NONE;
}

/* Rooms are powers of two from 4 on, so that n alone tells when one is full. */
void *declared_room(void *list, size_t n, size_t size)
{
	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0))
		list = xrealloc(list, n ? n * 2 : 4, size);
	memset((char *)list + n * size, 0, size);
	return list;
}
