/* db-pg-query.c -- statements on PostgreSQL, and the rows that they give; see db-pg.h */
#include "db-pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { ASK_STOP_MS = 100 };

static int nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* "\x00ff" at s, to be found at its offset in r->bytes when all of the row is there. */
static void take_bytes(struct pg_row *r, struct db_value *v)
{
	size_t at = r->bytes.len;

	for (size_t i = 2; i + 1 < v->n; i += 2)
		buf_addch(&r->bytes, (char)(nibble(v->s[i]) << 4 | nibble(v->s[i + 1])));
	v->n = r->bytes.len - at;
}

enum db_type pg_type(Oid oid)
{
	switch (oid) {
	case OID_BOOL:
		return DB_BOOL;
	case OID_BYTEA:
		return DB_BLOB;
	case OID_INT8:
	case OID_INT2:
	case OID_INT4:
	case OID_OID:
		return DB_INT;
	case OID_FLOAT4:
	case OID_FLOAT8:
		return DB_REAL;
	default:
		return DB_TEXT; /* NUMERIC as well: a double would not hold it */
	}
}

void pg_row_take(struct pg_row *r, const PGresult *res, int line)
{
	size_t at = 0;

	buf_reset(&r->bytes);
	for (int i = 0; i < r->n; i++) {
		struct db_value *v = &r->v[i];

		*v = (struct db_value){ .type = DB_NULL };
		if (pq.PQgetisnull(res, line, i))
			continue;
		v->type = pg_type(pq.PQftype(res, i));
		v->s = pq.PQgetvalue(res, line, i);
		v->n = (size_t)pq.PQgetlength(res, line, i);
		if (v->type == DB_BOOL)
			*v = (struct db_value){ DB_BOOL, *v->s == 't' ? "true" : "false", *v->s == 't' ? 4 : 5 };
		else if (v->type == DB_BLOB)
			take_bytes(r, v);
	}
	for (int i = 0; i < r->n; i++)
		if (r->v[i].type == DB_BLOB) {
			r->v[i].s = r->v[i].n ? r->bytes.s + at : "";
			at += r->v[i].n;
		}
}

static int take_rows(const PGresult *res, db_row *each, void *arg)
{
	int lines = pq.PQntuples(res), rc = 0;

	if (!each || lines == 0)
		return 0;
	struct pg_row r = { .n = pq.PQnfields(res) };

	r.v = xcalloc((size_t)r.n + 1, sizeof *r.v);
	for (int i = 0; i < lines && rc == 0; i++) {
		pg_row_take(&r, res, i);
		rc = each(arg, r.v, (size_t)r.n) < 0 ? -1 : 0;
	}
	free(r.v);
	buf_release(&r.bytes);
	return rc;
}

static void cancel(struct pg *p)
{
	PGcancel *c = pq.PQgetCancel(p->conn);
	char why[256];

	if (c)
		pq.PQcancel(c, why, sizeof why);
	pq.PQfreeCancel(c);
}

PGresult *pg_result(struct pg *p)
{
	bool stopped = false;

	while (pq.PQisBusy(p->conn)) {
		struct pollfd fd = { .fd = pq.PQsocket(p->conn), .events = POLLIN };
		int n = poll(&fd, 1, p->base.stop && !stopped ? ASK_STOP_MS : -1);

		if (n < 0 && errno != EINTR)
			break;
		if (p->base.stop && !stopped && p->base.stop()) {
			stopped = true;
			cancel(p);
		}
		if (n > 0 && !pq.PQconsumeInput(p->conn))
			break;
	}
	return pq.PQgetResult(p->conn);
}

/* COPY speaks with the client, and we have nothing to say. */
static void end_copy(struct pg *p, ExecStatusType status)
{
	char *line;

	if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH)
		pq.PQputCopyEnd(p->conn, "COPY FROM STDIN has no input here");
	while (status != PGRES_COPY_IN && pq.PQgetCopyData(p->conn, &line, 0) > 0)
		pq.PQfreemem(line);
}

/* Take all results of what was sent; the first thing that fails counts. */
static int receive(struct pg *p, const char *sql, db_row *each, void *arg, struct diag *d)
{
	bool failed = false, stopped = false;
	PGresult *r;

	while ((r = pg_result(p))) {
		ExecStatusType status = pq.PQresultStatus(r);

		switch (status) {
		case PGRES_SINGLE_TUPLE:
		case PGRES_TUPLES_OK:
			if (!stopped && !failed)
				stopped = take_rows(r, each, arg) < 0;
			snprintf(p->tag, sizeof p->tag, "%s", pq.PQcmdStatus(r));
			break;
		case PGRES_COMMAND_OK:
			snprintf(p->tag, sizeof p->tag, "%s", pq.PQcmdStatus(r));
			break;
		case PGRES_EMPTY_QUERY:
			break;
		case PGRES_COPY_IN:
		case PGRES_COPY_OUT:
		case PGRES_COPY_BOTH:
			end_copy(p, status);
			break;
		default:
			if (!failed)
				pg_failed(p, r, sql, d);
			failed = true;
		}
		pq.PQclear(r);
	}
	if (!failed && pq.PQstatus(p->conn) != CONNECTION_OK) {
		pg_failed(p, NULL, NULL, d);
		failed = true;
	}
	return failed || stopped ? -1 : 0;
}

