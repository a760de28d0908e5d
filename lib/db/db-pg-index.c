/* db-pg-index.c -- an index that is built outside of a transaction: see db-pg.h */
#include "db-pg.h"

#include "pg-words.h"

/*
 * CREATE INDEX CONCURRENTLY may fail half way, and then leaves an index that
 * nobody uses and everybody maintains; and where the connection was lost, the
 * server may have finished it all the same.
 */
struct wanted {
	struct buf name, table;
	const char *rest; /* of the statement, behind CONCURRENTLY */
	bool unique;
};

static bool read_statement(struct wanted *w, const char *sql)
{
	const char *s = pg_word(sql);

	if (!pg_take(&s, "CREATE"))
		return false;
	w->unique = pg_take(&s, "UNIQUE");
	if (!pg_take(&s, "INDEX") || !pg_take(&s, "CONCURRENTLY"))
		return false;
	if (pg_take(&s, "IF") && !(pg_take(&s, "NOT") && pg_take(&s, "EXISTS")))
		return false;
	w->rest = s;
	if (!pg_take_name(&s, &w->name) || !pg_take(&s, "ON"))
		return false;
	pg_take(&s, "ONLY");
	return pg_take_name(&s, &w->table) && *s != '.';
}

enum state { LACKING, INVALID, VALID };

static int take_state(void *arg, const struct db_value *v, size_t n)
{
	enum state *s = arg;

	*s = n && v->type == DB_BOOL && *v->s == 't' ? VALID : INVALID;
	return 0;
}

static int ask_state(struct pg *p, const struct wanted *w, enum state *s, struct diag *d)
{
	const struct db_value name = { DB_TEXT, w->name.s, w->name.len };

	*s = LACKING;
	return pg_query(
		p,
		"SELECT i.indisvalid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
		"JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
		"WHERE n.nspname = 'public' AND c.relname = $1",
		&name, 1, take_state, s, d);
}

static int drop(struct pg *p, const struct wanted *w, struct diag *d)
{
	struct buf sql = BUF_INIT;

	buf_addstr(&sql, "DROP INDEX CONCURRENTLY public.");
	db_name(&sql, w->name.s);
	int rc = pg_plain(p, sql.s, NULL, NULL, d);

	buf_release(&sql);
	return rc;
}

static int take_same(void *arg, const struct db_value *v, size_t n)
{
	bool *same = arg;

	*same = n && v->type == DB_BOOL && *v->s == 't';
	return 0;
}

/*
 * Is the valid index of that name the one that is wanted?  The server is asked
 * to spell the statement as well, on an empty table of the same columns and
 * name, which stands before the real one for as long as the transaction lasts.
 */
static int is_same(struct pg *p, const struct wanted *w, bool *same, struct diag *d)
{
	static const char compare[] =
		"SELECT bool_and(a.indisunique = b.indisunique "
		"AND substring(pg_get_indexdef(a.indexrelid) from ' USING .*') "
		"= substring(pg_get_indexdef(b.indexrelid) from ' USING .*') "
		"AND a.indrelid = (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace "
		"AND c.relname = $2)) FROM pg_index a, pg_index b, pg_class ca, pg_class cb "
		"WHERE ca.oid = a.indexrelid AND cb.oid = b.indexrelid "
		"AND ca.relname = $1 AND cb.relname = $1 AND ca.relnamespace = 'public'::regnamespace "
		"AND cb.relnamespace = pg_my_temp_schema()";
	const struct db_value names[] = { { DB_TEXT, w->name.s, w->name.len }, { DB_TEXT, w->table.s, w->table.len } };
	struct diag quiet = DIAG_INIT;
	struct buf sql = BUF_INIT, table = BUF_INIT;

	*same = false;
	db_name(&table, w->table.s);
	buf_addf(&sql,
	         "BEGIN;" PG_SETTINGS("SET LOCAL ") "CREATE TEMPORARY TABLE %s (LIKE public.%s);CREATE %sINDEX %s",
	         table.s, table.s, w->unique ? "UNIQUE " : "", w->rest);
	if (pg_plain(p, sql.s, NULL, NULL, &quiet) == 0)
		pg_query(p, compare, names, 2, take_same, same, &quiet);
	int rc = pg_plain(p, "ROLLBACK", NULL, NULL, d);

	buf_release(&sql);
	buf_release(&table);
	diag_release(&quiet);
	return rc;
}

static int build(struct pg *p, const struct wanted *w, const char *sql, struct diag *d)
{
	enum state s;
	int rc = pg_query(p, sql, NULL, 0, NULL, NULL, d);

	if (rc == 0 || p->trouble == DB_LOST)
		return rc;
	enum db_trouble trouble = p->trouble;
	struct diag quiet = DIAG_INIT;

	if (ask_state(p, w, &s, &quiet) == 0 && s == INVALID)
		drop(p, w, &quiet);
	diag_release(&quiet);
	p->trouble = trouble;
	return -1;
}

static int see_to(struct pg *p, const struct wanted *w, const char *sql, struct diag *d)
{
	enum state s;
	bool same;

	if (ask_state(p, w, &s, d) < 0 || (s == INVALID && drop(p, w, d) < 0))
		return -1;
	if (s != VALID)
		return build(p, w, sql, d);
	if (is_same(p, w, &same, d) < 0)
		return -1;
	p->trouble = same ? DB_FINE : DB_OTHER;
	return same ? 0
	            : diag_add(d, MIG_INVALID, "index_exists", p->base.name, "there is another index %s already",
	                       w->name.s);
}

int pg_index(struct pg *p, const char *sql, struct diag *d)
{
	struct wanted w = { .name = BUF_INIT, .table = BUF_INIT };
	int rc = read_statement(&w, sql) ? see_to(p, &w, sql, d) : pg_query(p, sql, NULL, 0, NULL, NULL, d);

	buf_release(&w.name);
	buf_release(&w.table);
	return rc;
}
