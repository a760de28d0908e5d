/* sql-count.c -- see sql-count.h */
#include "sql-count.h"

#include <stdlib.h>

/* Does the step do just that to its object?  <object>:<what>@<from>..<to> */
static bool does(const struct step *s, const char *what, struct text *object)
{
	struct text id = s->step_id;
	const char *at = id.n ? memrchr(id.s, '@', id.n) : NULL,
		   *colon = at ? memrchr(id.s, ':', (size_t)(at - id.s)) : NULL;

	if (!colon || !text_is((struct text){ colon + 1, (size_t)(at - colon - 1) }, what))
		return false;
	*object = (struct text){ id.s, (size_t)(colon - id.s) };
	return true;
}

static char *count_sql(const char *table)
{
	struct buf sql = BUF_INIT;

	buf_addstr(&sql, "SELECT count(*) FROM ");
	db_name(&sql, table);
	return buf_steal(&sql);
}

/* Append the number of rows: 1, 0 where there is no such table, -1. */
static int count(struct db *db, const char *table, struct buf *rows, struct diag *d)
{
	struct buf there = BUF_INIT;
	const struct db_value name = db_text(table);
	char *sql = count_sql(table);
	int rc = db_one(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE", &name, 1,
	                &there, d);

	if (rc == 1)
		rc = db_one(db, sql, NULL, 0, rows, d);
	free(sql);
	buf_release(&there);
	return rc;
}

static int add(struct counts_of *c, struct db *db, const char *table, struct diag *d)
{
	struct buf rows = BUF_INIT;

	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].table, table) == 0)
			return 0;
	int rc = count(db, table, &rows, d);

	if (rc == 1) {
		c->v = xrealloc(c->v, c->n + 1, sizeof *c->v);
		c->v[c->n++] = (struct table_count){ xstrdup(table), buf_steal(&rows) };
	}
	buf_release(&rows);
	return rc < 0 ? -1 : 0;
}

struct names {
	char **v;
	size_t n;
};

static int take_name(void *arg, const struct db_value *v, size_t n)
{
	struct names *l = arg;

	(void)n;
	l->v = xrealloc(l->v, l->n + 1, sizeof *l->v);
	l->v[l->n++] = xmemdup(v[0].s, v[0].n);
	return 0;
}

/* The table and its children. */
static int add_family(struct counts_of *c, struct db *db, const char *table, struct diag *d)
{
	const struct db_value name = db_text(table);
	struct names l = { NULL, 0 };
	int rc = add(c, db, table, d);

	if (rc == 0)
		rc = db->ops->query(db,
		                    "SELECT DISTINCT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
		                    "WHERE m.type = 'table' AND f.\"table\" = $1 COLLATE NOCASE",
		                    &name, 1, take_name, &l, d);
	for (size_t i = 0; i < l.n; i++) {
		if (rc == 0)
			rc = add(c, db, l.v[i], d);
		free(l.v[i]);
	}
	free(l.v);
	return rc;
}

int sql_count_before(struct counts_of *c, struct db *db, const struct step *step, size_t n, struct diag *d)
{
	struct text object;
	int rc = 0;

	/* where names change, the same name may mean two tables */
	for (size_t i = 0; i < n; i++)
		if (does(&step[i], "rename_table", &object))
			return 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (!does(&step[i], "rebuild_table", &object))
			continue;
		char *table = xmemdup(object.s, object.n);

		rc = add_family(c, db, table, d);
		free(table);
	}
	return rc;
}

int sql_count_after(const struct counts_of *c, struct db *db, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < c->n && rc >= 0; i++) {
		struct buf rows = BUF_INIT;

		rc = count(db, c->v[i].table, &rows, d);
		if (rc == 1 && strcmp(rows.s, c->v[i].rows) != 0)
			rc = diag_add(d, MIG_INVALID, "rows_lost", c->v[i].table, "had %s rows, and has %s now",
			              c->v[i].rows, rows.s);
		buf_release(&rows);
	}
	return rc < 0 ? -1 : 0;
}

void counts_of_release(struct counts_of *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].table);
		free(c->v[i].rows);
	}
	free(c->v);
	*c = (struct counts_of)COUNTS_OF_INIT;
}
