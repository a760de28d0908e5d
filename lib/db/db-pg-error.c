/* db-pg-error.c -- what PostgreSQL's errors mean; see db-pg.h */
#include "db-pg.h"

#include <ctype.h>
#include <stdlib.h>

enum { EXCERPT = 100 };

/* By the first characters of the SQLSTATE; the first that fits.  See "PostgreSQL Error Codes" in its manual. */
static const struct meaning {
	const char *state;
	enum db_trouble trouble;
	enum mig_exit code;
	const char *rule;
} meanings[] = {
	{ "23", DB_CONSTRAINT, MIG_INVALID, "constraint" },
	{ "22", DB_CONSTRAINT, MIG_INVALID, "constraint" },
	{ "08", DB_LOST, MIG_PRECONDITION, "connection_lost" },
	{ "57P0", DB_LOST, MIG_PRECONDITION, "connection_lost" },
	{ "55P03", DB_UNREADY, MIG_PRECONDITION, "locked" },
	{ "40001", DB_TRANSIENT, MIG_ERROR, "sql_failed" },
	{ "40P01", DB_TRANSIENT, MIG_ERROR, "sql_failed" },
	{ "53100", DB_UNREADY, MIG_PRECONDITION, "store_full" },
	{ "53", DB_UNREADY, MIG_PRECONDITION, "server_full" },
	{ "25006", DB_UNREADY, MIG_PRECONDITION, "store_readonly" },
	{ "42501", DB_UNREADY, MIG_PRECONDITION, "not_permitted" },
	{ "42601", DB_OTHER, MIG_ERROR, "sql_failed" },
	{ "2D", DB_OTHER, MIG_INVALID, "ends_transaction" },
	{ "", DB_OTHER, MIG_ERROR, "sql_failed" },
};

static const struct meaning *meaning_of(const char *state)
{
	const struct meaning *m = meanings;

	while (strncmp(state, m->state, strlen(m->state)) != 0)
		m++;
	return m;
}

/* Append a text of the server's as one line. */
static void add_line(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_addch(b, (unsigned char)*s < 0x20 ? ' ' : *s);
	while (b->len && b->s[b->len - 1] == ' ')
		buf_setlen(b, b->len - 1);
}

/* The byte behind n characters of a text that may end before. */
static size_t bytes_of(const char *s, size_t n)
{
	size_t i = 0;

	while (s[i] && n > 0) {
		i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		n--;
	}
	return i;
}

/* Append " (line 2, column 8: SELECT 'x' FROM nowhere)": the line that it happened in, cut to what is near. */
static void add_place(struct buf *b, const char *sql, size_t position)
{
	size_t at = bytes_of(sql, position - 1), from = at, to = at, line = 1;

	for (size_t i = 0; i < at; i++)
		line += sql[i] == '\n';
	while (from > 0 && sql[from - 1] != '\n')
		from--;
	to += strcspn(sql + to, "\n");
	buf_addf(b, " (line %zu, column %zu: ", line, at - from + 1);
	while (from < at && (isspace((unsigned char)sql[from]) || at - from > EXCERPT / 2))
		from += bytes_of(sql + from, 1);
	size_t n = 0;

	while (n < to - from && n < EXCERPT)
		n += bytes_of(sql + from + n, 1);
	char *excerpt = xmemdup(sql + from, n);

	add_line(b, excerpt);
	buf_addstr(b, n < to - from ? " ..)" : ")");
	free(excerpt);
}

/* A detail names the key, or the whole row: rows are nobody's business but the database's. */
static bool may_tell(const char *detail)
{
	return detail && strncmp(detail, "Failing row contains", 20) != 0;
}

static void add_cause(struct buf *b, const PGresult *r, const char *sql)
{
	const char *detail = pq.PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	const char *position = pq.PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
	const char *inner = pq.PQresultErrorField(r, PG_DIAG_INTERNAL_QUERY);

	if (may_tell(detail)) {
		buf_addstr(b, ": ");
		add_line(b, detail);
	}
	if (position && sql)
		add_place(b, sql, strtoul(position, NULL, 10));
	else if (inner) {
		buf_addstr(b, " (in: ");
		add_line(b, inner);
		buf_addch(b, ')');
	}
}

/* libpq's first line says what, the others what that may mean. */
static int lost(struct pg *p, struct diag *d)
{
	const char *said = pq.PQerrorMessage(p->conn);
	int n = (int)strcspn(said, "\n");

	p->trouble = DB_LOST;
	return diag_add(d, MIG_PRECONDITION, "connection_lost", p->base.name, "the connection was lost%s%.*s",
	                n ? ": " : "", n, said);
}

int pg_failed(struct pg *p, const PGresult *r, const char *sql, struct diag *d)
{
	const char *state = r ? pq.PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *said = r ? pq.PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	struct buf b = BUF_INIT;

	if (!state || !said)
		return lost(p, d);
	const struct meaning *m = meaning_of(state);

	p->trouble = m->trouble;
	add_line(&b, said);
	add_cause(&b, r, sql);
	if (m->trouble == DB_OTHER || m->trouble == DB_TRANSIENT)
		buf_addf(&b, " [%s]", state);
	const char *hint = pq.PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);

	if (hint)
		diag_hint(d, "%s", hint);
	if (strcmp(state, "57014") == 0 && p->base.stop && p->base.stop())
		diag_add(d, MIG_ERROR, "interrupted", p->base.name, "stopped by a signal");
	else
		diag_add(d, m->code, m->rule, p->base.name, "%s", b.s);
	buf_release(&b);
	return -1;
}
