/* cli.c -- see cli.h */
#include "cli.h"

#include "audit.h"
#include "given.h"
#include "moment.h"
#include "ledger.h"
#include "page.h"
#include "progress.h"
#include "redact.h"
#include "semver.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* An argument may be as long as memory. */
enum { SAID_COLUMNS = 1000 };

/* The usage lines of help: all before its first blank line. */
static int usage_length(const char *help)
{
	const char *blank = strstr(help, "\n\n");

	return blank ? (int)(blank - help + 1) : (int)strlen(help);
}

int cli_usage(const char *help, const char *fmt, ...)
{
	struct buf safe = BUF_INIT, clean = BUF_INIT;
	va_list ap;
	char *said;

	va_start(ap, fmt);
	int n = vasprintf(&said, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(MIG_ERROR, "out of memory");
	redact_text(&safe, said, (size_t)n); /* arguments may hold a password */
	page_clean(&clean, safe.s, safe.len, SAID_COLUMNS);
	fprintf(stderr, "%s: %s\n%.*s", progname, clean.s, usage_length(help), help);
	buf_release(&safe);
	buf_release(&clean);
	free(said);
	return MIG_USAGE;
}

static bool is_option(const struct cli_opt *o, const char *arg, const char **value)
{
	size_t n = strlen(o->name);

	if (strncmp(arg, o->name, n) != 0 || (arg[n] && arg[n] != '='))
		return false;
	*value = arg[n] ? arg + n + 1 : NULL;
	return true;
}

/* n: how often it was given before */
static int set_option(const char *help, const struct cli_opt *o, char *value, size_t n)
{
	switch (o->kind) {
	case CLI_FLAG: *(bool *)o->to = true; return 0;
	case CLI_TEXT: *(const char **)o->to = value; return 0;
	case CLI_LIST: {
		char ***list = o->to;

		*list = xrealloc(*list, n + 2, sizeof **list);
		(*list)[n] = value;
		(*list)[n + 1] = NULL;
		return 0;
	}
	case CLI_COUNT: {
		char *end;

		errno = 0;
		long long v = strtoll(value, &end, 10);
		if (*value < '0' || *value > '9' || *end || errno)
			return cli_usage(help, "--%s: not a whole number: %s", o->name, value);
		*(int64_t *)o->to = v;
		return 0;
	}
	}
	return 0;
}

int cli_parse(int argc, char **argv, const char *help, const struct cli_opt *opts, int *operands)
{
	size_t seen[64] = { 0 }; /* how often each was given */
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0 && argv[i][2]; i++) {
		const char *arg = argv[i] + 2, *value = NULL;
		const struct cli_opt *o = opts;

		if (strcmp(arg, "help") == 0) {
			fputs(help, stdout);
			return fflush(stdout) ? MIG_ERROR : MIG_OK;
		}
		if (strcmp(arg, "version") == 0) {
			printf("%s (migtools) %s\n", progname, MIG_VERSION);
			return fflush(stdout) ? MIG_ERROR : MIG_OK;
		}
		while (o->name && !is_option(o, arg, &value))
			o++;
		if (!o->name)
			return cli_usage(help, "unknown option: %s", argv[i]);
		if (o->kind != CLI_LIST && seen[o - opts])
			return cli_usage(help, "--%s: given twice", o->name);
		if (o->kind == CLI_FLAG && value)
			return cli_usage(help, "--%s: takes no value", o->name);
		char *given = value ? argv[i] + (value - argv[i]) : NULL;

		if (o->kind != CLI_FLAG && !given) {
			if (i + 1 == argc)
				return cli_usage(help, "--%s: needs a value", o->name);
			given = argv[++i];
		}
		/* a blank ticket is none, as the gate says */
		if (given && !*given && strcmp(o->name, "prod-override") != 0)
			return cli_usage(help, "--%s: empty", o->name);
		int rc = set_option(help, o, given, seen[o - opts]++);

		if (rc)
			return rc;
		given_add(o->name, given, o->kind == CLI_LIST);
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	else if (i < argc && argv[i][0] == '-' && argv[i][1])
		return cli_usage(help, "unknown option: %s", argv[i]);
	if (operands)
		*operands = i;
	else if (i < argc)
		return cli_usage(help, "unexpected argument: %s", argv[i]);
	for (; i < argc; i++)
		given_add("", argv[i], true);
	if (!stream_max_record())
		return cli_usage(help, "MIG_MAX_RECORD: not a number of bytes from 1024 to 2147483647");
	return -1;
}

bool cli_env(const char *help, const char *env)
{
	if (env && (strcmp(env, "dev") == 0 || strcmp(env, "staging") == 0 || strcmp(env, "prod") == 0))
		return true;
	if (env)
		cli_usage(help, "invalid --env: %s: not one of dev, staging, prod", env);
	else
		cli_usage(help, "--env is required");
	return false;
}

bool cli_version(const char *help, const char *version)
{
	if (version && semver_valid(version))
		return true;
	if (!version)
		cli_usage(help, "--target-version is required");
	else if (strcmp(version, "latest") == 0)
		cli_usage(help, "--target-version latest: name the version; latest is never resolved");
	else
		cli_usage(help, "--target-version %s: not a semantic version", version);
	return false;
}

bool cli_format(const char *help, const char *format)
{
	if (!format || strcmp(format, "text") == 0 || strcmp(format, "json") == 0 || strcmp(format, "html") == 0)
		return true;
	cli_usage(help, "invalid --format: %s (text, json or html)", format);
	return false;
}

/* Only what a message can show and a record can hold. */
static bool is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *s && utf8_valid(s, strlen(s));
}

