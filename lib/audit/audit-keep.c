/* audit-keep.c -- see audit-keep.h */
#include "audit-keep.h"

#include "io.h"
#include "moment.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 60, TRIES = 3, COLUMNS = 11 };

struct keep {
	struct db *db;
	struct doc doc;
	struct buf snapshot; /* its id, once it is kept */
	struct buf will;
	bool timeless, final;
	struct diag d;
};

#define TABLE "migration_audit_records"

/* A snapshot stands in one final record: one that is said again, because the connection was lost, is not doubled. */
static const char insert[] =
	"INSERT INTO " TABLE " (run_id, script, stage, created_at, env, tenant, ok, exit, code, payload, snapshot) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (snapshot) DO NOTHING RETURNING id";

static const char sqlite_table[] =
	"CREATE TABLE IF NOT EXISTS " TABLE " (id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, script TEXT NOT NULL, "
	"stage TEXT NOT NULL, created_at TEXT NOT NULL, env TEXT, tenant TEXT, ok INTEGER, exit INTEGER, code TEXT, "
	"payload TEXT NOT NULL, snapshot INTEGER UNIQUE REFERENCES " TABLE " (id))";

static const char pg_table[] =
	"CREATE TABLE IF NOT EXISTS " TABLE " (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
	"run_id TEXT NOT NULL, script TEXT NOT NULL, stage TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL, env TEXT, "
	"tenant TEXT, ok BOOLEAN, exit SMALLINT, code TEXT, payload JSONB NOT NULL, "
	"snapshot BIGINT UNIQUE REFERENCES " TABLE " (id))";

/*
 * Who may only add to a table may not ask for it to be made.  Two at once would be
 * refused by PostgreSQL's own catalogue: they wait for each other.
 */
