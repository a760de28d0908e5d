/*
 * cli.h -- what every main shares: options, the filter around a verb, the way out.
 *
 * Floor 14.  Beside base.c's die, the only file in lib/ that prints.
 */
#ifndef MIG_CLI_H
#define MIG_CLI_H

#include "stream.h"

/* One long option; only whole names match, so that --app is not --apply. */
enum cli_kind {
	CLI_FLAG,  /* bool */
	CLI_TEXT,  /* const char *; given twice is an error */
	CLI_LIST,  /* struct cli_list: each time it is given adds one */
	CLI_COUNT  /* int64_t, not negative */
};

struct cli_list {
	char **v; /* NULL-ended, borrowed from argv; the array is freed with free() */
	size_t n;
};

struct cli_opt {
	const char *name; /* "env" for --env */
	enum cli_kind kind;
	void *to;
};

/*
 * Parse "--name value" and "--name=value" up to the first operand or "--".
 * opts ends with a NULL name.  help begins with the usage lines, up to a blank
 * line; --help prints all of it and --version the version, both on stdout.
 * Returns -1 to go on (*operands is the index of the first operand), or the
 * exit code: 0 after --help and --version, MIG_USAGE after one line and the usage on stderr.
 */
int cli_parse(int argc, char **argv, const char *help, const struct cli_opt *opts, int *operands);

/* Say what is wrong with the arguments, then the usage; returns MIG_USAGE. */
int cli_usage(const char *help, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --env, --target-version and the like: true, or false after a line on stderr (the caller returns MIG_USAGE). */
bool cli_env(const char *help, const char *env);
bool cli_version(const char *help, const char *version);
bool cli_format(const char *help, const char *format);

/* Is a free text (NULL allowed) not empty, valid UTF-8 and without controls?  Else a line on stderr. */
bool cli_text(const char *help, const char *name, const char *value);

/* Is a time (NULL allowed) one as moment.h has it?  Else a line on stderr. */
bool cli_time(const char *help, const char *name, const char *value);

/*
 * Forget the environment but MIG_MAX_RECORD, take UTC for the time zone and C
 * for the locale: nothing around the process may show in what jq makes.
 */
void cli_forget_surroundings(void);

/* The store's URI from MIG_STORE, or DATABASE_URL, or NULL.  Borrowed. */
const char *cli_store(void);

/* The clock's time as RFC 3339 in UTC, in seconds.  New. */
char *cli_clock(void);

/*
 * The time for stamps: now if given (RFC 3339, UTC), else SOURCE_DATE_EPOCH,
 * else NULL for the clock.  A new string in *out; false after a line on stderr.
 */
bool cli_now(const char *help, const char *now, char **out);

/* --before and the like: an RFC 3339 time in UTC, or a date.  A new string in *out; false after a line on stderr. */
bool cli_day(const char *help, const char *name, const char *value, char **out);

/* Who acts: MIG_ACTOR, else the login name, else the uid.  New; NULL after a line on stderr. */
char *cli_actor(const char *help);

/* A filter at work: a stream in, a stream out, findings. */
struct filter {
	const char *tool;
	struct stream in;
	struct out out;
	struct diag d;
	bool reads;  /* stdin is a stream of records */
	bool page;   /* stdout is for people: no fault records on it */
};

/*
 * Start: stdout buffered, SIGPIPE ignored, and, if reads, stdin as a stream.
 * With MIG_AUDIT, the audit has its snapshot record when this returns; where it
 * cannot have one, the process ends here, with a fault, and nothing was done.
 */
void filter_init(struct filter *f, const char *tool, bool reads);

/*
 * Finish: a fault for the first finding unless one came in, stdout flushed, the
 * audit's final record, findings on stderr.  Returns the contract's code: that of the fault that came
 * in, else that of the findings.  Releases f.
 */
int filter_finish(struct filter *f);

#endif
