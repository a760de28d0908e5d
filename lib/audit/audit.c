/* audit.c -- see audit.h */
#include "audit.h"

#include "moment.h"
#include "record.h"
#include "redact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A kind of sink.  append is called in a signal handler, too. */
struct sink {
	const char *scheme;
	int (*open)(const char *rest, struct diag *d); /* a handle, or -1 after a finding */
	int (*append)(int handle, const char *line, size_t n);
	int (*flush)(int handle);
	void (*close)(int handle);
};

static bool is_torn(int fd)
{
	struct stat st;
	char last = '\n';

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/*
 * A writer that died in the middle of a line must not spoil the next one.  One
 * that is at work may show the same for an instant; the lock is for those who mend.
 */
static void mend(int fd)
{
	static const struct timespec instant = { .tv_nsec = 2000000 };

	if (!is_torn(fd))
		return;
	nanosleep(&instant, NULL);
	flock(fd, LOCK_EX | LOCK_NB);
	if (is_torn(fd) && write(fd, "\n", 1) < 0)
		return; /* the next write tells why */
	flock(fd, LOCK_UN);
}

static int file_open(const char *path, struct diag *d)
{
	struct stat st;
	int low = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 3); /* a closed stdin or stderr must not become the audit */

	if (low >= 0)
		close(low);
	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, "audit_unreachable", path, "the audit: %s", strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return diag_add(d, MIG_PRECONDITION, "audit_unreachable", path, "the audit is no regular file");
	}
	mend(fd);
	return fd;
}

/* One write, which O_APPEND makes one piece of the file; a part of it is a failure. */
static int file_append(int fd, const char *line, size_t n)
{
	ssize_t w;

	while ((w = write(fd, line, n)) < 0 && errno == EINTR)
		;
	if (w >= 0 && (size_t)w < n)
		errno = ENOSPC;
	return w == (ssize_t)n ? 0 : -1;
}

static int file_flush(int fd)
{
	return fdatasync(fd);
}

static void file_close(int fd)
{
	close(fd);
}

static const struct sink sinks[] = { { "file:", file_open, file_append, file_flush, file_close } };

/* The one that this process has; sink is NULL without. */
static struct {
	const struct sink *sink;
	int handle;
	pid_t pid;
	char *run_id, *script, *env, *tenant, *now;
	struct buf died; /* the final record of one that cannot make it any more: see prepare */
	size_t died_time, died_exit;
} audit;

static void forget(void)
{
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
}

static int write_snapshot(const struct audit_run *run, struct diag *d)
{
	struct buf b = BUF_INIT, payload = BUF_INIT;
	struct rec w;
	int rc = 0;

	rec_open(&w, &payload);
	rec_cstr(&w, "actor", run->actor);
	rec_raw(&w, "options", run->options, strlen(run->options));
	rec_cstr(&w, "version", MIG_VERSION);
	rec_close(&w);
	put(&b, "snapshot", &payload);
	if (audit.sink->append(audit.handle, b.s, b.len) < 0 || audit.sink->flush(audit.handle) < 0)
		rc = diag_add(d, MIG_PRECONDITION, "audit_unreachable", NULL, "the audit: %s", strerror(errno));
	buf_release(&b);
	buf_release(&payload);
	return rc;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int audit_begin(const char *name, const struct audit_run *run, struct diag *d)
{
	const struct sink *sink = NULL;
	size_t n = 0;

	for (size_t i = 0; i < sizeof sinks / sizeof *sinks && !sink; i++) {
		n = strlen(sinks[i].scheme);
		if (strncmp(name, sinks[i].scheme, n) == 0 && name[n])
			sink = &sinks[i];
	}
	if (!sink) /* what follows the scheme may hold a password */
		return diag_add(d, MIG_USAGE, "bad_audit", NULL, "MIG_AUDIT: unknown sink %.*s: expected file:FILE",
		                (int)strcspn(name, ":/@?"), name);
	int handle = sink->open(name + n, d);

	if (handle < 0)
		return -1;
	forget();
	audit.sink = sink;
	audit.handle = handle;
	audit.pid = getpid();
	audit.run_id = copy(run->run_id);
	audit.script = copy(run->script);
	audit.env = copy(run->env);
	audit.tenant = copy(run->tenant);
	audit.now = copy(run->now);
	if (write_snapshot(run, d) < 0) {
		sink->close(handle);
		forget();
		return -1;
	}
	prepare();
	return 0;
}

void audit_scope(struct text env, struct text tenant)
{
	if (!audit.sink || (audit.env && audit.tenant))
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
	int rc = 0;

	if (!audit.sink || audit.pid != getpid())
		return 0;
	put_final(&b, end);
	if (audit.sink->append(audit.handle, b.s, b.len) < 0 || audit.sink->flush(audit.handle) < 0)
		rc = diag_add(d, MIG_ERROR, "audit_failed", NULL, "the audit has no final record: %s", strerror(errno));
	audit.sink->close(audit.handle);
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
	const struct sink *sink = audit.sink;

	if (!sink || audit.pid != getpid() || !audit.died.len)
		return;
	audit.sink = NULL; /* only once, whoever else ends */
	if (!audit.now)
		write_moment(moment_now().seconds, audit.died.s + audit.died_time);
	audit.died.s[audit.died_exit] = (char)('0' + exit);
	sink->append(audit.handle, audit.died.s, audit.died.len);
	sink->flush(audit.handle);
}
