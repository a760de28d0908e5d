/* classify.c -- see classify.h */
#include "classify.h"

#include "base.h"
#include "classify-alter.h"
#include "classify-rows.h"

#include <stdlib.h>

/* ---- things ---- */

static const struct droppable {
	const char *what, *rule;
	enum severity severity;
	bool table, no_transaction;
} droppable[] = {
	{ "table", "drop_table", SEVERITY_CRITICAL, true, false },
	{ "foreign table", "drop_table", SEVERITY_CRITICAL, false, false },
	{ "materialized view", "drop_view", SEVERITY_WARNING, false, false },
	{ "view", "drop_view", SEVERITY_WARNING, false, false },
	{ "schema", "drop_schema", SEVERITY_CRITICAL, false, false },
	{ "owned by", "drop_schema", SEVERITY_CRITICAL, false, false },
	{ "database", "drop_database", SEVERITY_CRITICAL, false, true },
	{ "tablespace", "drop_object", SEVERITY_REVIEW, false, true },
	{ "index", "drop_index", SEVERITY_WARNING, false, false },
	{ "trigger", "drop_trigger", SEVERITY_WARNING, false, false },
	{ "event trigger", "drop_trigger", SEVERITY_WARNING, false, false },
	{ "rule", "drop_trigger", SEVERITY_WARNING, false, false },
	{ "policy", "drop_policy", SEVERITY_CRITICAL, false, false },
};

/* Types, functions, sequences, extensions: with CASCADE the columns that use them go, too. */
static void drops_object(struct meaning *m, const struct phrase *p, size_t i)
{
	char *what = i < p->n ? xmemdup(p->s + p->tok[i].at, p->tok[i].len) : xstrdup("something");
	bool cascade = phrase_find(p, i, "cascade", 0) < p->n;

	meaning_add(m, cascade ? "drop_column" : "drop_object", cascade ? SEVERITY_CRITICAL : SEVERITY_REVIEW, NULL,
	            xasprintf("drops a %s%s", what, cascade ? ", and columns that use it" : ""));
	free(what);
}

static void drops(struct meaning *m, const struct phrase *p, size_t i)
{
	const struct droppable *k = NULL;
	struct dotted t = DOTTED_INIT;

	for (size_t j = 0; j < sizeof droppable / sizeof *droppable && !k; j++)
		if (phrase_take(p, &i, droppable[j].what))
			k = &droppable[j];
	if (!k) {
		drops_object(m, p, i);
		return;
	}
	m->no_transaction = k->no_transaction || phrase_take(p, &i, "concurrently");
	phrase_take(p, &i, "if exists");
	do {
		if (!dotted_read(&t, p, &i))
			break;
		meaning_guard(m, meaning_protected(t.schema, t.name, p->dialect), t.name);
		meaning_add(m, k->rule, k->severity, k->table ? dotted_local(&t) : NULL,
		            xasprintf("drops %s %s", k->what, t.name));
		if (k->table)
			meaning_use(m, USE_LOSES, t.schema, t.name);
		meaning_use(m, USE_DROPS, t.schema, t.name);
	} while (phrase_op(p, i++, ','));
	dotted_release(&t);
}

/* CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS name ON ONLY table */
static void creates_index(struct meaning *m, const struct phrase *p, size_t i, bool unique)
{
	struct dotted t = DOTTED_INIT;
	bool concurrently = phrase_take(p, &i, "concurrently");
	size_t on = phrase_find(p, i, "on", 0) + 1;

	m->no_transaction = concurrently;
	phrase_take(p, &on, "only");
	if (!dotted_read(&t, p, &on))
		return;
	meaning_guard(m, meaning_protected(t.schema, t.name, p->dialect), t.name);
	meaning_use(m, USE_NEEDS, t.schema, t.name);
	if (unique)
		meaning_add(m, "add_unique", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("fails where rows of table %s are not unique", t.name));
	if (p->dialect == DIALECT_POSTGRESQL && !concurrently)
		meaning_add(m, "lock_taking", SEVERITY_REVIEW, dotted_local(&t),
		            xasprintf("locks table %s against writing while its index is built", t.name));
	dotted_release(&t);
}

