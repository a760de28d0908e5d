/* db-pg-cursor.c -- rows of PostgreSQL, one by one, by a cursor of the server's; see cursor in db.h */
#include "db-pg.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows are fetched by the hundred, fewer of them where they are long. */
enum { FIRST = 16, MOST = 512, BATCH_BYTES = 256 << 10 };

struct pg_reading {
	struct db_cursor base;
	char *sql;
	unsigned number; /* 0: not begun */
	PGresult *batch;
	int line, lines, ask;
	bool last;       /* the server has no more behind this batch */
	struct pg_row row;
};

static enum db_form form_of(Oid oid)
{
	switch (oid) {
	case OID_JSON:
	case OID_JSONB:
		return DB_JSON;
	case OID_TIMESTAMP:
		return DB_TIME;
	case OID_TIMESTAMPTZ:
		return DB_INSTANT;
	case OID_NUMERIC:
		return DB_DECIMAL;
	default:
		return DB_PLAIN;
	}
}

struct db_cursor *pg_cursor(struct db *db, const char *sql)
{
	struct pg_reading *r = xcalloc(1, sizeof *r);

	r->base.db = db;
	r->sql = xstrdup(sql);
	r->ask = FIRST;
	return &r->base;
}

/* The rows that a statement of our own gives; NULL after a finding. */
static PGresult *fetch(struct pg *p, const char *sql, struct diag *d)
{
	PGresult *got = NULL, *r;
	bool failed = false;

	p->trouble = DB_FINE;
	if (!pq.PQsendQuery(p->conn, sql)) {
		pg_failed(p, NULL, NULL, d);
		return NULL;
	}
	while ((r = pg_result(p))) {
		if (!got && !failed && pq.PQresultStatus(r) == PGRES_TUPLES_OK) {
			got = r;
			continue;
		}
		if (!failed)
			pg_failed(p, r, NULL, d);
		failed = true;
		pq.PQclear(r);
	}
	if (!failed && got)
		return got;
	if (!failed)
		pg_failed(p, NULL, NULL, d);
	pq.PQclear(got);
	return NULL;
}

static int fetch_batch(struct pg_reading *r, struct diag *d)
{
	char sql[64];

	snprintf(sql, sizeof sql, "FETCH FORWARD %d FROM mig_rows_%u", r->ask, r->number);
	pq.PQclear(r->batch);
	r->line = r->lines = 0;
	r->batch = fetch((struct pg *)r->base.db, sql, d);
	if (!r->batch)
		return -1;
	r->lines = pq.PQntuples(r->batch);
	r->last = r->lines < r->ask;
	return 0;
}

/* How many rows the next batch is to have, by how long those of this one were. */
static void pace(struct pg_reading *r, size_t bytes)
{
	size_t mean = bytes / (size_t)r->lines + 1, n = BATCH_BYTES / mean + 1, more = (size_t)r->ask * 4;

	n = n < more ? n : more;
	r->ask = n < MOST ? (int)n : MOST;
}

/* What a type is, which the server alone knows of those it did not come with. */
static int take_type(void *arg, const struct db_value *v, size_t n)
{
	struct pg_reading *r = arg;
	struct db_column *c = &r->base.column[strtoul(v[0].s, NULL, 10)];

	if (n < 4)
		return 0;
	c->keyed = *v[1].s == 't';
	if (v[2].type == DB_NULL)
		return 0;
	Oid element = (Oid)strtoul(v[2].s, NULL, 10);

	c->comma = *v[3].s;
	c->type = pg_type(element);
	c->form = form_of(element);
	return 0;
}

/* number of the column, may it be a key, and of an array the type of its elements and what parts them */
static int ask_types(struct pg_reading *r, struct diag *d)
{
	struct buf sql = BUF_INIT;

	buf_addstr(&sql,
	           "SELECT c.n, t.typcategory IN ('S', 'E') OR t.oid IN (20, 21, 23, 26, 2950), "
	           "(WITH RECURSIVE b AS (SELECT e.oid, e.typbasetype, e.typtype UNION ALL "
	           "SELECT n.oid, n.typbasetype, n.typtype FROM b JOIN pg_catalog.pg_type n "
	           "ON n.oid = b.typbasetype) SELECT oid FROM b WHERE typtype <> 'd'), "
	           "e.typdelim FROM (VALUES ");
	for (size_t i = 0; i < r->base.n; i++)
		buf_addf(&sql, "%s(%zu, %lu)", i ? ", " : "", i, (unsigned long)pq.PQftype(r->batch, (int)i));
	buf_addstr(&sql, ") c(n, oid) JOIN pg_catalog.pg_type t ON t.oid = c.oid "
	                 "LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid");
	int rc = r->base.n ? pg_plain((struct pg *)r->base.db, sql.s, take_type, r, d) : 0;

	buf_release(&sql);
	return rc;
}

static int begin_reading(struct pg_reading *r, struct diag *d)
{
	struct pg *p = (struct pg *)r->base.db;
	unsigned number = ++p->cursors;
	char *sql = xasprintf("DECLARE mig_rows_%u NO SCROLL CURSOR FOR\n%s", number, r->sql);
	int rc = pg_query(p, sql, NULL, 0, NULL, NULL, d);

	free(sql);
	if (rc < 0)
		return -1;
	r->number = number;
	if (fetch_batch(r, d) < 0)
		return -1;
	r->row.n = pq.PQnfields(r->batch);
	r->row.v = xcalloc((size_t)r->row.n + 1, sizeof *r->row.v);
	r->base.n = (size_t)r->row.n;
	r->base.column = xcalloc(r->base.n + 1, sizeof *r->base.column);
	for (int i = 0; i < r->row.n; i++) {
		Oid type = pq.PQftype(r->batch, i);

		r->base.column[i] = (struct db_column){
			.name = xstrdup(pq.PQfname(r->batch, i)),
			.form = form_of(type),
			.type = pg_type(type),
		};
	}
	return ask_types(r, d);
}

static size_t bytes_of(const struct pg_reading *r)
{
	size_t n = 0;

	for (int i = 0; i < r->lines; i++)
		for (int k = 0; k < r->row.n; k++)
			n += (size_t)pq.PQgetlength(r->batch, i, k);
	return n;
}

int pg_next(struct db_cursor *c, const struct db_value **row, struct diag *d)
{
	struct pg_reading *r = (struct pg_reading *)c;

	if (r->number == 0 && begin_reading(r, d) < 0)
		return -1;
	if (r->line == r->lines && !r->last) {
		if (r->lines)
			pace(r, bytes_of(r));
		if (fetch_batch(r, d) < 0)
			return -1;
	}
	if (r->line == r->lines)
		return 0;
	pg_row_take(&r->row, r->batch, r->line++);
	*row = r->row.v;
	return 1;
}

void pg_done(struct db_cursor *c)
{
	struct pg_reading *r = (struct pg_reading *)c;
	char sql[40];

	if (!c)
		return;
	struct pg *p = (struct pg *)c->db;
	struct diag quiet = DIAG_INIT;

	snprintf(sql, sizeof sql, "CLOSE mig_rows_%u", r->number);
	if (r->number && pq.PQtransactionStatus(p->conn) == PQTRANS_INTRANS)
		pg_plain(p, sql, NULL, NULL, &quiet);
	diag_release(&quiet);
	pq.PQclear(r->batch);
	buf_release(&r->row.bytes);
	free(r->row.v);
	db_columns_free(c->column, c->n);
	free(r->sql);
	free(r);
}
