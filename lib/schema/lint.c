/*
 * lint.c -- what reviewers should know of a change.
 *
 *	critical  loses values, rows, or who may see them: a flag and a backup
 *	review    may fail, or mean something else, by what the data is
 *	warning   others may have to be told
 *	safe
 */
#include "cast.h"
#include "dialect.h"
#include "keep.h"

#include <stdlib.h>

static int64_t rows_of(const struct half *h)
{
	const struct pair *p = h->c->pair;
	const struct table *now = p ? (h->back ? p->new : p->old) : NULL;

	return now ? live_rows(h->x->live, now->name) : -1;
}

static bool allowed(const struct half *h)
{
	const struct pair *p = h->c->pair;
	const struct table *t = h->back ? (p->old ? p->old : p->new) : (p->new ? p->new : p->old);

	return t->allow_destructive;
}

static void destroys(const struct half *h, const char *rule, const char *what)
{
	h->part->destroys = true;
	part_find(h->part, rule, allowed(h) ? "warning" : "critical", rows_of(h), "%s", what);
}

static void incompatible(const struct half *h, const char *what)
{
	part_find(h->part, "backward_incompatible", "warning", rows_of(h), "readers and writers that know it must %s",
	          what);
}

static void locks(const struct half *h, const char *what)
{
	if (h->x->dialect == DIALECT_POSTGRESQL)
		part_find(h->part, "lock_taking", "warning", rows_of(h), "%s", what);
}

static void retype(const struct half *h)
{
	const struct column *old = h->c->old.column, *new = h->c->new.column;
	struct cast cast;

	if (cast_find(&cast, old->type, new->type, "v", h->x->dialect) == 0) {
		char *what = xasprintf("%s.%s: %s to %s may cut values", h->c->table, h->c->name, old->type, new->type);

		h->part->cuts |= cast.narrows;
		if (cast.narrows)
			destroys(h, "narrowing", what);
		else if (cast.fits.len)
			part_find(h->part, "retype_column", "review", rows_of(h),
			          "values must be convertible from %s to %s", old->type, new->type);
		else
			part_find(h->part, "retype_column", cast.plain ? "safe" : "review", rows_of(h), "%s to %s",
			          old->type, new->type);
		if (!cast.plain)
			locks(h, "the table is rewritten under an exclusive lock");
		free(what);
	}
	incompatible(h, "expect the new type");
	cast_release(&cast);
}

/* Options that are in one list and no more in the other. */
static void options(const struct half *h)
{
	const struct check *old = h->c->old.check, *new = h->c->new.check;
	struct buf b = BUF_INIT;

	if (!old || old->kind != new->kind || (old->kind != CHECK_ENUM && old->kind != CHECK_SUBSET))
		return;
	for (size_t i = 0; i < old->noption; i++) {
		size_t k = 0;

		while (k < new->noption && strcmp(old->option[i], new->option[k]) != 0)
			k++;
		if (k == new->noption)
			buf_addf(&b, "%s%s", b.len ? ", " : "", old->option[i]);
	}
	if (b.len) {
		char *what = xasprintf("%s.%s: no longer an option: %s", h->c->table, new->column, b.s);

		destroys(h, "drop_option", what);
		free(what);
	}
	buf_release(&b);
}

static void index_added(const struct half *h)
{
	const struct index *i = h->c->new.index;

	part_find(h->part, "add_index", i->unique ? "review" : "safe", rows_of(h), "%s",
	          i->unique ? "values must be unique" : "an index");
	if (!i->concurrent)
		locks(h, "writers wait while the index is built");
}

static void column(const struct half *h)
{
	const struct change *c = h->c;
	char *what = xasprintf("%s.%s and its values are dropped", c->table, c->name);

	switch (c->what) {
	case WHAT_ADD_COLUMN:
		part_find(h->part, "add_column",
		          c->new.column->not_null && c->new.column->def == DEFAULT_NONE ? "review" : "safe", rows_of(h),
		          "a column %s of type %s", c->name, c->new.column->type);
		break;
	case WHAT_DROP_COLUMN:
		destroys(h, "drop_column", what);
		incompatible(h, "do without it");
		break;
	case WHAT_RENAME_COLUMN:
		part_find(h->part, "rename_column", "safe", rows_of(h), "%s becomes %s", c->from, c->to);
		incompatible(h, "use the new name");
		break;
	case WHAT_SET_NOT_NULL:
		h->part->fills |= keep_fills(c->old.column, c->new.column);
		part_find(h->part, "set_not_null", "review", rows_of(h), "%s",
		          c->new.column->def != DEFAULT_NONE ? "rows without a value get the default"
		                                             : "every row must have a value");
		locks(h, "the table is read under an exclusive lock");
		break;
	case WHAT_DROP_NOT_NULL:
		part_find(h->part, "drop_not_null", "warning", rows_of(h), "rows may lack a value");
		break;
	case WHAT_SET_DEFAULT:
	case WHAT_DROP_DEFAULT:
		part_find(h->part, what_name(c->what), "safe", rows_of(h), "for rows to come");
		break;
	default:
		break;
	}
	free(what);
}

