/* db-pg-scratch.c -- a PostgreSQL database in which a plan can be tried: see db.h */
#include "db-pg.h"

#include "pg-words.h"

#include <stdlib.h>

/*
 * It is the database itself, inside one transaction that only close ends, and
 * that by undoing it.  What begin and commit enclose is between savepoints.
 */
static struct pg *of(struct db *db)
{
	return (struct pg *)db;
}

static int begin(struct db *db, bool writes, struct diag *d)
{
	struct pg *p = of(db);

	(void)writes;
	if (pg_plain(p, "SAVEPOINT mig_try;" PG_SETTINGS("SET LOCAL "), NULL, NULL, d) < 0)
		return -1;
	p->depth++;
	return 0;
}

/* Constraints that wait for the commit are asked now. */
static int commit(struct db *db, struct diag *d)
{
	struct pg *p = of(db);

	if (pg_plain(p, "SET CONSTRAINTS ALL IMMEDIATE;SET CONSTRAINTS ALL DEFERRED;RELEASE mig_try", NULL, NULL, d) <
	    0)
		return -1;
	p->depth--;
	return 0;
}

static void rollback(struct db *db)
{
	struct pg *p = of(db);
	struct diag quiet = DIAG_INIT;
	enum db_trouble trouble = p->trouble;

	buf_reset(&p->queued);
	for (; p->depth > 0; p->depth--)
		pg_plain(p, "ROLLBACK TO mig_try;RELEASE mig_try", NULL, NULL, &quiet);
	p->preparing = false;
	p->trouble = trouble;
	diag_release(&quiet);
}

/* Where "CONCURRENTLY" stands in a statement about an index, and behind it: no transaction can do it. */
static bool find_concurrently(const char *sql, const char **from, const char **to)
{
	const char *s = pg_word(sql);

	if (pg_take(&s, "CREATE"))
		pg_take(&s, "UNIQUE");
	else if (!pg_take(&s, "DROP") && !pg_take(&s, "REINDEX"))
		return false;
	if (!pg_take(&s, "INDEX") && !pg_take(&s, "TABLE"))
		return false;
	*from = *to = s;
	return pg_take(to, "CONCURRENTLY");
}

static int exec(struct db *db, struct text sql, struct diag *d)
{
	struct buf b = BUF_INIT;
	const char *from, *to;
	char *text = xmemdup(sql.s, sql.n);
	bool cut = find_concurrently(text, &from, &to);

	buf_add(&b, text, cut ? (size_t)(from - text) : sql.n);
	if (cut)
		buf_addstr(&b, to);
	int rc = pg_exec(db, (struct text){ b.s ? b.s : "", b.len }, d);

	buf_release(&b);
	free(text);
	return rc;
}

static void close_db(struct db *db)
{
	struct pg *p = of(db);
	struct diag quiet = DIAG_INIT;

	buf_release(&p->queued);
	pg_plain(p, "ROLLBACK", NULL, NULL, &quiet);
	diag_release(&quiet);
	pg_kept_release(p);
	free(p->holder);
	free((struct db_ops *)(uintptr_t)db->ops);
	free(p);
}

struct db *pg_scratch(struct db *db, struct diag *d)
{
	struct pg *p = of(db);

	if (pg_plain(p, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;" PG_SETTINGS("SET LOCAL "), NULL, NULL, d) <
	    0)
		return NULL;
	struct pg *s = xcalloc(1, sizeof *s);
	struct db_ops *ops = xmalloc(sizeof *ops);

	*ops = *db->ops;
	ops->begin = begin;
	ops->commit = commit;
	ops->rollback = rollback;
	ops->exec = exec;
	ops->scratch = NULL;
	ops->close = close_db;
	s->base = *db;
	s->base.ops = ops;
	s->conn = p->conn;
	s->mode = DB_WRITE;
	s->inside = true;
	return &s->base;
}