bool cli_text(const char *help, const char *name, const char *value)
{
	if (!value || is_plain(value))
		return true;
	cli_usage(help, "--%s: empty, not UTF-8, or with control characters", name);
	return false;
}

const char *cli_store(void)
{
	const char *s = getenv("MIG_STORE");

	if (!s || !*s)
		s = getenv("DATABASE_URL");
	return s && *s ? s : NULL;
}

static char *stamp_of(time_t t)
{
	char stamp[32];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900 || !strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return xstrdup(stamp);
}

char *cli_clock(void)
{
	return stamp_of(time(NULL));
}

bool cli_time(const char *help, const char *name, const char *value)
{
	struct moment m;

	if (!value || moment_read((struct text){ value, strlen(value) }, &m))
		return true;
	cli_usage(help, "--%s %s: not a time such as 2026-01-31T12:00:00Z", name, value);
	return false;
}

void cli_forget_surroundings(void)
{
	char *max = getenv("MIG_MAX_RECORD");
	char *kept = max ? xstrdup(max) : NULL;

	clearenv();
	setenv("TZ", "UTC", 1);
	if (kept)
		setenv("MIG_MAX_RECORD", kept, 1);
	free(kept);
	setlocale(LC_ALL, "C");
}

bool cli_now(const char *help, const char *now, char **out)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end;

	*out = NULL;
	if (now) {
		if (!cli_time(help, "now", now))
			return false;
		*out = xstrdup(now);
		return true;
	}
	if (!epoch || !*epoch)
		return true;
	time_t t = (time_t)strtoll(epoch, &end, 10);

	if (*end || t < 0 || !(*out = stamp_of(t))) {
		cli_usage(help, "SOURCE_DATE_EPOCH is not a number of seconds: %s", epoch);
		return false;
	}
	return true;
}

bool cli_day(const char *help, const char *name, const char *value, char **out)
{
	struct moment m;
	char *time = strlen(value) == 10 ? xasprintf("%sT00:00:00Z", value) : xstrdup(value);

	if (moment_read((struct text){ time, strlen(time) }, &m)) {
		*out = time;
		return true;
	}
	free(time);
	cli_usage(help, "--%s: not a time such as 2026-01-31T12:00:00Z, nor a date: %s", name, value);
	return false;
}

char *cli_actor(const char *help)
{
	const char *actor = getenv("MIG_ACTOR");

	if (actor && *actor && is_plain(actor))
		return xstrdup(actor);
	if (actor && *actor) {
		cli_usage(help, "MIG_ACTOR: not UTF-8, or with control characters");
		return NULL;
	}
	return ledger_user();
}