static bool takes_one_of(const struct phrase *p, size_t *i, const char *const *words)
{
	for (; *words; words++)
		if (phrase_take(p, i, *words))
			return true;
	return false;
}

static void creates(struct meaning *m, const struct phrase *p, size_t i)
{
	static const char *const before[] = { "or replace", "temp",      "temporary",    "unlogged", "global",
		                              "local",      "recursive", "materialized", "virtual",  "foreign", NULL };
	static const char *const alone[] = { "database", "tablespace", "subscription", NULL };
	struct dotted t = DOTTED_INIT;

	while (takes_one_of(p, &i, before))
		;
	bool unique = phrase_take(p, &i, "unique");

	if (phrase_take(p, &i, "index")) {
		creates_index(m, p, i, unique);
	} else if (phrase_take(p, &i, "table") || phrase_take(p, &i, "view")) {
		phrase_take(p, &i, "if not exists");
		if (dotted_read(&t, p, &i)) {
			meaning_guard(m, meaning_ours(t.schema, t.name, p->dialect), t.name);
			meaning_use(m, USE_CREATES, t.schema, t.name);
		}
	} else {
		m->no_transaction = takes_one_of(p, &i, alone);
	}
	dotted_release(&t);
}

static void alters(struct meaning *m, const struct phrase *p, size_t i)
{
	struct dotted t = DOTTED_INIT;
	bool table = phrase_take(p, &i, "table") || phrase_take(p, &i, "foreign table");
	bool type = !table && phrase_take(p, &i, "type"), exists = phrase_take(p, &i, "if exists");

	phrase_take(p, &i, "only");
	if ((table || type) && dotted_read(&t, p, &i)) {
		if (phrase_op(p, i, '*'))
			i++;
		if (type)
			classify_alter_type(m, p, i, t.name);
		else
			classify_alter_table(m, p, i, t.schema, t.name);
		meaning_guard(m, table && meaning_protected(t.schema, t.name, p->dialect), t.name);
		m->opaque |= exists; /* it may not be there */
	} else if (phrase_take(p, &i, "policy")) {
		meaning_add(m, "drop_policy", SEVERITY_CRITICAL, NULL, xstrdup("changes who may see and write rows"));
	} else {
		m->no_transaction = phrase_is(p, i, "system");
		if (phrase_find(p, i, "rename", 0) < p->n)
			meaning_add(m, "backward_incompatible", SEVERITY_WARNING, NULL,
			            xstrdup("renames something under its users"));
		else if (phrase_find(p, i, "owner", 0) == p->n)
			meaning_add(m, "unknown_statement", SEVERITY_REVIEW, NULL,
			            xstrdup("alters something in a way that is not known here"));
	}
	dotted_release(&t);
}

/* ---- the rest ---- */

static void controls(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)p;
	(void)i;
	m->control = true;
}

static void reaches_out(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)p;
	(void)i;
	m->outside = true;
}

static void vacuums(struct meaning *m, const struct phrase *p, size_t i)
{
	m->no_transaction = true;
	m->outside = phrase_find(p, i, "into", 0) < p->n;
}

static void reindexes(struct meaning *m, const struct phrase *p, size_t i)
{
	m->no_transaction = phrase_find(p, i, "concurrently", 0) < p->n || phrase_is(p, i, "database") ||
	                    phrase_is(p, i, "system") || phrase_is(p, i, "schema");
	if (p->dialect == DIALECT_POSTGRESQL && !m->no_transaction)
		meaning_add(m, "lock_taking", SEVERITY_REVIEW, NULL,
		            xstrdup("locks a table against writing while its index is built"));
}

static void clusters(struct meaning *m, const struct phrase *p, size_t i)
{
	m->no_transaction = i == p->n;
	meaning_add(m, "lock_taking", SEVERITY_REVIEW, NULL, xstrdup("locks a table while it is written anew"));
}

static void locks(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)p;
	(void)i;
	meaning_add(m, "lock_taking", SEVERITY_REVIEW, NULL, xstrdup("locks a table or a view until it is done"));
}

