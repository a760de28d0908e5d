/* model-default.c -- see model-default.h */
#include "model-default.h"

#include "canon.h"
#include "number.h"
#include "record.h"

#include <math.h>
#include <stdlib.h>

/* The field whose default is being read. */
struct wish {
	struct declared *in;
	const struct field *f;
	struct column *c;
	uint32_t t; /* the value */
};

static void set(struct column *c, enum default_kind kind, char *text)
{
	free(c->def_text);
	c->def = kind;
	c->def_text = text;
}

static void refuse(struct wish *w, const char *what)
{
	declared_wrong(w->in, w->t, "schema_default", "default of a %s is not %s", w->f->type->name, what);
}

static bool is(const struct wish *w, const char *s)
{
	return doc_equals(w->in->doc, w->t, s, strlen(s));
}

static enum doc_type type_of(const struct wish *w)
{
	return (enum doc_type)w->in->doc->tok[w->t].type;
}

static char *json_text(const struct declared *in, uint32_t t)
{
	struct buf b = BUF_INIT;

	canon_value(&b, in->doc, t, DOC_NONE);
	return buf_steal(&b);
}

/* How many characters a VARCHAR(n) holds; 0: no limit. */
static size_t limit_of(const char *type)
{
	return strncmp(type, "VARCHAR(", 8) == 0 ? strtoul(type + 8, NULL, 10) : 0;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static void text_default(struct wish *w)
{
	size_t limit = limit_of(w->c->type);

	if (type_of(w) != DOC_STRING) {
		refuse(w, "a text");
		return;
	}
	char *s = declared_dup(w->in, w->t);

	if (s && limit && characters(s) > limit)
		declared_wrong(w->in, w->t, "schema_default", "default is longer than %zu characters", limit);
	set(w->c, DEFAULT_TEXT, s);
}

/* Is the value within the field's own min and max? */
static bool in_range(const struct wish *w, double v)
{
	uint32_t min = doc_member(w->in->doc, w->f->tok, "min", 3), max = doc_member(w->in->doc, w->f->tok, "max", 3);
	const struct tok *tok = w->in->doc->tok;

	return !(min && tok[min].type == DOC_NUMBER && v < doc_double(w->in->doc, min)) &&
	       !(max && tok[max].type == DOC_NUMBER && v > doc_double(w->in->doc, max));
}

static void number_default(struct wish *w, bool whole)
{
	char out[NUMBER_SIZE];
	size_t n;

	if (type_of(w) != DOC_NUMBER) {
		refuse(w, "a number");
		return;
	}
	double v = doc_double(w->in->doc, w->t);
	const char *s = doc_span(w->in->doc, w->t, &n);

	if (whole && (v != floor(v) || v < INT32_MIN || v > INT32_MAX))
		refuse(w, "a whole number of 32 bits");
	else if (!in_range(w, v))
		refuse(w, "within its min and max");
	n = number_canonical(s, n, out);
	set(w->c, w->f->type->class == FIELD_DURATION ? DEFAULT_SECONDS : DEFAULT_NUMBER, xmemdup(out, n));
}

/* Is text t one of the field's options, which are texts or objects with a "value"? */
static bool offered(const struct declared *in, uint32_t field, uint32_t t)
{
	const struct doc *d = in->doc;
	uint32_t a = doc_member(d, field, "options", 7);
	struct buf b = BUF_INIT;
	bool found = false;

	if (a == DOC_NONE || d->tok[a].type != DOC_ARRAY)
		return true; /* a fault of its own */
	buf_reserve(&b, 0);
	doc_string(d, t, &b);
	for (uint32_t e = declared_first(in, a); e && !found; e = declared_next(in, a, e)) {
		uint32_t v = d->tok[e].type == DOC_OBJECT ? doc_member(d, e, "value", 5) : e;

		found = v && d->tok[v].type == DOC_STRING && doc_equals(d, v, b.s, b.len);
	}
	buf_release(&b);
	return found;
}

static void choice_default(struct wish *w)
{
	if (type_of(w) == DOC_STRING && !offered(w->in, w->f->tok, w->t))
		refuse(w, "one of its options");
	else
		text_default(w);
}

static void list_default(struct wish *w)
{
	if (type_of(w) != DOC_ARRAY) {
		refuse(w, "an array");
		return;
	}
	for (uint32_t e = declared_first(w->in, w->t); e; e = declared_next(w->in, w->t, e)) {
		enum doc_type type = (enum doc_type)w->in->doc->tok[e].type;

		if (type == DOC_ARRAY || type == DOC_OBJECT || type == DOC_NULL)
			declared_wrong(w->in, e, "schema_default", "default of a list holds no texts or numbers");
		else if (w->f->type->class == FIELD_CHOICES && (type != DOC_STRING || !offered(w->in, w->f->tok, e)))
			declared_wrong(w->in, e, "schema_default", "default is not one of its options");
	}
	set(w->c, DEFAULT_JSON, json_text(w->in, w->t));
}

/* "9" matches a digit, all else itself; what follows the pattern may be anything where open is set. */
static bool looks_like(const char *s, const char *pattern, bool open)
{
	for (; *pattern; s++, pattern++)
		if (*pattern == '9' ? *s < '0' || *s > '9' : *s != *pattern)
			return false;
	return open || !*s;
}

static void time_default(struct wish *w)
{
	enum field_class class = w->f->type->class;

	if (is(w, "NOW()") || is(w, "CURRENT_TIMESTAMP") || is(w, "CURRENT_DATE") || is(w, "CURRENT_TIME")) {
		bool day = class == FIELD_DATE || (class == FIELD_MOMENT && is(w, "CURRENT_DATE"));

		set(w->c, day ? DEFAULT_TODAY : DEFAULT_NOW, NULL);
		return;
	}
	text_default(w);
	if (type_of(w) != DOC_STRING || !w->c->def_text)
		return;
	if (class == FIELD_TIME ? !looks_like(w->c->def_text, "99:99", true)
	                        : !looks_like(w->c->def_text, "9999-99-99", class == FIELD_MOMENT))
		refuse(w, class == FIELD_TIME ? "HH:MM, HH:MM:SS or NOW()" : "an ISO 8601 date, CURRENT_DATE or NOW()");
}

static void link_default(struct wish *w)
{
	if (type_of(w) == DOC_STRING)
		text_default(w);
	else
		number_default(w, false);
}

static void declared_default(struct wish *w)
{
	switch (w->f->type->class) {
	case FIELD_TEXT:
	case FIELD_POINT:
		text_default(w);
		break;
	case FIELD_INTEGER:
	case FIELD_NUMBER:
	case FIELD_DURATION:
		number_default(w, w->f->type->class == FIELD_INTEGER);
		break;
	case FIELD_BOOL:
		if (type_of(w) != DOC_TRUE && type_of(w) != DOC_FALSE)
			refuse(w, "true or false");
		set(w->c, DEFAULT_BOOL, xstrdup(type_of(w) == DOC_TRUE ? "true" : "false"));
		break;
	case FIELD_DATE:
	case FIELD_TIME:
	case FIELD_MOMENT:
		time_default(w);
		break;
	case FIELD_CHOICE:
		choice_default(w);
		break;
	case FIELD_CHOICES:
	case FIELD_LIST:
		list_default(w);
		break;
	case FIELD_JSON:
		set(w->c, DEFAULT_JSON, json_text(w->in, w->t));
		break;
	case FIELD_LINK:
		link_default(w);
		break;
	default:
		declared_wrong(w->in, w->t, "schema_default", "a %s has no default", w->f->type->name);
	}
}

/* What a type implies where its field says nothing. */
static void implied_default(struct declared *in, const struct field *f, struct column *c)
{
	const char *type = f->type->name;
	int64_t first;

	if (strcmp(type, "progress") == 0 && c->not_null)
		set(c, DEFAULT_NUMBER, xstrdup("0"));
	else if (strcmp(type, "ai-tag") == 0)
		set(c, DEFAULT_JSON, xstrdup("[]"));
	else if (strcmp(type, "created-at") == 0 || strcmp(type, "updated-at") == 0)
		set(c, DEFAULT_NOW, NULL);
	else if (f->type->class == FIELD_COUNTER && declared_int(in, f->tok, "startFrom", 0, INT32_MAX, &first) &&
	         first != 1)
		set(c, DEFAULT_SERIAL, xasprintf("%lld", (long long)first));
	else if (f->type->class == FIELD_COUNTER)
		set(c, DEFAULT_SERIAL, NULL);
}

void model_default(struct declared *in, const struct field *f, struct column *c)
{
	struct wish w = { in, f, c, doc_member(in->doc, f->tok, "default", 7) };

	if (w.t == DOC_NONE || type_of(&w) == DOC_NULL)
		implied_default(in, f, c);
	else
		declared_default(&w);
}
