/* rebuild.c -- see rebuild.h */
#include "rebuild.h"

#include "cast.h"
#include "keep.h"

#include <stdlib.h>

#define LITE DIALECT_SQLITE

void rebuild_list_triggers(const struct half *h, const char *table, const struct check *c)
{
	static const char *const when[] = { "insert", "update" };

	for (int i = 0; i < 2; i++) {
		char *name = xasprintf("%s_%s_%s", table, c->name, when[i]);
		char *message = xasprintf("CHECK constraint failed: %s", c->name);
		struct buf b = BUF_INIT;

		if (i == 0)
			ddl_addf(&b, "CREATE TRIGGER %I BEFORE INSERT ON %I", name, table);
		else
			ddl_addf(&b, "CREATE TRIGGER %I BEFORE UPDATE OF %I ON %I", name, c->column, table);
		ddl_addf(&b,
		         " WHEN NEW.%I IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(NEW.%I) WHERE value NOT IN (",
		         c->column, c->column);
		for (size_t k = 0; k < c->noption; k++)
			ddl_addf(&b, "%s%L", k ? ", " : "", c->option[k]);
		ddl_addf(&b, ")) BEGIN SELECT RAISE(ABORT, %L); END", message);
		part_sql(h->part, &b);
		buf_release(&b);
		free(name);
		free(message);
	}
}

void rebuild_drop_list_triggers(const struct half *h, const char *table, const struct check *c)
{
	static const char *const when[] = { "insert", "update" };

	for (int i = 0; i < 2; i++) {
		char *name = xasprintf("%s_%s_%s", table, c->name, when[i]);

		half_sql(h, "DROP TRIGGER %I", name);
		free(name);
	}
}

/* A column that counts by itself and is not the key: SQLite has no word for it. */
static void serial_trigger(const struct half *h, const struct table *t, const struct column *c)
{
	char *name = xasprintf("%s_%s_serial", t->name, c->name);
	long long first = c->def_text ? strtoll(c->def_text, NULL, 10) : 1;
	char *before = xasprintf("%lld", first - 1);

	half_sql(h,
	         "CREATE TRIGGER %I AFTER INSERT ON %I WHEN NEW.%I IS NULL BEGIN UPDATE %I SET %I = "
	         "(SELECT coalesce(max(%I), %s) + 1 FROM %I) WHERE rowid = NEW.rowid; END",
	         name, t->name, c->name, t->name, c->name, c->name, before, t->name);
	free(before);
	free(name);
}

void rebuild_triggers(const struct half *h, const struct table *t, const struct names *skip)
{
	for (size_t i = 0; i < t->ncheck; i++)
		if (check_by_trigger(&t->check[i]) && names_get(skip, name_text(t->check[i].name)) < 0)
			rebuild_list_triggers(h, t->name, &t->check[i]);
	for (size_t i = 0; i < t->ncolumn; i++)
		if (t->column[i].def == DEFAULT_SERIAL && !ddl_rowid_key(t, &t->column[i]))
			serial_trigger(h, t, &t->column[i]);
}

static bool named(const char *name, const char *table, const char *what, const char *end)
{
	char *s = xasprintf("%s_%s_%s", table, what, end);
	bool yes = strcmp(s, name) == 0;

	free(s);
	return yes;
}

bool rebuild_own_trigger(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->ncheck; i++)
		if (check_by_trigger(&t->check[i]) && (named(name, t->name, t->check[i].name, "insert") ||
		                                       named(name, t->name, t->check[i].name, "update")))
			return true;
	for (size_t i = 0; i < t->ncolumn; i++)
		if (t->column[i].def == DEFAULT_SERIAL && named(name, t->name, t->column[i].name, "serial"))
			return true;
	return false;
}

/* The values of a new column that has no old one: false if an insert's own default will do. */
static bool fresh(const struct half *h, const struct column *c, struct buf *value)
{
	const struct table *t = h->c->pair->new;

	if (h->back) { /* it was added and filled from the backup a moment ago */
		size_t at;

		if (c->not_null && c->def != DEFAULT_NONE && c->def != DEFAULT_SERIAL) {
			ddl_addf(value, "coalesce(%I, ", c->name);
			at = value->len;
			if (!ddl_default(value, c, LITE))
				buf_setlen(value, at);
			buf_addch(value, ')');
		} else {
			ddl_name(value, c->name);
		}
		return true;
	}
	if (c->def != DEFAULT_SERIAL || ddl_rowid_key(t, c))
		return false;
	ddl_addf(value, "%s - 1 + row_number() OVER (ORDER BY rowid)", c->def_text ? c->def_text : "1");
	return true;
}

/* The value that a kept column will have. */
static void kept(const struct column *old, const struct column *new, struct buf *value)
{
	struct buf name = BUF_INIT;
	struct cast cast;
	bool fills = keep_fills(old, new);

	ddl_name(&name, old->name);
	if (cast_find(&cast, old->type, new->type, name.s, LITE) < 0)
		buf_addstr(&cast.value, name.s);
	ddl_addf(value, fills ? "coalesce(%s, " : "%s", cast.value.s);
	if (fills && ddl_default(value, new, LITE))
		buf_addch(value, ')');
	cast_release(&cast);
	buf_release(&name);
}

static void copy(const struct half *h, const char *to)
{
	const struct pair *p = h->c->pair;
	struct buf into = BUF_INIT, from = BUF_INIT, value = BUF_INIT;

	for (size_t i = 0; i < p->new->ncolumn; i++) {
		size_t at = p->new_order ? p->new_order[i] : i;
		const struct column *c = &p->new->column[at];

		buf_reset(&value);
		if (p->from[at] >= 0)
			kept(&p->old->column[p->from[at]], c, &value);
		else if (!fresh(h, c, &value))
			continue;
		ddl_addf(&into, "%s%I", into.len ? ", " : "", c->name);
		ddl_addf(&from, "%s%s", from.len ? ", " : "", value.s);
	}
	if (into.len)
		half_sql(h, "INSERT INTO %I (%s) SELECT %s FROM %I", to, into.s, from.s, h->c->table);
	buf_release(&into);
	buf_release(&from);
	buf_release(&value);
}

