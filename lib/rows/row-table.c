/* row-table.c -- see row-table.h */
#include "row-table.h"

#include <stdlib.h>

static void free_table(struct row_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->column[i].name);
		free(t->column[i].type);
		free(t->column[i].refers);
	}
	free(t->column);
	free(t->name);
	free(t);
}

void row_tables_release(struct row_tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_table(t->v[i]);
	free(t->v);
	*t = (struct row_tables)ROW_TABLES_INIT;
}

const struct row_column *row_table_column(const struct row_table *t, struct text name)
{
	for (size_t i = 0; i < t->n; i++)
		if (text_is(name, t->column[i].name))
			return &t->column[i];
	return NULL;
}

const struct row_column *row_table_link(const struct row_table *t, struct text label, struct text entity)
{
	char *longer = xasprintf("%.*s_id", (int)label.n, label.s);
	const struct row_column *c = row_table_column(t, label);

	if (!c)
		c = row_table_column(t, (struct text){ longer, strlen(longer) });
	free(longer);
	return c && (!c->refers || text_is(entity, c->refers)) ? c : NULL;
}

/*
 * What each dialect says of the table $1: a row a column, then its type, whether
 * it is computed, whether it is of the primary key, and what its own foreign key leads to.
 */
static const char *const questions[] = {
	"SELECT c.name, c.type, c.hidden IN (2, 3), c.pk > 0, "
	"(SELECT f.\"table\" FROM pragma_foreign_key_list($1) f WHERE f.\"from\" = c.name AND "
	"(SELECT count(*) FROM pragma_foreign_key_list($1) g WHERE g.id = f.id) = 1 LIMIT 1) "
	"FROM pragma_table_xinfo($1) c WHERE c.hidden <> 1 AND EXISTS (SELECT 1 FROM sqlite_master m "
	"WHERE m.type = 'table' AND m.name = $1 AND m.name NOT IN ('mig_ledger', 'mig_plan') "
	"AND m.name NOT LIKE 'system\\_%' ESCAPE '\\') ORDER BY c.cid",
	"SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', "
	"coalesce(a.attnum = ANY (i.indkey), false), (SELECT r.relname FROM pg_constraint f "
	"JOIN pg_class r ON r.oid = f.confrelid WHERE f.conrelid = c.oid AND f.contype = 'f' "
	"AND f.conkey = ARRAY[a.attnum] ORDER BY f.conname LIMIT 1) "
	"FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
	"LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary WHERE c.relname = $1 "
	"AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY a.attnum",
};

struct reading {
	struct row_table *t;
	size_t keys;
};

static char *dup(const struct db_value *v)
{
	return v->s ? xmemdup(v->s, v->n) : NULL;
}

static bool yes(const struct db_value *v)
{
	return v->n && (*v->s == 't' || *v->s == '1');
}

static int take_column(void *arg, const struct db_value *v, size_t n)
{
	struct reading *r = arg;
	struct row_table *t = r->t;

	if (n < 5)
		return -1;
	t->column = xrealloc(t->column, t->n + 1, sizeof *t->column);
	t->column[t->n] = (struct row_column){ dup(&v[0]), dup(&v[1]), dup(&v[4]), yes(&v[2]), false };
	t->column[t->n].json = t->column[t->n].type && strcasestr(t->column[t->n].type, "json");
	if (yes(&v[3])) {
		r->keys++;
		t->key = t->column[t->n].name;
	}
	t->n++;
	return 0;
}

static struct row_table *read_table(struct db *db, struct text entity, struct diag *d)
{
	const char *sql = questions[strcmp(db->ops->dialect, "postgresql") == 0];
	const struct db_value p = { DB_TEXT, entity.s, entity.n };
	struct reading r = { .t = xcalloc(1, sizeof *r.t) };
	int rc = db->ops->query(db, sql, &p, 1, take_column, &r, d);

	r.t->name = xmemdup(entity.s, entity.n);
	if (rc == 0 && r.t->n == 0)
		rc = diag_add(d, MIG_PRECONDITION, "missing_table", r.t->name, "the database has no such table");
	else if (rc == 0 && r.keys != 1)
		rc = diag_add(d, MIG_INVALID, "no_key", r.t->name,
		              "its primary key is not of one column: rows are known by one");
	if (rc == 0)
		return r.t;
	free_table(r.t);
	return NULL;
}

const struct row_table *row_tables_find(struct row_tables *t, struct db *db, struct text entity, struct diag *d)
{
	for (size_t i = 0; i < t->n; i++)
		if (text_is(entity, t->v[i]->name))
			return t->v[i];
	struct row_table *new = read_table(db, entity, d);

	if (!new)
		return NULL;
	t->v = xrealloc(t->v, t->n + 1, sizeof *t->v);
	t->v[t->n++] = new;
	return new;
}
