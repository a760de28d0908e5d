/* classify-alter.c -- see classify-alter.h */
#include "classify-alter.h"

#include "base.h"

#include <stdlib.h>

struct alter {
	struct meaning *m;
	const struct phrase *p;
	const char *schema, *table;
};

/* The name at *i, or "?": new. */
static char *name_at(const struct phrase *p, size_t *i)
{
	struct dotted n = DOTTED_INIT;
	char *name = xstrdup(dotted_read(&n, p, i) ? n.name : "?");

	dotted_release(&n);
	return name;
}

static void remark(struct alter *a, const char *rule, enum severity severity, char *message)
{
	meaning_add(a->m, rule, severity, dotted_is_local(a->schema) ? a->table : NULL, message);
}

/* PostgreSQL holds a lock that keeps every reader out while it reads or rewrites the table. */
static void locks(struct alter *a, const char *why)
{
	if (a->p->dialect == DIALECT_POSTGRESQL)
		remark(a, "lock_taking", SEVERITY_REVIEW,
		       xasprintf("locks table %s against reading and writing while %s", a->table, why));
}

static void drop_clause(struct alter *a, size_t i)
{
	const struct phrase *p = a->p;

	if (phrase_take(p, &i, "constraint")) {
		phrase_take(p, &i, "if exists");
		char *name = name_at(p, &i);

		remark(a, "drop_constraint", SEVERITY_WARNING,
		       xasprintf("drops constraint %s of table %s", name, a->table));
		free(name);
		return;
	}
	phrase_take(p, &i, "column");
	phrase_take(p, &i, "if exists");
	char *name = name_at(p, &i);

	remark(a, "drop_column", SEVERITY_CRITICAL, xasprintf("drops column %s.%s", a->table, name));
	meaning_use(a->m, USE_LOSES, a->schema, a->table);
	free(name);
}

/* Behind ADD, at CONSTRAINT or what it says; false: it is none. */
static bool add_constraint(struct alter *a, size_t i, size_t end)
{
	const struct phrase *p = a->p;
	size_t at = i;
	bool checked = phrase_find(p, i, "valid", p->tok[i].depth) >= end;
	const char *rule = NULL;

	if (phrase_take(p, &at, "constraint"))
		free(name_at(p, &at));
	if (phrase_is(p, at, "check"))
		rule = "add_check";
	else if (phrase_is(p, at, "unique") || phrase_is(p, at, "primary") || phrase_is(p, at, "exclude"))
		rule = "add_unique";
	else if (phrase_is(p, at, "foreign"))
		rule = "add_foreign_key";
	if (!rule)
		return at > i;
	if (!checked)
		return true;
	remark(a, rule, SEVERITY_REVIEW, xasprintf("fails where rows of table %s break the constraint", a->table));
	locks(a, "its rows are checked");
	return true;
}

/* serial, or a default that a function gives anew for each row: the table is written anew. */
static bool is_volatile(const struct phrase *p, size_t i, size_t end)
{
	size_t d = phrase_find(p, i, "default", p->tok[i].depth);

	for (size_t k = i; k < end; k++)
		if (phrase_is(p, k, "serial") || phrase_is(p, k, "bigserial") || phrase_is(p, k, "smallserial"))
			return true;
	return d + 2 < end && p->tok[d + 1].kind == LEX_WORD && p->tok[d + 2].kind == LEX_OPEN &&
	       !phrase_is(p, d + 1, "now");
}

static void add_clause(struct alter *a, size_t i, size_t end)
{
	const struct phrase *p = a->p;

	if (i >= end || add_constraint(a, i, end))
		return;
	phrase_take(p, &i, "column");
	phrase_take(p, &i, "if not exists");
	char *name = name_at(p, &i);

	if (i >= end) {
		free(name);
		return;
	}
	unsigned depth = p->tok[i].depth;
	size_t no = phrase_find(p, i, "not", depth);

	if (no < end && phrase_is(p, no + 1, "null") && phrase_find(p, i, "default", depth) >= end &&
	    phrase_find(p, i, "generated", depth) >= end)
		remark(a, "set_not_null", SEVERITY_REVIEW,
		       xasprintf("fails where table %s has rows: %s is not null and has no default", a->table, name));
	if (phrase_find(p, i, "unique", depth) < end)
		remark(a, "add_unique", SEVERITY_REVIEW,
		       xasprintf("fails where values of %s.%s are not unique", a->table, name));
	if (is_volatile(p, i, end))
		locks(a, "it is written anew");
	free(name);
}

/* Types that take every value of the ones they usually follow. */
static bool is_wide(const struct phrase *p, size_t i, size_t end)
{
	static const char *const wide[] = { "text", "bigint", "int8", "numeric", "decimal", "jsonb", "timestamptz" };

	if (i + 1 != end)
		return false;
	for (size_t k = 0; k < sizeof wide / sizeof *wide; k++)
		if (phrase_is(p, i, wide[k]))
			return true;
	return false;
}

