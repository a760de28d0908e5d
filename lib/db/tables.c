/* tables.c -- see tables.h */
#include "tables.h"

#include <stdlib.h>

/* Names that are ours, the server's, or somebody's who wants them left alone: those that LIVE leaves out, too. */
#define LITE(name) "(" name " LIKE 'sqlite\\_%' ESCAPE '\\' OR " name " LIKE 'mig\\_%' ESCAPE '\\' OR " name \
	" LIKE 'system\\_%' ESCAPE '\\')"
#define LITE_AUTH(name) name " LIKE 'auth\\_%' ESCAPE '\\'"

/* name of each column, its place in the key, is it a view, are all its keys integers that an index sorts, in parts? */
static const char sqlite_columns[] =
	"SELECT c.name, c.pk, t.type = 'view', c.pk AND t.wr = 0 AND upper(c.type) = 'INTEGER' AND NOT EXISTS "
	"(SELECT 1 FROM pragma_index_list(m.name) i WHERE i.origin = 'pk') AS alias, 0 "
	"FROM sqlite_master m JOIN pragma_table_list t ON t.name = m.name AND t.schema = 'main', "
	"pragma_table_xinfo(m.name) c WHERE m.name = $1 AND m.type IN ('table', 'view') AND t.type <> 'shadow' "
	"AND c.hidden <> 1 AND NOT " LITE("m.name") " ORDER BY c.cid";

static const char sqlite_names[] =
	"SELECT m.name FROM sqlite_master m JOIN pragma_table_list t ON t.name = m.name "
	"WHERE m.type = 'table' AND t.schema = 'main' AND t.type IN ('table', 'virtual') AND NOT " LITE("m.name")
	" AND NOT " LITE_AUTH("m.name") " ORDER BY m.name";

/* A column of the key, of a table's own, is never null: integers and UUIDs of all rows are found by their order. */
static const char pg_columns[] =
	"SELECT a.attname, "
	"coalesce(array_position(i.indkey::int2[], a.attnum) + 1 - array_lower(i.indkey::int2[], 1), 0), "
	"c.relkind NOT IN ('r', 'p'), "
	"CASE WHEN a.atttypid IN (20, 21, 23) THEN 1 WHEN a.atttypid = 2950 THEN 2 ELSE 0 END, "
	"(c.relkind <> 'r')::int FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
	"JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
	"LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary "
	"WHERE n.nspname = 'public' AND c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
	"AND c.relname !~ '^(system_|mig_)' ORDER BY a.attnum";

/* What a partition holds is read with the table that it is one of. */
static const char pg_names[] =
	"SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
	"WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
	"AND c.relname !~ '^(system_|auth_|mig_)' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e "
	"WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e') ORDER BY c.relname";

static bool is_pg(const struct db *db)
{
	return strcmp(db->ops->dialect, "postgresql") == 0;
}

static bool is_true(const struct db_value *v)
{
	return v->s && (*v->s == 't' || *v->s == '1');
}

static int take_column(void *arg, const struct db_value *v, size_t n)
{
	struct table *t = arg;

	if (n < 5)
		return 0;
	t->column = xrealloc(t->column, t->ncolumn + 1, sizeof *t->column);
	t->column[t->ncolumn++] = xmemdup(v[0].s, v[0].n);
	t->view = is_true(&v[2]);
	t->parts = is_true(&v[4]);
	if (strtoul(v[1].s, NULL, 10) == 0 || t->view)
		return 0;
	t->nkey++;
	free(t->key);
	t->key = xmemdup(v[0].s, v[0].n);
	t->order = (enum table_order)strtoul(v[3].s, NULL, 10);
	return 0;
}

int table_find(struct db *db, const char *name, struct table *t, struct diag *d)
{
	const struct db_value p = db_text(name);

	*t = (struct table){ .name = xstrdup(name) };
	if (db->ops->query(db, is_pg(db) ? pg_columns : sqlite_columns, &p, 1, take_column, t, d) < 0)
		return -1;
	if (t->nkey != 1) {
		free(t->key);
		t->key = NULL;
		t->order = TABLE_ANY;
	}
	return t->ncolumn > 0;
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		free(t->column[i]);
	free(t->column);
	free(t->key);
	free(t->name);
	*t = (struct table){ .name = NULL };
}

bool table_has(const struct table *t, const char *column)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		if (strcmp(t->column[i], column) == 0)
			return true;
	return false;
}

/*
 * Tables that inherit from another have names of their own and are read under
 * those.  An index that helps with a condition would make SQLite sort by the key.
 */
void table_name(struct buf *sql, struct db *db, const struct table *t)
{
	if (is_pg(db) && !t->parts)
		buf_addstr(sql, "ONLY ");
	buf_addstr(sql, is_pg(db) ? "public." : "main.");
	db_name(sql, t->name);
	if (!is_pg(db) && t->order == TABLE_INTEGERS)
		buf_addstr(sql, " NOT INDEXED");
}

static int take_name(void *arg, const struct db_value *v, size_t n)
{
	struct table_names *t = arg;

	if (n < 1 || !v[0].s)
		return 0;
	t->v = xrealloc(t->v, t->n + 1, sizeof *t->v);
	t->v[t->n++] = xmemdup(v[0].s, v[0].n);
	return 0;
}

int table_names(struct db *db, struct table_names *names, struct diag *d)
{
	*names = (struct table_names){ .n = 0 };
	return db->ops->query(db, is_pg(db) ? pg_names : sqlite_names, NULL, 0, take_name, names, d);
}

void table_names_release(struct table_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}
