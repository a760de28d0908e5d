/* classify-rows.c -- see classify-rows.h */
#include "classify-rows.h"

#include "base.h"

#include <stdlib.h>

/* Where the query or the parentheses around token i end. */
static size_t group_end(const struct phrase *p, size_t i)
{
	unsigned depth = p->tok[i].depth;

	while (i < p->n && p->tok[i].depth >= depth)
		i++;
	return i;
}

/* Does a WHERE choose among the rows?  "WHERE true", "WHERE 1" and "WHERE 1 = 1" do not. */
static bool chooses(const struct phrase *p, size_t i)
{
	size_t end = group_end(p, i), at = phrase_find(p, i, "where", p->tok[i].depth);

	if (at >= end)
		return false;
	if (at + 2 == end || (at + 4 == end && phrase_op(p, at + 2, '=')))
		return !phrase_is(p, at + 1, "true") && p->tok[at + 1].kind != LEX_NUMBER;
	return true;
}

static void deletes(struct meaning *m, const struct phrase *p, size_t i)
{
	struct dotted t = DOTTED_INIT;
	size_t start = i;

	phrase_take(p, &i, "delete from");
	phrase_take(p, &i, "only");
	if (!dotted_read(&t, p, &i))
		return;
	meaning_guard(m, meaning_ours(t.schema, t.name, p->dialect), t.name);
	if (chooses(p, start)) {
		meaning_add(m, "data_dependent", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("deletes rows of table %s", t.name));
	} else {
		meaning_add(m, "delete_all", SEVERITY_CRITICAL, dotted_local(&t),
		            xasprintf("deletes every row of table %s", t.name));
		meaning_use(m, USE_LOSES, t.schema, t.name);
	}
	dotted_release(&t);
}

static void updates(struct meaning *m, const struct phrase *p, size_t i)
{
	struct dotted t = DOTTED_INIT;
	size_t start = i++;

	if (phrase_take(p, &i, "or"))
		i++;
	phrase_take(p, &i, "only");
	if (!dotted_read(&t, p, &i))
		return;
	meaning_guard(m, meaning_ours(t.schema, t.name, p->dialect), t.name);
	if (chooses(p, start))
		meaning_add(m, "data_dependent", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("updates rows of table %s", t.name));
	else
		meaning_add(m, "update_all", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("updates every row of table %s", t.name));
	dotted_release(&t);
}

/* Rows that stand in the script are no concern; rows that a query gives, or that replace others, are. */
static void inserts(struct meaning *m, const struct phrase *p, size_t i)
{
	struct dotted t = DOTTED_INIT;
	size_t start = i, end = group_end(p, i);
	unsigned depth = p->tok[i].depth;
	bool replaces = phrase_is(p, i, "replace") || phrase_is(p, i + 2, "replace");

	while (i < end && !phrase_is(p, i, "into"))
		i++;
	i++;
	if (!dotted_read(&t, p, &i))
		return;
	meaning_guard(m, meaning_ours(t.schema, t.name, p->dialect), t.name);
	if (replaces || phrase_find(p, start, "select", depth) < end || phrase_find(p, start, "update", depth) < end)
		meaning_add(m, "data_dependent", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("what it writes to table %s depends on the rows that are there", t.name));
	dotted_release(&t);
}

bool classify_writes(struct meaning *m, const struct phrase *p)
{
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		bool begun = i == 0 || p->tok[i - 1].kind == LEX_OPEN || p->tok[i - 1].kind == LEX_CLOSE;

		if (!begun)
			continue;
		if (phrase_is(p, i, "delete"))
			deletes(m, p, i);
		else if (phrase_is(p, i, "update"))
			updates(m, p, i);
		else if (phrase_is(p, i, "insert") || (phrase_is(p, i, "replace") && phrase_is(p, i + 1, "into")))
			inserts(m, p, i);
		else
			continue;
		any = true;
	}
	return any;
}

void classify_truncate(struct meaning *m, const struct phrase *p, size_t i)
{
	struct dotted t = DOTTED_INIT;

	phrase_take(p, &i, "table");
	do {
		phrase_take(p, &i, "only");
		if (!dotted_read(&t, p, &i))
			break;
		meaning_guard(m, meaning_protected(t.schema, t.name, p->dialect), t.name);
		meaning_add(m, "truncate", SEVERITY_CRITICAL, dotted_local(&t),
		            xasprintf("deletes every row of table %s", t.name));
		meaning_use(m, USE_LOSES, t.schema, t.name);
		if (phrase_op(p, i, '*'))
			i++;
	} while (phrase_op(p, i++, ','));
	dotted_release(&t);
}

static bool calls_a_function(const struct phrase *p)
{
	static const char *const not[] = { "in", "as", "exists", "and", "or", "not", "from", "where", "select", "on",
		                           "using", "any", "all", "then", "else", "when", "values", "over", "count" };

	for (size_t i = 0; i + 1 < p->n; i++) {
		bool keyword = p->tok[i + 1].kind != LEX_OPEN || p->tok[i].kind != LEX_WORD;

		for (size_t k = 0; k < sizeof not / sizeof *not && !keyword; k++)
			keyword = phrase_is(p, i, not[k]);
		if (!keyword)
			return true;
	}
	return false;
}

void classify_query(struct meaning *m, const struct phrase *p, size_t i)
{
	if (phrase_find(p, i, "into", 0) < p->n)
		m->opaque = true;
	if (!classify_writes(m, p) && calls_a_function(p))
		meaning_add(m, "unknown_statement", SEVERITY_REVIEW, NULL,
		            xstrdup("what the functions that it calls do is not known here"));
}
