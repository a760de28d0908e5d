/* drift.c -- see drift.h */
#include "drift.h"

#include <stdlib.h>

struct comparing {
	const struct doc *was, *is;
	void (*each)(void *arg, const struct drift *x);
	void *arg;
	size_t n;
};

/* The lists of a table and what an element of each is called. */
static const struct {
	const char *member, *what;
} lists[] = {
	{ "columns", "column" },  { "checks", "check" },     { "foreign_keys", "foreign key" },  { "indexes", "index" },
	{ "policies", "policy" }, { "triggers", "trigger" }, { "uniques", "unique constraint" },
};

static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return doc_member(d, obj, name, strlen(name));
}

static char *text_of(const struct doc *d, uint32_t t)
{
	struct buf b = BUF_INIT;

	if (t == DOC_NONE)
		return NULL;
	canon_value(&b, d, t, DOC_NONE);
	return buf_steal(&b);
}

static void tell(struct comparing *c, const char *table, const char *name, const char *what, const char *expected,
                 const char *actual)
{
	char *where = name && *name ? xasprintf("%s.%s", table, name) : xstrdup(table);
	const struct drift x = { where, what, expected, actual };

	c->n++;
	c->each(c->arg, &x);
	free(where);
}

/* An element of a list under its name, and in canonical text. */
struct element {
	char *name, *text;
};

struct elements {
	struct element *v;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->text, y->text);
}

static void elements_read(struct elements *l, const struct doc *d, uint32_t list)
{
	size_t n = list ? d->tok[list].n : 0;

	*l = (struct elements){ xcalloc(n, sizeof *l->v), 0 };
	for (uint32_t t = list + 1; l->n < n; t = d->tok[t].next) {
		char *name = record_dup(d, member(d, t, "name"));

		l->v[l->n++] = (struct element){ name ? name : xstrdup(""), text_of(d, t) };
	}
	if (n)
		qsort(l->v, n, sizeof *l->v, by_name);
}

static void elements_release(struct elements *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].text);
	}
	free(l->v);
}

/* Two sorted lists: what stands in both, in one only, or under the same name with another text. */
static void compare_lists(struct comparing *c, const char *table, uint32_t was, uint32_t is, const char *what)
{
	struct elements a, b;
	size_t i = 0, j = 0;

	elements_read(&a, c->was, was);
	elements_read(&b, c->is, is);
	while (i < a.n || j < b.n) {
		const struct element *x = i < a.n ? &a.v[i] : NULL, *y = j < b.n ? &b.v[j] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		/* those without a name are only known by their text */
		if (order == 0 && !*x->name)
			order = strcmp(x->text, y->text);
		if (order < 0)
			tell(c, table, x->name, what, x->text, NULL);
		else if (order > 0)
			tell(c, table, y->name, what, NULL, y->text);
		else if (strcmp(x->text, y->text) != 0)
			tell(c, table, x->name, what, x->text, y->text);
		i += order <= 0;
		j += order >= 0;
	}
	elements_release(&a);
	elements_release(&b);
}

static void compare_member(struct comparing *c, const char *table, uint32_t was, uint32_t is, const char *name,
                           const char *what)
{
	char *a = text_of(c->was, member(c->was, was, name)), *b = text_of(c->is, member(c->is, is, name));

	if (a && b && strcmp(a, b) != 0)
		tell(c, table, NULL, what, a, b);
	free(a);
	free(b);
}

static void compare_table(struct comparing *c, const char *name, uint32_t was, uint32_t is)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		compare_lists(c, name, member(c->was, was, lists[i].member), member(c->is, is, lists[i].member),
		              lists[i].what);
	compare_member(c, name, was, is, "primary_key", "primary key");
	compare_member(c, name, was, is, "rls", "row-level security");
}

/* Names and tokens, by name. */
struct named {
	char *name;
	uint32_t t;
};

struct directory {
	struct named *v;
	size_t n;
};

static int by_string(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void directory_read(struct directory *l, const struct doc *d, uint32_t list)
{
	size_t n = list ? d->tok[list].n : 0;

	*l = (struct directory){ xcalloc(n, sizeof *l->v), 0 };
	for (uint32_t t = list + 1; l->n < n; t = d->tok[t].next) {
		char *name = record_dup(d, member(d, t, "name"));

		l->v[l->n++] = (struct named){ name ? name : xstrdup(""), t };
	}
	if (n)
		qsort(l->v, n, sizeof *l->v, by_string);
}

static void directory_release(struct directory *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

/* What was there and is managed must be there as it was. */
static void compare_named(struct comparing *c, uint32_t was, uint32_t is, bool views,
                          bool (*managed)(void *arg, const char *name))
{
	struct directory a, b;

	directory_read(&a, c->was, was);
	directory_read(&b, c->is, is);
	for (size_t i = 0; i < a.n; i++) {
		const struct named *x = &a.v[i];

		if (!managed(c->arg, x->name))
			continue;
		const struct named *y = b.n ? bsearch(x, b.v, b.n, sizeof *b.v, by_string) : NULL;

		if (!y)
			tell(c, x->name, NULL, views ? "view" : "table", "{}", NULL);
		else if (views)
			compare_member(c, x->name, x->t, y->t, "definition", "view");
		else
			compare_table(c, x->name, x->t, y->t);
	}
	directory_release(&a);
	directory_release(&b);
}

size_t drift_compare(const struct doc *recorded, uint32_t was, const struct doc *live, uint32_t is,
                     bool (*managed)(void *arg, const char *name), void (*each)(void *arg, const struct drift *x),
                     void *arg)
{
	struct comparing c = { .was = recorded, .is = live, .each = each, .arg = arg };

	compare_named(&c, member(recorded, was, "tables"), member(live, is, "tables"), false, managed);
	compare_named(&c, member(recorded, was, "views"), member(live, is, "views"), true, managed);
	return c.n;
}

void drift_message(struct buf *out, const struct drift *x)
{
	if (!x->actual)
		buf_addf(out, "the %s is missing", x->what);
	else if (!x->expected)
		buf_addf(out, "unexpected %s", x->what);
	else
		buf_addf(out, "the %s was changed: expected %s, found %s", x->what, x->expected, x->actual);
}