static void computes(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)p;
	(void)i;
	m->opaque = true;
	meaning_add(m, "dynamic_sql", SEVERITY_REVIEW, NULL, xstrdup("what it does is decided when it runs"));
}

static void pragmas(struct meaning *m, const struct phrase *p, size_t i)
{
	m->no_transaction = phrase_is(p, i, "journal_mode");
	if (phrase_is(p, i, "foreign_keys"))
		meaning_add(m, "no_transaction", SEVERITY_WARNING, NULL,
		            xstrdup("has no effect in a transaction; foreign keys are checked when all is done"));
	else if (!m->no_transaction)
		meaning_add(m, "unknown_statement", SEVERITY_REVIEW, NULL,
		            xstrdup("a pragma: what it changes is not known here"));
}

static void configures(struct meaning *m, const struct phrase *p, size_t i)
{
	m->control = phrase_is(p, i, "transaction") || phrase_take(p, &i, "session characteristics");
	m->opaque = true;
	meaning_add(m, "unknown_statement", SEVERITY_REVIEW, NULL,
	            xstrdup("a setting that later statements meet, too"));
}

static void revokes(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)p;
	(void)i;
	meaning_add(m, "backward_incompatible", SEVERITY_WARNING, NULL, xstrdup("takes rights from its users"));
}

static void nothing(struct meaning *m, const struct phrase *p, size_t i)
{
	(void)m;
	(void)p;
	(void)i;
}

/* By their first words; the longer of two that begin alike stands first. */
static const struct {
	const char *start;
	void (*judge)(struct meaning *m, const struct phrase *p, size_t i);
} judges[] = {
	{ "prepare transaction", controls },
	{ "commit", controls },
	{ "begin", controls },
	{ "start transaction", controls },
	{ "rollback", controls },
	{ "abort", controls },
	{ "end", controls },
	{ "savepoint", controls },
	{ "release", controls },
	{ "create", creates },
	{ "drop", drops },
	{ "alter", alters },
	{ "truncate", classify_truncate },
	{ "select", classify_query },
	{ "with", classify_query },
	{ "values", classify_query },
	{ "table", nothing },
	{ "attach", reaches_out },
	{ "detach", reaches_out },
	{ "vacuum", vacuums },
	{ "reindex", reindexes },
	{ "cluster", clusters },
	{ "lock", locks },
	{ "refresh materialized view", locks },
	{ "do", computes },
	{ "call", computes },
	{ "execute", computes },
	{ "prepare", computes },
	{ "import", computes },
	{ "pragma", pragmas },
	{ "set constraints", nothing },
	{ "set", configures },
	{ "reset", configures },
	{ "revoke", revokes },
	{ "grant", nothing },
	{ "comment on", nothing },
	{ "analyze", nothing },
	{ "explain", nothing },
	{ "notify", nothing },
};

void classify(struct meaning *m, const char *s, size_t n, enum dialect dialect)
{
	struct phrase p = PHRASE_INIT;
	size_t i = 0, k = 0, count = sizeof judges / sizeof *judges;

	meaning_reset(m);
	phrase_read(&p, s, n, dialect);
	while (k < count && !phrase_take(&p, &i, judges[k].start))
		k++;
	if (k < count) {
		judges[k].judge(m, &p, i);
	} else if (!classify_writes(m, &p)) {
		m->opaque = true;
		meaning_add(m, "unknown_statement", SEVERITY_REVIEW, NULL,
		            xstrdup("not a statement that is known here"));
	}
	phrase_release(&p);
}

bool classify_is_query(const char *s, size_t n, enum dialect dialect)
{
	struct meaning m = MEANING_INIT;
	struct phrase p = PHRASE_INIT;

	phrase_read(&p, s, n, dialect);
	bool asks = phrase_is(&p, 0, "select") || phrase_is(&p, 0, "values") || phrase_is(&p, 0, "with") ||
	            phrase_is(&p, 0, "table");

	asks = asks && phrase_find(&p, 0, "into", 0) == p.n && !classify_writes(&m, &p);
	meaning_release(&m);
	phrase_release(&p);
	return asks;
}
