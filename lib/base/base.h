/*
 * base.h -- exit codes, memory that cannot be missing, the last word.
 *
 * Floor 0.
 */
#ifndef MIG_BASE_H
#define MIG_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIG_VERSION "0.1.0"

/* The contract's exit codes; mig-stream(5) lists what each one means. */
enum mig_exit {
	MIG_OK = 0,
	MIG_ERROR = 1,        /* unexpected: I/O, SQL, out of memory, stdout closed */
	MIG_USAGE = 2,        /* flags, arguments, a line that is not a record */
	MIG_PRECONDITION = 3, /* something needed is missing, locked, full, or cut short */
	MIG_INVALID = 4,      /* hash wrong, drift, contract broken, rejects over the limit */
	MIG_UNSAFE = 5        /* blocked: no permit, no flag, no ticket */
};

/*
 * Allocation that never returns NULL: running out of memory ends the process
 * with MIG_ERROR and one line on stderr.  xrealloc and xcalloc check the
 * product of n and size for overflow.  All: new, freed with free().
 */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xmemdup(const char *s, size_t n); /* n bytes and a NUL */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "prog: message" on stderr and exit with code.  For bin/ and out of memory only. */
_Noreturn void die(enum mig_exit code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * If it is set, it is called with the exit code where a process ends at once: by
 * die, and by end_at_once, which a signal handler may call.
 */
extern void (*last_words)(enum mig_exit code);
_Noreturn void end_at_once(enum mig_exit code);

/* The name that messages begin with; set once by main, borrowed. */
extern const char *progname;

#endif
