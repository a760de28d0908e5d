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

static void put(const char *s, size_t n)
{
	ssize_t w = write(dying.out->fd, s, n);

	(void)w;
}

static void put_text(const char *s)
{
	put(s, strlen(s));
}

/*
 * A program ran away or killed libjq.  The records written so far are whole
 * lines; the fault is put together from parts that need no escaping.
 */
static void die_in_jq(int sig)
{
	if (!dying.way) { /* nothing runs: this is about libjq's own affairs, or ours */
		static const char text[] = ": out of memory, or crashed\n";
		ssize_t w = write(STDERR_FILENO, progname, strlen(progname));

		w = write(STDERR_FILENO, text, sizeof text - 1);
		(void)w;
		end_at_once(MIG_ERROR);
	}
	const char *what = sig == SIGVTALRM ? "ran for more than 10 seconds" : "crashed libjq or ran out of memory";

	put(dying.out->b.s, dying.out->b.len);
	put_text("{\"code\":\"jq_died\",\"exit\":4,\"kind\":\"fault\",\"reason\":\"the program of ");
	put_text(dying.way);
	put_text(" ");
	put_text(what);
	put_text("\",\"ref\":");
	put(dying.ref, dying.nref);
	put_text(",\"tool\":\"");
	put_text(progname);
	put_text("\"}\n");
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