static int make_table(struct keep *k)
{
	struct buf b = BUF_INIT;
	int rc;

	if (*k->db->ops->dialect == 's')
		return k->db->ops->exec(k->db, text_cstr(sqlite_table), &k->d);
	rc = db_one(k->db, "SELECT to_regclass('" TABLE "')::text", NULL, 0, &b, &k->d);
	if (rc == 0 && (rc = k->db->ops->query(k->db, "SELECT pg_advisory_xact_lock(hashtext('" TABLE "'))", NULL, 0,
	                                       NULL, NULL, &k->d)) == 0)
		rc = k->db->ops->exec(k->db, text_cstr(pg_table), &k->d);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

static struct db_value member(const struct doc *d, uint32_t obj, const char *name, struct buf *arena)
{
	uint32_t t = doc_member(d, obj, name, strlen(name));
	size_t n;
	const char *s;

	if (t == DOC_NONE || d->tok[t].type == DOC_NULL)
		return (struct db_value){ .type = DB_NULL };
	s = doc_span(d, t, &n);
	switch (d->tok[t].type) {
	case DOC_STRING: {
		struct text v = record_text(d, t, arena);

		return (struct db_value){ DB_TEXT, v.s, v.n };
	}
	case DOC_FALSE:
	case DOC_TRUE: return (struct db_value){ DB_BOOL, s, n };
	case DOC_NUMBER: return (struct db_value){ DB_INT, s, n };
	default: return (struct db_value){ DB_TEXT, s, n };
	}
}

/* One record as one transaction: 0, or -1 after a finding. */
static int insert_record(struct keep *k, const struct db_value *v)
{
	struct buf id = BUF_INIT;
	int rc = k->db->ops->begin(k->db, true, &k->d);

	if (rc == 0 && !k->snapshot.len)
		rc = make_table(k);
	if (rc == 0 && db_one(k->db, insert, v, COLUMNS, &id, &k->d) < 0)
		rc = -1;
	if (rc == 0)
		rc = k->db->ops->commit(k->db, &k->d);
	if (rc < 0)
		k->db->ops->rollback(k->db);
	else if (!k->snapshot.len)
		buf_add(&k->snapshot, id.s, id.len);
	buf_release(&id);
	return rc;
}

/* A final record is worth a second try: what it tells of has been done. */
static int insert_again(struct keep *k, const struct db_value *v)
{
	static const struct timespec pause[TRIES - 1] = { { .tv_nsec = 200000000 }, { .tv_sec = 1 } };
	int tries = k->snapshot.len ? TRIES : 1, rc = insert_record(k, v);

	for (int i = 1; rc < 0 && i < tries; i++) {
		nanosleep(&pause[i - 1], NULL);
		diag_truncate(&k->d, 0);
		rc = insert_record(k, v);
	}
	return rc;
}

static int put(struct keep *k, const char *line, size_t n, bool timeless)
{
	struct buf arena[COLUMNS] = { BUF_INIT };
	char now[MOMENT_SIZE];

	if (doc_parse(&k->doc, line, n, 64) < 0)
		return diag_add(&k->d, MIG_ERROR, "bad_record", NULL, "a record that is none: %s", k->doc.err.reason);
	const struct doc *d = &k->doc;
	uint32_t payload = doc_member(d, 0, "payload", 7);
	struct db_value v[COLUMNS] = {
		member(d, 0, "runId", &arena[0]),      member(d, 0, "script", &arena[1]),
		member(d, 0, "stage", &arena[2]),      member(d, 0, "createdAt", &arena[3]),
		member(d, 0, "env", &arena[4]),        member(d, 0, "tenant", &arena[5]),
		member(d, payload, "ok", &arena[6]),   member(d, payload, "exit", &arena[7]),
		member(d, payload, "code", &arena[8]), member(d, 0, "payload", &arena[9]),
	};

	moment_write(moment_now().seconds, now);
	if (timeless)
		v[3] = db_text(now);
	if (k->snapshot.len)
		v[10] = (struct db_value){ DB_INT, k->snapshot.s, k->snapshot.len };
	int rc = insert_again(k, v);

	for (size_t i = 0; i < COLUMNS; i++)
		buf_release(&arena[i]);
	return rc;
}

/* Answer with the finding that k has, or with none. */
static void answer(struct keep *k, int fd)
{
	struct sink_said said = { .exit = MIG_OK };
	const struct finding *f = diag_first(&k->d);

	if (f) {
		said.exit = f->exit == MIG_USAGE ? MIG_USAGE : MIG_PRECONDITION;
		snprintf(said.why, sizeof said.why, "%s%s%s", f->where ? f->where : "", f->where ? ": " : "",
		         f->message);
	}
	io_write(fd, &said, sizeof said);
}

static void serve(struct keep *k, int fd)
{
	struct lines l;
	const char *s;
	size_t n;
	bool first = true;

	lines_init(&l, fd, 0);
	while (!k->final && lines_next(&l, &s, &n, &k->d) > 0 && !l.torn) {
		if (*s == KEEP_SAY) {
			alarm(PATIENCE);
			k->final = !first;
			int rc = put(k, s + 1, n - 1, false);

			answer(k, fd);
			if (first && rc < 0)
				break;
			first = false;
			alarm(0);
		} else {
			buf_reset(&k->will);
			buf_add(&k->will, s + 1, n - 1);
			k->timeless = *s == KEEP_TIMELESS;
		}
	}
	lines_release(&l);
	if (k->snapshot.len && !k->final && k->will.len) {
		alarm(PATIENCE);
		put(k, k->will.s, k->will.len, k->timeless);
	}
}

void audit_keep(int fd, keep_open *open, const char *name)
{
	struct keep k = { .doc = DOC_INIT, .d = DIAG_INIT };

	alarm(PATIENCE);
	k.db = open(name, DB_CREATE, &k.d);
	if (k.db && k.db->ops->confine(k.db, -1, &k.d) == 0)
		serve(&k, fd);
	else
		answer(&k, fd);
	if (k.db)
		k.db->ops->close(k.db);
	doc_release(&k.doc);
	buf_release(&k.snapshot);
	buf_release(&k.will);
	diag_release(&k.d);
}
