/* audit.c -- see audit.h */
#include "audit.h"

#include "moment.h"
#include "record.h"
#include "redact.h"
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct sink *const sinks[] = { &sink_file, &sink_sqlite, &sink_pg, &sink_postgres };

enum { KINDS = sizeof sinks / sizeof *sinks, MOST = 4 };

/* The one that this process has; n is 0 without. */
static struct {
	struct {
		const struct sink *sink;
		int handle;
	} to[MOST];
	size_t n;
	pid_t pid;
	char *run_id, *script, *env, *tenant, *now;
	struct buf died; /* the final record of one that cannot make it any more: see prepare */
	size_t died_time, died_exit;
} audit;

static void forget(void)
{
	while (audit.n) {
		audit.n--;
		audit.to[audit.n].sink->close(audit.to[audit.n].handle);
	}
	free(audit.run_id);
	free(audit.script);
	free(audit.env);
	free(audit.tenant);
	free(audit.now);
	buf_release(&audit.died);
	memset(&audit, 0, sizeof audit);
}

static void add_time(struct rec *w)
{
	char now[MOMENT_SIZE];

	moment_write(moment_now().seconds, now);
	rec_cstr(w, "createdAt", audit.now ? audit.now : now);
}

/*
 * Append a record and its LF:
 *
 *	{"createdAt":T,"env":"dev","kind":"audit","payload":{..},"runId":R,
 *	 "script":"mig-plan","stage":"final","tenant":null}
 */
static void put(struct buf *b, const char *stage, const struct buf *payload)
{
	struct rec w;

	rec_open(&w, b);
	add_time(&w);
	rec_cstr(&w, "env", audit.env);
	rec_cstr(&w, "kind", "audit");
	rec_raw(&w, "payload", payload->s, payload->len);
	rec_cstr(&w, "runId", audit.run_id);
	rec_cstr(&w, "script", audit.script);
	rec_cstr(&w, "stage", stage);
	rec_cstr(&w, "tenant", audit.tenant);
	rec_close(&w);
	buf_addch(b, '\n');
}

static void put_final(struct buf *b, const struct audit_end *end)
{
	struct buf payload = BUF_INIT, reason = BUF_INIT;
	struct rec w;

	rec_open(&w, &payload);
	rec_cstr(&w, "code", end->code);
	rec_cstr(&w, "digest", end->digest);
	rec_int(&w, "exit", end->exit);
	rec_bool(&w, "ok", end->exit == MIG_OK);
	if (end->reason)
		redact_text(&reason, end->reason, strlen(end->reason));
	rec_cstr(&w, "reason", end->reason ? reason.s : NULL);
	if (end->digest)
		rec_int(&w, "records", (int64_t)end->records);
	else
		rec_null(&w, "records");
	rec_close(&w);
	put(b, "final", &payload);
	buf_release(&payload);
	buf_release(&reason);
}

/* Make the record of one that dies now, so that nothing but its time and its exit code is left to fill in. */
static void prepare(void)
{
	const struct audit_end end = { .exit = MIG_ERROR, .code = "died", .reason = "the process was cut short" };

	buf_reset(&audit.died);
	put_final(&audit.died, &end);
	audit.died_time = sizeof "{\"createdAt\":\"" - 1;
	audit.died_exit = (size_t)(strstr(audit.died.s, "\"exit\":") - audit.died.s) + sizeof "\"exit\":" - 1;
	for (size_t i = 0; i < audit.n; i++)
		if (audit.to[i].sink->will)
			audit.to[i].sink->will(audit.to[i].handle, audit.died.s, audit.died.len, !audit.now);
}

/* Why a sink did not take a record: its own words, or the kernel's. */
static const char *why(const struct sink_said *said)
{
	return said->why[0] ? said->why : strerror(errno);
}

/*
 * The record goes to each sink in turn.  Where one does not take it, the others
 * behind it are left, and those ahead of it keep what they have: its end follows.
 */
static int write_snapshot(const struct audit_run *run, struct diag *d)
{
	struct buf b = BUF_INIT, payload = BUF_INIT;
	struct sink_said said;
	struct rec w;
	int rc = 0;

	rec_open(&w, &payload);
	rec_cstr(&w, "actor", run->actor);
	rec_raw(&w, "options", run->options, strlen(run->options));
	rec_cstr(&w, "version", MIG_VERSION);
	rec_close(&w);
	put(&b, "snapshot", &payload);
	for (size_t i = 0; i < audit.n && rc == 0; i++) {
		if (audit.to[i].sink->append(audit.to[i].handle, b.s, b.len, &said) == 0)
			continue;
		rc = diag_add(d, said.exit, said.exit == MIG_USAGE ? "bad_audit" : "audit_unreachable", NULL,
		              "the audit: %s", why(&said));
		while (audit.n > i) {
			audit.n--;
			audit.to[audit.n].sink->close(audit.to[audit.n].handle);
		}
	}
	buf_release(&b);
	buf_release(&payload);
	return rc;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* The kind of sink that a name is of, or NULL. */
static const struct sink *kind_of(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strncmp(name, sinks[i]->scheme, strlen(sinks[i]->scheme)) == 0)
			return sinks[i];
	return NULL;
}