static bool counts_by_rowid(const struct table *t)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		if (ddl_rowid_key(t, &t->column[i]))
			return true;
	return false;
}

/* The number that was given last stays given, also if its row is gone. */
static void keep_count(const struct half *h, const char *to)
{
	if (!counts_by_rowid(h->c->pair->old) || !counts_by_rowid(h->c->pair->new))
		return;
	half_sql(h, "DELETE FROM sqlite_sequence WHERE name = %L", to);
	half_sql(h, "INSERT INTO sqlite_sequence (name, seq) SELECT %L, seq FROM sqlite_sequence WHERE name = %L", to,
	         h->c->table);
}

/* Indexes and triggers of the table that nobody declares, as the database tells them. */
static void strangers(const struct half *h, const char *member, const struct table *declared)
{
	const struct live *l = h->x->live;
	struct names known = NAMES_INIT;

	for (size_t i = 0; i < declared->nindex; i++)
		names_add(&known, name_text(declared->index[i].name), 0);
	for (uint32_t t = DOC_NONE; (t = live_next(l, h->c->pair->live, member, t)) != DOC_NONE;) {
		char *name = record_dup(l->doc, doc_member(l->doc, t, "name", 4));
		char *sql = record_dup(l->doc, doc_member(l->doc, t, "definition", 10));

		if (name && sql && !rebuild_own_trigger(declared, name) && names_get(&known, name_text(name)) < 0)
			half_sql(h, "%s", sql);
		free(name);
		free(sql);
	}
	names_release(&known);
}

/* What steps of their own make before or after this one. */
static void made_elsewhere(const struct half *h, struct names *skip)
{
	for (const struct change *c = h->c->pair->first; c; c = c->next) {
		if (c->what == (h->back ? WHAT_DROP_INDEX : WHAT_ADD_INDEX))
			names_add(skip, name_text(c->name), 0);
		if (c->what == (h->back ? WHAT_DROP_CHECK : WHAT_ADD_CHECK))
			names_add(skip, name_text(c->name), 0);
	}
}

static void hang_on(const struct half *h)
{
	const struct table *t = h->c->pair->new;
	struct names skip = NAMES_INIT;
	struct buf b = BUF_INIT;

	made_elsewhere(h, &skip);
	for (size_t i = 0; i < t->nindex; i++) {
		if (names_get(&skip, name_text(t->index[i].name)) >= 0)
			continue;
		buf_reset(&b);
		ddl_index(&b, &t->index[i], h->c->table, LITE, false);
		part_sql(h->part, &b);
	}
	rebuild_triggers(h, t, &skip);
	buf_release(&b);
	names_release(&skip);
}

/* Does the way there, from old to new, cut values? */
static bool narrows(const struct column *old, const struct column *new)
{
	struct cast cast;
	bool yes = cast_find(&cast, old->type, new->type, "v", LITE) == 0 && cast.narrows;

	cast_release(&cast);
	return yes;
}

static void save_values(const struct half *h)
{
	const struct pair *p = h->c->pair;

	for (size_t i = 0; i < p->old->ncolumn; i++) {
		const struct column *c = &p->old->column[i];

		if (p->to[i] >= 0 && !h->back)
			keep_values(h, c->name, c, &p->new->column[p->to[i]]);
		else if (p->to[i] < 0 || narrows(c, &p->new->column[p->to[i]]))
			half_rows(h, "backup", c->name, NULL);
	}
}

/* What was dropped is put back into a bare column, before the table is copied around it; the rest afterwards. */
static void restore_dropped(const struct half *h)
{
	const struct pair *p = h->c->pair;

	for (size_t i = 0; i < p->new->ncolumn; i++) {
		const struct column *c = &p->new->column[i];

		if (p->from[i] >= 0)
			continue;
		char *type = model_type(c->type, LITE);

		half_sql(h, "ALTER TABLE %I ADD COLUMN %I %s", h->c->table, c->name, type);
		half_rows(h, "restore", c->name, NULL);
		free(type);
	}
}

static void restore_changed(const struct half *h)
{
	const struct pair *p = h->c->pair;

	for (size_t i = 0; i < p->new->ncolumn; i++)
		if (p->from[i] >= 0)
			keep_restore(h, p->new->column[i].name, &p->new->column[i], &p->old->column[p->from[i]]);
}

void rebuild_act(const struct half *h)
{
	const struct pair *p = h->c->pair;
	char *temp = xasprintf("mig_new_%s", h->c->table);
	struct buf b = BUF_INIT;
	const struct table *declared = h->back ? p->new : p->old;

	save_values(h);
	if (h->back)
		restore_dropped(h);
	ddl_table(&b, p, temp, LITE);
	part_sql(h->part, &b);
	copy(h, temp);
	keep_count(h, temp);
	half_sql(h, "DROP TABLE %I", h->c->table);
	/* Else SQLite looks into every view and trigger for the table that is just not there. */
	half_sql(h, "PRAGMA legacy_alter_table = ON");
	half_sql(h, "ALTER TABLE %I RENAME TO %I", temp, h->c->table);
	half_sql(h, "PRAGMA legacy_alter_table = OFF");
	if (h->back)
		restore_changed(h);
	hang_on(h);
	strangers(h, "indexes", declared);
	strangers(h, "triggers", declared);
	free(temp);
	buf_release(&b);
}