static void retype(struct alter *a, size_t i, size_t end, const char *column)
{
	bool wide = is_wide(a->p, i, end);

	remark(a, wide ? "retype" : "narrowing", wide ? SEVERITY_REVIEW : SEVERITY_CRITICAL,
	       xasprintf("changes the type of %s.%s%s", a->table, column, wide ? "" : ": values may be cut or lost"));
	remark(a, "backward_incompatible", SEVERITY_WARNING,
	       xasprintf("readers of %s.%s meet another type", a->table, column));
	locks(a, "it is written anew");
	if (!wide)
		meaning_use(a->m, USE_LOSES, a->schema, a->table);
}

/* ALTER [COLUMN] name .. */
static void column_clause(struct alter *a, size_t i, size_t end)
{
	const struct phrase *p = a->p;

	if (phrase_take(p, &i, "constraint"))
		return;
	phrase_take(p, &i, "column");
	char *name = name_at(p, &i);

	if (phrase_take(p, &i, "set data type") || phrase_take(p, &i, "type")) {
		retype(a, i, end, name);
	} else if (phrase_take(p, &i, "set not null")) {
		remark(a, "set_not_null", SEVERITY_REVIEW,
		       xasprintf("fails where values of %s.%s are null", a->table, name));
		locks(a, "its rows are checked");
	} else if (phrase_take(p, &i, "drop not null")) {
		remark(a, "drop_not_null", SEVERITY_WARNING, xasprintf("lets %s.%s be null", a->table, name));
	} else if (phrase_take(p, &i, "drop")) {
		remark(a, "drop_default", SEVERITY_WARNING,
		       xasprintf("takes from %s.%s what fills it in", a->table, name));
	}
	free(name);
}

static void renamed(struct alter *a, size_t i)
{
	if (phrase_is(a->p, i, "to"))
		meaning_use(a->m, USE_RENAMES, a->schema, a->table);
	if (phrase_take(a->p, &i, "to")) {
		char *name = name_at(a->p, &i);

		meaning_use(a->m, USE_CREATES, a->schema, name);
		free(name);
	}
	remark(a, "backward_incompatible", SEVERITY_WARNING,
	       xasprintf("renames table %s, or something of it, under its readers", a->table));
}

/* What needs no remark: it loses nothing, checks nothing, and is done at once. */
static bool is_harmless(const struct phrase *p, size_t i)
{
	static const char *const start[] = { "owner to", "enable",  "set default", "reset",
		                             "no force", "force",   "inherit",     "replica", "set logged",
		                             "set statistics" };

	for (size_t k = 0; k < sizeof start / sizeof *start; k++) {
		size_t at = i;

		if (phrase_take(p, &at, start[k]))
			return true;
	}
	return phrase_is(p, i, "set") && i + 1 < p->n && p->tok[i + 1].kind == LEX_OPEN;
}

static void clause(struct alter *a, size_t i, size_t end)
{
	const struct phrase *p = a->p;

	if (phrase_take(p, &i, "drop"))
		drop_clause(a, i);
	else if (phrase_take(p, &i, "add"))
		add_clause(a, i, end);
	else if (phrase_take(p, &i, "alter"))
		column_clause(a, i, end);
	else if (phrase_take(p, &i, "rename"))
		renamed(a, i);
	else if (phrase_take(p, &i, "disable row level security"))
		remark(a, "disable_rls", SEVERITY_CRITICAL,
		       xasprintf("lets everybody read every row of table %s", a->table));
	else if (phrase_take(p, &i, "disable"))
		remark(a, "drop_trigger", SEVERITY_WARNING,
		       xasprintf("disables a trigger or a rule of table %s", a->table));
	else if (phrase_take(p, &i, "validate constraint"))
		remark(a, "data_dependent", SEVERITY_REVIEW,
		       xasprintf("fails where rows of table %s break the constraint", a->table));
	else if (!is_harmless(p, i))
		remark(a, "unknown_statement", SEVERITY_REVIEW,
		       xasprintf("does something to table %s that is not known here", a->table));
	if (phrase_find(p, i, "concurrently", 0) < end)
		a->m->no_transaction = true;
}

void classify_alter_table(struct meaning *m, const struct phrase *p, size_t i, const char *schema, const char *table)
{
	struct alter a = { m, p, schema, table };

	meaning_use(m, USE_ALTERS, schema, table);
	for (size_t end; i < p->n; i = end + 1) {
		end = phrase_item_end(p, i);
		clause(&a, i, end);
	}
}

void classify_alter_type(struct meaning *m, const struct phrase *p, size_t i, const char *name)
{
	for (size_t end; i < p->n; i = end + 1) {
		size_t at = i;

		end = phrase_item_end(p, i);
		if (phrase_take(p, &at, "drop attribute"))
			meaning_add(m, "drop_column", SEVERITY_CRITICAL, NULL,
			            xasprintf("drops an attribute of type %s", name));
		else if (phrase_take(p, &at, "alter attribute"))
			meaning_add(m, "narrowing", SEVERITY_CRITICAL, NULL,
			            xasprintf("changes an attribute's type in type %s: values may be lost", name));
		else if (phrase_take(p, &at, "add value"))
			meaning_add(m, "no_transaction", SEVERITY_WARNING, NULL,
			            xasprintf("the new value of type %s can be used only in a later migration", name));
		else if (phrase_take(p, &at, "rename"))
			meaning_add(m, "backward_incompatible", SEVERITY_WARNING, NULL,
			            xasprintf("renames type %s, or something of it, under its readers", name));
	}
}