/* The audit's snapshot record, if there is an audit: 0, or -1 after a finding. */
static int begin_audit(struct filter *f)
{
	const char *sink = getenv("MIG_AUDIT"), *id = getenv("MIG_RUN_ID"), *epoch = getenv("SOURCE_DATE_EPOCH");
	const char *actor = getenv("MIG_ACTOR");

	if (!sink || !*sink)
		return 0;
	if (!id || !is_plain(id))
		return diag_add(&f->d, MIG_USAGE, "bad_audit", NULL,
		                "MIG_AUDIT needs MIG_RUN_ID: one name for all the filters of a run");
	char *options = given_json(), *who = actor && is_plain(actor) ? xstrdup(actor) : ledger_user();
	char *now = epoch && *epoch ? stamp_of((time_t)strtoll(epoch, NULL, 10)) : NULL;
	const char *store = given_value("store");
	const struct audit_run run = {
		.run_id = id,
		.script = f->tool,
		.actor = who,
		.env = given_value("env"),
		.tenant = given_value("tenant"),
		.options = options,
		.now = now,
		.store = store ? store : cli_store(),
	};
	int rc = audit_begin(sink, &run, &f->d);

	last_words = audit_died;
	free(options);
	free(who);
	free(now);
	return rc;
}

/*
 * A standard descriptor that is closed would be the number of the next file or
 * socket: permits would be read from the store's folder, and messages written
 * to it.  What stands there now fails as the closed one did.
 */
static void fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void filter_init(struct filter *f, const char *tool, bool reads)
{
	*f = (struct filter){ .tool = tool, .d = DIAG_INIT, .reads = reads };
	digest_open(); /* OpenSSL reads its files now, before a sandbox closes */
	signal(SIGPIPE, SIG_IGN);
	out_init(&f->out, STDOUT_FILENO);
	fill_standard();
	if (reads)
		stream_init(&f->in, STDIN_FILENO, tool);
	int audited = begin_audit(f);

	given_forget();
	if (audited < 0)
		exit(filter_finish(f));
	progress_start(tool, " records");
}

static void end_audit(struct filter *f, int code)
{
	const struct finding *first = diag_first(&f->d);
	bool written = f->out.end.digest[0], read = f->reads && f->in.end;
	const struct audit_end end = {
		.exit = (enum mig_exit)code,
		.code = first ? first->rule : NULL,
		.reason = first ? first->message : NULL,
		.digest = written ? f->out.end.digest : read ? f->in.end_digest : NULL,
		.records = written ? f->out.end.records : f->in.end_records,
	};

	audit_end(&end, &f->d);
}

/* A finding is one line, and what a document or a file's name holds cannot move the terminal's cursor. */
static void print_findings(const struct filter *f)
{
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < f->d.n; i++) {
		const struct finding *x = &f->d.list[i];

		buf_reset(&line);
		if (x->where)
			page_clean(&line, x->where, strlen(x->where), SIZE_MAX);
		buf_addf(&line, "%s%s", x->where ? ": " : "", x->exit == MIG_OK ? "warning: " : "");
		page_clean(&line, x->message, strlen(x->message), SIZE_MAX);
		fprintf(stderr, "%s: %s\n", f->tool, line.s);
	}
	if (f->d.hint && diag_exit(&f->d) != MIG_OK) {
		buf_reset(&line);
		page_clean(&line, f->d.hint, strlen(f->d.hint), SIZE_MAX);
		fprintf(stderr, "%s: hint: %s\n", f->tool, line.s);
	}
	buf_release(&line);
}

int filter_finish(struct filter *f)
{
	progress_stop();
	const struct finding *first = diag_first(&f->d);
	bool fault = f->reads && f->in.fault;
	int code;

	if (first && !fault && !f->page)
		stream_put_fault(&f->out, f->tool, first);
	out_finish(&f->out, &f->d);
	code = fault ? f->in.fault_exit : diag_exit(&f->d);
	if (f->out.err && code == MIG_OK)
		code = MIG_ERROR;
	size_t found = f->d.n;

	end_audit(f, code);
	if (f->d.n > found && code == MIG_OK)
		code = MIG_ERROR;
	print_findings(f);
	if (f->reads)
		stream_release(&f->in);
	out_release(&f->out);
	diag_release(&f->d);
	digest_close();
	return code;
}