/* What stands in front of the next sink, or of the end: spaces are only between two if a scheme follows them. */
static size_t name_length(const char *names)
{
	for (const char *s = names; *s; s++)
		if (*s == ' ' && kind_of(s + strspn(s, " ")))
			return (size_t)(s - names);
	return strlen(names);
}

/* Are both the same SQLite file?  Who holds it would wait for those who write their audit into it. */
static bool is_store(const char *name, const char *store)
{
	struct stat a, b;

	if (!store || strncmp(name, "sqlite:", 7) != 0 || strncmp(store, "sqlite:", 7) != 0)
		return false;
	if (strcmp(name, store) == 0)
		return true;
	return stat(name + 7, &a) == 0 && stat(store + 7, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int open_sink(const char *name, const struct audit_run *run, struct diag *d)
{
	const struct sink *sink = kind_of(name);

	if (!sink || !name[strlen(sink->scheme)]) /* what follows the scheme may hold a password */
		return diag_add(d, MIG_USAGE, "bad_audit", NULL,
		                "MIG_AUDIT: unknown sink %.*s: expected file:FILE, sqlite:FILE or postgresql://..",
		                (int)strcspn(name, ":/@?"), name);
	if (is_store(name, run->store))
		return diag_add(d, MIG_USAGE, "bad_audit", NULL,
		                "MIG_AUDIT: the database that is the store: a file of its own is needed");
	if (audit.n == MOST)
		return diag_add(d, MIG_USAGE, "bad_audit", NULL, "MIG_AUDIT: more than %d sinks", MOST);
	int handle = sink->open(name + strlen(sink->scheme), d);

	if (handle < 0)
		return -1;
	audit.to[audit.n].sink = sink;
	audit.to[audit.n++].handle = handle;
	return 0;
}

static int open_all(const char *names, const struct audit_run *run, struct diag *d)
{
	int rc = 0;

	do {
		size_t n = name_length(names);
		char *name = xmemdup(names, n);

		rc = open_sink(name, run, d);
		free(name);
		names += n + strspn(names + n, " ");
	} while (rc == 0 && *names);
	return rc;
}

int audit_begin(const char *names, const struct audit_run *run, struct diag *d)
{
	forget();
	audit.pid = getpid();
	audit.run_id = copy(run->run_id);
	audit.script = copy(run->script);
	audit.env = copy(run->env);
	audit.tenant = copy(run->tenant);
	audit.now = copy(run->now);
	if (open_all(names, run, d) < 0) {
		forget();
		return -1;
	}
	prepare(); /* first: whoever sees the snapshot can count on an end */
	int rc = write_snapshot(run, d);

	if (!audit.n)
		forget();
	return rc;
}

void audit_scope(struct text env, struct text tenant)
{
	if (!audit.n || (audit.env && audit.tenant))
		return;
	if (!audit.env && env.n)
		audit.env = xmemdup(env.s, env.n);
	if (!audit.tenant && tenant.n)
		audit.tenant = xmemdup(tenant.s, tenant.n);
	prepare();
}

int audit_end(const struct audit_end *end, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct sink_said said;
	int rc = 0;

	if (!audit.n || audit.pid != getpid())
		return 0;
	put_final(&b, end);
	for (size_t i = 0; i < audit.n; i++)
		if (audit.to[i].sink->append(audit.to[i].handle, b.s, b.len, &said) < 0)
			rc = diag_add(d, MIG_ERROR, "audit_failed", NULL, "the audit has no final record: %s",
			              why(&said));
	forget();
	buf_release(&b);
	return rc;
}

/* Two digits at a time of 2026-01-31T12:00:00Z, without the libc functions that a signal handler may not call. */
static void write_moment(int64_t seconds, char *s)
{
	int64_t days = seconds / 86400, left = seconds % 86400, z = days + 719468;
	int64_t era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
	const int64_t part[] = { year / 100, year % 100, month, doy - (153 * mp + 2) / 5 + 1,
		                 left / 3600, left / 60 % 60, left % 60 };
	static const uint8_t at[] = { 0, 2, 5, 8, 11, 14, 17 };

	for (size_t i = 0; i < sizeof at; i++) {
		s[at[i]] = (char)('0' + part[i] / 10);
		s[at[i] + 1] = (char)('0' + part[i] % 10);
	}
}

void audit_died(enum mig_exit exit)
{
	struct sink_said said;
	size_t n = audit.n;

	if (!n || audit.pid != getpid() || !audit.died.len)
		return;
	audit.n = 0; /* only once, whoever else ends */
	if (!audit.now)
		write_moment(moment_now().seconds, audit.died.s + audit.died_time);
	audit.died.s[audit.died_exit] = (char)('0' + exit);
	for (size_t i = 0; i < n; i++) {
		audit.to[i].sink->append(audit.to[i].handle, audit.died.s, audit.died.len, &said);
		audit.to[i].sink->close(audit.to[i].handle);
	}
}
