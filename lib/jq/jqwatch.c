/* jqwatch.c -- see jqwatch.h */
#include "jqwatch.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { JQ_SECONDS = 10 };
static const size_t JQ_MEMORY = (size_t)2 << 30;

/* What the signal handler needs: set before a program runs, async-signal-safe to use. */
static struct {
	struct out *out;
	const char *ref, *way;
	size_t nref;
} dying;

static void put(int fd, const char *s, size_t n)
{
	ssize_t w = write(fd, s, n);

	(void)w;
}

static void put_text(int fd, const char *s)
{
	put(fd, s, strlen(s));
}

static void put_reason(int fd, const char *what)
{
	put_text(fd, "the program of ");
	put_text(fd, dying.way);
	put_text(fd, what);
}

/*
 * A program ran away or killed libjq.  The records written so far are whole
 * lines; the fault is put together from parts that need no escaping.
 */
static void die_in_jq(int sig)
{
	if (!dying.way) { /* nothing runs: this is about libjq's own affairs, or ours */
		put_text(STDERR_FILENO, progname);
		put_text(STDERR_FILENO, ": out of memory, or crashed\n");
		end_at_once(MIG_ERROR);
	}
	const char *what = sig == SIGVTALRM ? " ran for more than 10 seconds" : " crashed libjq or ran out of memory";
	int fd = dying.out->fd;

	put(fd, dying.out->b.s, dying.out->b.len);
	put_text(fd, "{\"code\":\"jq_died\",\"exit\":4,\"kind\":\"fault\",\"reason\":\"");
	put_reason(fd, what);
	put_text(fd, "\",\"ref\":");
	put(fd, dying.ref, dying.nref);
	put_text(fd, ",\"tool\":\"");
	put_text(fd, progname);
	put_text(fd, "\"}\n");
	put_text(STDERR_FILENO, progname);
	put_text(STDERR_FILENO, ": ");
	put(STDERR_FILENO, dying.ref + 1, dying.nref - 2); /* without its quotes */
	put_text(STDERR_FILENO, ": ");
	put_reason(STDERR_FILENO, what);
	put_text(STDERR_FILENO, "\n");
	end_at_once(MIG_INVALID);
}

void jqwatch_begin(struct out *out)
{
	dying.out = out;
	jqrun_guard(die_in_jq, JQ_MEMORY);
}

void jqwatch_document(const char *ref, size_t n)
{
	dying.ref = ref;
	dying.nref = n;
}

enum jqrun_result jqwatch_run(struct jqprog *prog, const char *name, const struct doc *in, struct buf *out,
                              struct jqrun_why *why)
{
	dying.way = name;
	jqrun_alarm(JQ_SECONDS);
	buf_reset(out);
	enum jqrun_result result = jqrun_value(prog, in, 0, out, why);

	jqrun_alarm(0);
	dying.way = NULL;
	return result;
}
