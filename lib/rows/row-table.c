/* row-table.c -- see row-table.h */
#include "row-table.h"

#include "tables.h"

#include <stdlib.h>

static void free_table(struct row_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->column[i].name);
		free(t->column[i].type);
		free(t->column[i].refers);
	}
	free(t->column);
	free(t->key);
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

/* Of each column of the table $1: its type, is it computed, and what its own foreign key leads to. */
static const char *const questions[] = {
	"SELECT c.name, c.type, c.hidden IN (2, 3), "
	"(SELECT f.\"table\" FROM pragma_foreign_key_list($1) f WHERE f.\"from\" = c.name AND "
	"(SELECT count(*) FROM pragma_foreign_key_list($1) g WHERE g.id = f.id) = 1 LIMIT 1) "
	"FROM pragma_table_xinfo($1) c WHERE c.hidden <> 1 ORDER BY c.cid",
	"SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', "
	"(SELECT r.relname FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid WHERE f.conrelid = c.oid "
	"AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum] ORDER BY f.conname LIMIT 1) "
	"FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
	"WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace ORDER BY a.attnum",
};

static char *dup(const struct db_value *v)
{
	return v->s ? xmemdup(v->s, v->n) : NULL;
}

static int take_column(void *arg, const struct db_value *v, size_t n)
{
	struct row_table *t = arg;

	if (n < 4)
		return -1;
	t->column = xrealloc(t->column, t->n + 1, sizeof *t->column);
	struct row_column *c = &t->column[t->n++];

	*c = (struct row_column){ .name = dup(&v[0]), .type = dup(&v[1]), .refers = dup(&v[3]) };
	c->generated = v[2].n && (*v[2].s == 't' || *v[2].s == '1');
	c->json = c->type && strcasestr(c->type, "json");
	return 0;
}

/* Is there such a table, and are its rows known by one column? */
static int check_table(const struct table *t, int found, struct diag *d)
{
	if (found < 0)
		return -1;
	if (!found || t->view)
		return diag_add(d, MIG_PRECONDITION, "missing_table", t->name, "the database has no such table");
	if (!t->key)
		return diag_add(d, MIG_INVALID, "no_key", t->name,
		                "its primary key is not of one column: rows are known by one");
	return 0;
}

static struct row_table *read_table(struct db *db, struct text entity, struct diag *d)
{
	const char *sql = questions[strcmp(db->ops->dialect, "postgresql") == 0];
	const struct db_value p = { DB_TEXT, entity.s, entity.n };
	struct row_table *r = xcalloc(1, sizeof *r);
	struct table t;

	r->name = xmemdup(entity.s, entity.n);
	int found = table_find(db, r->name, &t, d), rc = check_table(&t, found, d);

	if (rc == 0)
		rc = db->ops->query(db, sql, &p, 1, take_column, r, d);
	r->key = t.key;
	t.key = NULL;
	table_release(&t);
	if (rc == 0)
		return r;
	free_table(r);
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
