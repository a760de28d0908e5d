/* sqlite-cursor.c -- rows of a SQLite database, one by one; see cursor in db.h */
#include "sqlite-handle.h"

#include <stdlib.h>
#include <strings.h>

struct sqlite_reading {
	struct db_cursor base;
	char *sql;
	sqlite3_stmt *st;
	struct sqlite_row row;
};

struct db_cursor *sqlite_cursor(struct db *db, const char *sql)
{
	struct sqlite_reading *r = xcalloc(1, sizeof *r);

	r->base.db = db;
	r->sql = xstrdup(sql);
	return &r->base;
}

/* By the type that a column was declared with, which SQLite itself does not enforce. */
static enum db_form form_of(const char *declared)
{
	static const struct {
		const char *name;
		enum db_form form;
	} forms[] = { { "BOOLEAN", DB_BOOLS }, { "BOOL", DB_BOOLS }, { "JSON", DB_JSON }, { "JSONB", DB_JSON } };

	for (size_t i = 0; declared && i < sizeof forms / sizeof *forms; i++)
		if (strcasecmp(declared, forms[i].name) == 0)
			return forms[i].form;
	return DB_PLAIN;
}

static int begin_reading(struct sqlite_reading *r, struct diag *d)
{
	struct sqlite *s = (struct sqlite *)r->base.db;

	s->trouble = DB_FINE;
	s->guarded = s->inside;
	int rc = sqlite_compile(s, (struct text){ r->sql, strlen(r->sql) }, 0, &r->st, d);

	s->guarded = false;
	if (rc < 0)
		return -1;
	if (!r->st)
		return sqlite_fail(s, DB_OTHER, MIG_INVALID, "sql_failed", "no statement", d);
	sqlite_row_init(&r->row, r->st);
	r->base.n = (size_t)r->row.n;
	r->base.column = xcalloc(r->base.n + 1, sizeof *r->base.column);
	for (int i = 0; i < r->row.n; i++)
		r->base.column[i] = (struct db_column){
			.name = xstrdup(sqlite3_column_name(r->st, i)),
			.form = form_of(sqlite3_column_decltype(r->st, i)),
			.keyed = true,
		};
	return 0;
}

int sqlite_next(struct db_cursor *c, const struct db_value **row, struct diag *d)
{
	struct sqlite_reading *r = (struct sqlite_reading *)c;

	if (!r->st && begin_reading(r, d) < 0)
		return -1;
	int rc = sqlite3_step(r->st);

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return sqlite_trouble((struct sqlite *)c->db, rc, d);
	sqlite_row_take(&r->row, r->st);
	*row = r->row.v;
	return 1;
}

void sqlite_done(struct db_cursor *c)
{
	struct sqlite_reading *r = (struct sqlite_reading *)c;

	if (!c)
		return;
	sqlite3_finalize(r->st);
	sqlite_row_release(&r->row);
	db_columns_free(c->column, c->n);
	free(r->sql);
	free(r);
}