static void constraint(const struct half *h)
{
	const struct change *c = h->c;

	switch (c->what) {
	case WHAT_ADD_CHECK:
		part_find(h->part, "add_check", check_implied(c->pair, c->old.check, c->new.check) ? "safe" : "review",
		          rows_of(h), "every row must hold to %s", c->name);
		options(h);
		locks(h, "the table is read under an exclusive lock");
		break;
	case WHAT_ADD_UNIQUE:
		part_find(h->part, "add_unique", "review", rows_of(h), "values must be unique");
		locks(h, "writers wait while its index is built");
		break;
	case WHAT_ADD_FOREIGN_KEY:
		part_find(h->part, "add_foreign_key", "review", rows_of(h), "every value must lead to a row of %s",
		          c->new.fkey->table);
		locks(h, "both tables are locked against writers");
		break;
	case WHAT_DROP_CHECK:
	case WHAT_DROP_UNIQUE:
	case WHAT_DROP_FOREIGN_KEY:
	case WHAT_DROP_INDEX:
		part_find(h->part, what_name(c->what), "warning", rows_of(h), "%s is no more", c->name);
		break;
	case WHAT_ADD_INDEX:
		index_added(h);
		break;
	case WHAT_RENAME_CONSTRAINT:
		part_find(h->part, "rename_constraint", "safe", rows_of(h), "%s becomes %s", c->from, c->to);
		break;
	default:
		break;
	}
}

static void table(const struct half *h)
{
	const struct change *c = h->c;
	char *what = xasprintf("%s and its rows are dropped", c->table);

	switch (c->what) {
	case WHAT_CREATE_TABLE:
		part_find(h->part, "create_table", "safe", -1, "a new table");
		break;
	case WHAT_DROP_TABLE:
		destroys(h, "drop_table", what);
		incompatible(h, "do without it");
		break;
	case WHAT_RENAME_TABLE:
		part_find(h->part, "rename_table", "safe", rows_of(h), "%s becomes %s", c->from, c->to);
		incompatible(h, "use the new name");
		break;
	case WHAT_REBUILD_TABLE:
		part_find(h->part, "rebuild_table", "warning", rows_of(h), "the table is copied");
		break;
	default:
		break;
	}
	free(what);
}

static void access(const struct half *h)
{
	const struct change *c = h->c;
	char *what = xasprintf("%s: %s no longer says who may see which rows", c->table, c->name);

	switch (c->what) {
	case WHAT_ENABLE_RLS:
	case WHAT_ADD_POLICY:
		part_find(h->part, what_name(c->what), "review", rows_of(h), "who may see which rows changes");
		break;
	case WHAT_DISABLE_RLS:
		destroys(h, "disable_rls", what);
		break;
	case WHAT_DROP_POLICY:
		if (c->new.policy)
			part_find(h->part, "drop_policy", "review", rows_of(h), "the policy is replaced");
		else
			destroys(h, "drop_policy", what);
		break;
	default:
		break;
	}
	free(what);
}

static void view(const struct half *h)
{
	const struct viewing *w = h->c->old.view;

	if (h->c->what != WHAT_DROP_VIEW)
		part_find(h->part, what_name(h->c->what), "safe", -1, "%s", h->c->name);
	else if (!w->view)
		part_find(h->part, "drop_view", "warning", -1,
		          w->gone ? "%s is not in the schema, and goes with what it reads"
		                  : "%s is not in the schema; it is made again",
		          h->c->name);
	else
		part_find(h->part, "drop_view", "warning", -1, "%s", h->c->name);
}

void lint_change(const struct half *h)
{
	if (h->c->what == WHAT_RETYPE_COLUMN)
		retype(h);
	else if (h->c->what >= WHAT_ADD_COLUMN && h->c->what <= WHAT_DROP_NOT_NULL)
		column(h);
	else if (h->c->what >= WHAT_ADD_CHECK && h->c->what <= WHAT_RENAME_CONSTRAINT)
		constraint(h);
	else if (h->c->what <= WHAT_REBUILD_TABLE)
		table(h);
	else if (h->c->what >= WHAT_ENABLE_RLS && h->c->what <= WHAT_DROP_POLICY)
		access(h);
	else if (h->c->what != WHAT_RECORD)
		view(h);
}
