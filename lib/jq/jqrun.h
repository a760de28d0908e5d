/*
 * jqrun.h -- one pure jq program over documents.
 *
 * Floor 6.  With jqtext.c, jqvalue.c and jqwrite.c the only file that knows
 * libjq, whose consume-everything rule stays inside.  A program sees its input and nothing
 * else: no clock, environment, files, modules or other inputs, and no libm
 * function whose last bit differs between machines.  The caller has cleared
 * the environment, set TZ=UTC and left the locale at C: strptime asks them.
 */
#ifndef MIG_JQRUN_H
#define MIG_JQRUN_H

#include "diag.h"
#include "doc.h"

struct jqprog;

/*
 * Is text one whole jq expression by itself (definitions, then a pipeline)?
 * Such a text, followed by a newline, may be put between parentheses or after
 * "def f:" without changing meaning.  Checks the syntax only, in microseconds.
 * 0, or -1 after a finding of MIG_INVALID "bad_jq" at where.
 */
int jqrun_check(const char *text, const char *where, struct diag *d);

/* Is text nothing but definitions, as a library must be, and none of a name that begins with _?  Likewise. */
int jqrun_check_library(const char *text, const char *where, struct diag *d);

/*
 * Compile a program: an optional library text (def ...;) and the main text.
 * Returns a new program, or NULL after a finding of MIG_INVALID "bad_jq" at
 * where with jq's own message and the line in the text that it is about.
 */
struct jqprog *jqrun_compile(const char *lib, const char *text, const char *where, struct diag *d);
void jqrun_free(struct jqprog *p);

/*
 * Compile n texts at once, in the time that one takes (16 ms, most of it for
 * jq's own builtins): n new programs in progs, as if each were alone, or -1
 * after a finding that does not tell which text is at fault.
 */
int jqrun_compile_several(const char *lib, char *const *texts, size_t n, const char *where, struct jqprog **progs,
                          struct diag *d);

enum jqrun_result {
	JQ_OK,
	JQ_REJECT, /* this document cannot be migrated: *code and *reason say why */
	JQ_FAULT   /* the program must not go on at all: impure (MIG_INVALID) */
};

struct jqrun_why {
	char code[32];     /* "jq_error", "impure", .. (see jqrun_value) */
	struct buf reason; /* for people, one line, at most JQRUN_REASON_MAX bytes */
};

#define JQRUN_REASON_MAX 1000

/*
 * Run p over the value t of in and append its exactly one output as canonical
 * JSON.  JQ_OK, or *why is filled and out is as it was:
 *
 *   jq_error         JQ_REJECT: an uncaught jq error, in jq's words
 *   (its own)        JQ_REJECT: an error whose value is {"mig_code":C,"mig_reason":R}, with C in
 *                    lower snake case (set.c's predicates use it)
 *   not_one_output   JQ_REJECT: none, or more than one
 *   inexact_number   JQ_REJECT: a number that is not finite, or an integer beyond +-(2^53-1) that
 *                    the program computed or wrote as text; with the pointer of the place
 *   too_deep         JQ_REJECT: the output nests over DOC_MAX_DEPTH
 *   too_large        JQ_REJECT: in is over 2 GiB
 *   impure           JQ_FAULT: a function was called that looks outside
 *
 * What the program leaves alone or moves, numbers included, keeps its source
 * text (canonicalised), so 63-bit integers survive.  A program meets the members
 * of an object in canonical order, however the document spells them.  Borrows
 * in; why->reason is reused from call to call and owned by the caller.
 */
enum jqrun_result jqrun_value(struct jqprog *p, const struct doc *in, uint32_t t, struct buf *out,
                              struct jqrun_why *why);

/*
 * Guard against programs that run away or crash libjq: from now on SIGVTALRM
 * (seconds of CPU after jqrun_alarm, up to one more), SIGABRT, SIGSEGV, SIGBUS, SIGFPE and a
 * data limit of max_bytes end the process through on_death, which is called on a
 * stack of its own and must be async-signal-safe and end in _exit.
 */
void jqrun_guard(void (*on_death)(int sig), size_t max_bytes);
void jqrun_alarm(unsigned seconds); /* (re)arm for one document; 0: disarm */

#endif