static int send_plain(struct pg *p, const char *sql, db_row *each, void *arg, struct diag *d)
{
	p->trouble = DB_FINE;
	if (!pq.PQsendQuery(p->conn, sql))
		return pg_failed(p, NULL, NULL, d);
	pq.PQsetSingleRowMode(p->conn);
	return receive(p, NULL, each, arg, d);
}

/* What is queued is forgotten whatever becomes of it. */
static int send_queued(struct pg *p, db_row *each, void *arg, struct diag *d)
{
	struct buf all = p->queued;

	p->queued = (struct buf)BUF_INIT;
	int rc = send_plain(p, all.s, each, arg, d);

	if (rc < 0) /* who knows how far it came */
		pg_forget(p);
	buf_release(&all);
	return rc;
}

int pg_flush(struct pg *p, struct diag *d)
{
	return p->queued.len ? send_queued(p, NULL, NULL, d) : 0;
}

int pg_plain(struct pg *p, const char *sql, db_row *each, void *arg, struct diag *d)
{
	if (!p->queued.len)
		return send_plain(p, sql, each, arg, d);
	buf_addstr(&p->queued, sql);
	return send_queued(p, each, arg, d);
}

/* Bytes go as the text that bytea reads. */
static char *hex_of(const struct db_value *v)
{
	static const char digit[] = "0123456789abcdef";
	char *s = xmalloc(2 * v->n + 3), *to = s;

	*to++ = '\\';
	*to++ = 'x';
	for (size_t i = 0; i < v->n; i++) {
		*to++ = digit[(unsigned char)v->s[i] >> 4];
		*to++ = digit[v->s[i] & 15];
	}
	*to = '\0';
	return s;
}

/* A literal that is the same text under any setting of the session. */
static void add_literal(struct buf *b, const struct db_value *v)
{
	char *hex = v->type == DB_BLOB ? hex_of(v) : NULL;
	const char *s = hex ? hex : v->s;

	if (v->type == DB_NULL) {
		buf_addstr(b, "NULL");
		return;
	}
	buf_addstr(b, "E'");
	for (size_t i = 0, n = hex ? strlen(hex) : v->n; i < n; i++) {
		if (s[i] == '\'' || s[i] == '\\')
			buf_addch(b, s[i]);
		buf_addch(b, s[i]);
	}
	buf_addch(b, '\'');
	free(hex);
}

/* Queue a statement with what stands for $1, $2, .. outside of its names and strings. */
static void queue(struct pg *p, const char *sql, const struct db_value *v, size_t n)
{
	struct buf *b = &p->queued, name = BUF_INIT;
	char quote = 0;

	if (pg_kept(p, sql, &name)) {
		buf_addf(b, "EXECUTE %s(", name.s);
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_addch(b, ',');
			add_literal(b, &v[i]);
		}
		buf_addstr(b, ");");
		buf_release(&name);
		return;
	}
	for (const char *s = sql; *s; s++) {
		if (*s == '"' || *s == '\'')
			quote = !quote ? *s : quote == *s ? 0 : quote;
		size_t k = *s == '$' && !quote ? strtoul(s + 1, NULL, 10) : 0;

		if (k < 1 || k > n) {
			buf_addch(b, *s);
			continue;
		}
		add_literal(b, &v[k - 1]);
		s += strspn(s + 1, "0123456789");
	}
	buf_addch(b, ';');
}

/* A migration may have said that it speaks in another encoding: we do not, and in some a literal would not end. */
static int speak_utf8(struct pg *p, struct diag *d)
{
	const char *encoding = pq.PQparameterStatus(p->conn, "client_encoding");

	if (encoding && strcmp(encoding, "UTF8") == 0)
		return 0;
	return pg_flush(p, d) < 0 ? -1 : send_plain(p, "SET client_encoding=UTF8", NULL, NULL, d);
}

int pg_later(struct pg *p, const char *sql, const struct db_value *v, size_t n, struct diag *d)
{
	if (speak_utf8(p, d) < 0)
		return -1;
	queue(p, sql, v, n);
	return 0;
}

static int send_query(struct pg *p, const char *sql, const struct db_value *v, size_t n, db_row *each, void *arg,
                      struct diag *d)
{
	char **text = xcalloc(n + 1, sizeof *text);
	int rc = -1;

	p->trouble = DB_FINE;
	for (size_t i = 0; i < n; i++)
		if (v[i].type != DB_NULL)
			text[i] = v[i].type == DB_BLOB ? hex_of(&v[i]) : xmemdup(v[i].s, v[i].n);
	if (!pq.PQsendQueryParams(p->conn, sql, (int)n, NULL, (const char *const *)text, NULL, NULL, 0))
		pg_failed(p, NULL, NULL, d);
	else {
		pq.PQsetSingleRowMode(p->conn);
		rc = receive(p, sql, each, arg, d);
	}
	for (size_t i = 0; i < n; i++)
		free(text[i]);
	free(text);
	return rc;
}

int pg_query(struct pg *p, const char *sql, const struct db_value *v, size_t n, db_row *each, void *arg, struct diag *d)
{
	if (n && speak_utf8(p, d) < 0)
		return -1;
	if (p->queued.len && n) {
		queue(p, sql, v, n);
		return send_queued(p, each, arg, d);
	}
	return pg_flush(p, d) < 0 ? -1 : send_query(p, sql, v, n, each, arg, d);
}
