/* db-pg-lock.c -- the one run that writes to a PostgreSQL database; see db.h */
#include "db-pg.h"

#include "doc.h"

#include <stdlib.h>
#include <time.h>

/* An advisory lock of the session: "mig" and 1, nobody else's numbers we hope. */
#define LOCK_KEYS "7170407, 1"

enum { POLL_MS = 50 };

static int take_first(void *arg, const struct db_value *v, size_t n)
{
	bool *got = arg;

	*got = n > 0 && v->type == DB_BOOL && *v->s == 't';
	return 0;
}

static void add(struct buf *b, const char *before, const struct db_value *v)
{
	if (v->type == DB_NULL || v->n == 0)
		return;
	buf_addstr(b, before);
	buf_add(b, v->s, v->n);
}

/* application_name, user, pid, client, since: some are hidden from those who may not know */
static int take_holder(void *arg, const struct db_value *v, size_t n)
{
	struct buf *b = arg;

	if (n < 5)
		return 0;
	buf_add(b, v[0].s, v[0].n);
	add(b, b->len ? ", user " : "user ", &v[1]);
	add(b, ", process ", &v[2]);
	add(b, ", from ", &v[3]);
	add(b, ", since ", &v[4]);
	return 0;
}

static int locked(struct pg *p, struct diag *d)
{
	struct buf who = BUF_INIT;
	static const char ask[] =
		"SELECT a.application_name, a.usename, a.pid, coalesce(host(a.client_addr), 'this machine'), "
		"to_char(a.backend_start, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
		"FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
		"WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND (l.classid, l.objid) = (" LOCK_KEYS
		") AND l.database = "
		"(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 1";
	int rc = pg_plain(p, ask, take_holder, &who, d);

	if (rc == 0) {
		p->trouble = DB_UNREADY;
		diag_add(d, MIG_PRECONDITION, "locked", p->base.name, "another run holds the lock: %s",
		         who.len ? who.s : "it has just ended");
	}
	buf_release(&who);
	return -1;
}

/* For pg_stat_activity: {"actor":"ada",..} gives "mig-apply: ada".  It takes 63 bytes of ASCII. */
static int show_holder(struct pg *p, const char *holder, struct diag *d)
{
	struct buf text = BUF_INIT, name = BUF_INIT;
	struct doc doc = DOC_INIT;

	buf_addstr(&text, holder);
	buf_addf(&name, "%s: ", progname);
	if (doc_parse(&doc, text.s ? text.s : "", text.len, DOC_MAX_DEPTH) == 0) {
		uint32_t actor = doc_member(&doc, 0, "actor", 5);

		if (actor && doc.tok[actor].type == DOC_STRING)
			doc_string(&doc, actor, &name);
	}
	const struct db_value v = { DB_TEXT, name.s, name.len };
	int rc = pg_query(p, "SELECT pg_catalog.set_config('application_name', $1, false)", &v, 1, NULL, NULL, d);

	doc_release(&doc);
	buf_release(&text);
	buf_release(&name);
	return rc;
}

int pg_lock(struct db *db, unsigned seconds, const char *holder, struct diag *d)
{
	struct pg *p = (struct pg *)db;
	bool got = false;

	p->patience = seconds;
	for (uint64_t left = (uint64_t)seconds * (1000 / POLL_MS) + 1; !got; left--) {
		if (left == 0 || (db->stop && db->stop()))
			return locked(p, d);
		if (pg_plain(p, "SELECT pg_try_advisory_lock(" LOCK_KEYS ")", take_first, &got, d) < 0)
			return -1;
		if (!got && left > 1)
			nanosleep(&(struct timespec){ 0, POLL_MS * 1000000 }, NULL);
	}
	free(p->holder);
	p->holder = xstrdup(holder);
	return show_holder(p, holder, d);
}
