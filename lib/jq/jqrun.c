/* jqrun.c -- see jqrun.h */
#include "jqrun.h"

#include "base.h"
#include "jqtext.h"
#include "jqvalue.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

/* A libjq with what it compiled: one program, or several of which the input names one. */
struct machine {
	jq_state *jq;
	size_t users;
};

struct jqprog {
	struct machine *m;
	int number; /* among those of m; -1: it is alone */
	struct jqvalue value;
};

int jqrun_check(const char *text, const char *where, struct diag *d)
{
	return jqtext_check(text, where, d);
}

int jqrun_check_library(const char *text, const char *where, struct diag *d)
{
	return jqtext_check_library(text, where, d);
}

static struct jqprog *new_prog(struct machine *m, int number)
{
	struct jqprog *p = xmalloc(sizeof *p);

	p->m = m;
	p->number = number;
	jqvalue_init(&p->value);
	m->users++;
	return p;
}

static struct machine *new_machine(const char *lib, const char *text, const char *where, struct diag *d)
{
	jq_state *jq = jqtext_compile(lib, text, where, d);
	struct machine *m = NULL;

	if (jq) {
		m = xcalloc(1, sizeof *m);
		m->jq = jq;
	}
	return m;
}

struct jqprog *jqrun_compile(const char *lib, const char *text, const char *where, struct diag *d)
{
	struct machine *m = new_machine(lib, text, where, d);

	return m ? new_prog(m, -1) : NULL;
}

/*
 * The input of several programs in one is [number, document]:
 *
 *	if .[0] == 0 then .[1] | (first) elif .[0] == 1 then .[1] | (second) else .[1] | (third) end
 */
int jqrun_compile_several(const char *lib, char *const *texts, size_t n, const char *where, struct jqprog **progs,
                          struct diag *d)
{
	struct buf all = BUF_INIT;

	if (n == 1)
		return (progs[0] = jqrun_compile(lib, texts[0], where, d)) ? 0 : -1;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n)
			buf_addf(&all, "%s .[0] == %zu then ", i ? "elif" : "if", i);
		else
			buf_addstr(&all, "else ");
		buf_addf(&all, ".[1] | (%s\n)\n", texts[i]);
	}
	buf_addstr(&all, "end");
	struct machine *m = new_machine(lib, all.s, where, d);

	buf_release(&all);
	for (size_t i = 0; m && i < n; i++)
		progs[i] = new_prog(m, (int)i);
	return m ? 0 : -1;
}

void jqrun_free(struct jqprog *p)
{
	if (!p)
		return;
	jqvalue_release(&p->value);
	if (--p->m->users == 0) {
		jq_teardown(&p->m->jq);
		free(p->m);
	}
	free(p);
}

/* Turn control characters into spaces and cut at JQRUN_REASON_MAX, not inside a character. */
static void one_line(struct buf *b)
{
	size_t i;

	if (!b->s)
		buf_addstr(b, "");
	for (i = 0; i < b->len; i++)
		if ((unsigned char)b->s[i] < ' ' || b->s[i] == 0x7f)
			b->s[i] = ' ';
	if (b->len <= JQRUN_REASON_MAX)
		return;
	for (i = JQRUN_REASON_MAX - 3; ((unsigned char)b->s[i] & 0xc0) == 0x80; i--)
		;
	buf_setlen(b, i);
	buf_addstr(b, "...");
}

static void set_reason(struct jqrun_why *why, const char *code, const char *s, size_t n)
{
	snprintf(why->code, sizeof why->code, "%s", code);
	buf_reset(&why->reason);
	buf_add(&why->reason, s, n);
	one_line(&why->reason);
}

static void set_reason_jv(struct jqrun_why *why, const char *code, jv text)
{
	set_reason(why, code, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
}

/* A code for machines: lower snake case that fits struct jqrun_why. */
static bool is_code(jv v, size_t max)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *s;
	size_t n;

	if (jv_get_kind(v) != JV_KIND_STRING)
		return false;
	s = jv_string_value(v);
	n = strlen(s);
	return n && n <= max && strspn(s, set) == n && n == (size_t)jv_string_length_bytes(jv_copy(v));
}

static bool own_code(jv error, struct jqrun_why *why)
{
	jv code, reason;
	bool ok;

	if (jv_get_kind(error) != JV_KIND_OBJECT)
		return false;
	code = jv_object_get(jv_copy(error), jv_string("mig_code"));
	reason = jv_object_get(jv_copy(error), jv_string("mig_reason"));
	ok = is_code(code, sizeof why->code - 1) && jv_get_kind(reason) == JV_KIND_STRING;
	if (ok)
		set_reason_jv(why, jv_string_value(code), reason);
	jv_free(code);
	jv_free(reason);
	return ok;
}

/* What the program threw; steals it. */
static enum jqrun_result thrown(jv error, struct jqrun_why *why)
{
	if (!own_code(error, why)) {
		if (jv_get_kind(error) != JV_KIND_STRING)
			error = jv_dump_string(error, JV_PRINT_SORTED);
		set_reason_jv(why, "jq_error", error);
	}
	jv_free(error);
	return JQ_REJECT;
}

/* The prelude's stop; its message is {"impure": name}. */
static enum jqrun_result impure(jq_state *jq, struct jqrun_why *why)
{
	jv msg = jq_get_error_message(jq), name = jv_null();
	struct buf b = BUF_INIT;

	if (jv_get_kind(msg) == JV_KIND_OBJECT)
		name = jv_object_get(jv_copy(msg), jv_string("impure"));
	buf_addf(&b, "the program calls %s, which is not the same everywhere and always",
	         jv_get_kind(name) == JV_KIND_STRING ? jv_string_value(name) : "halt_error");
	set_reason(why, "impure", b.s, b.len);
	buf_release(&b);
	jv_free(name);
	jv_free(msg);
	return JQ_FAULT;
}

/* One more output of the program: 1 and *v new, 0 at the end, -1 with *r and why. */
static int next_output(struct jqprog *p, jv *v, enum jqrun_result *r, struct jqrun_why *why)
{
	jv error;

	*v = jq_next(p->m->jq);
	if (jv_is_valid(*v))
		return 1;
	error = jv_invalid_get_msg(*v);
	*v = jv_invalid();
	if (jq_halted(p->m->jq)) {
		jv_free(error);
		*r = impure(p->m->jq, why);
		return -1;
	}
	if (jv_get_kind(error) == JV_KIND_NULL) /* the end, or error(null), which 1.6 takes for it */
		return 0;
	*r = thrown(error, why);
	return -1;
}

static enum jqrun_result only_output(struct jqprog *p, jv *v, struct jqrun_why *why)
{
	static const char none[] = "the program gave no output";
	static const char more[] = "the program gave more than one output";
	enum jqrun_result r;
	jv second;
	int n = next_output(p, v, &r, why);

	if (n < 0)
		return r;
	if (n == 0) {
		set_reason(why, "not_one_output", none, sizeof none - 1);
		return JQ_REJECT;
	}
	n = next_output(p, &second, &r, why);
	jv_free(second);
	if (n < 0)
		return r;
	if (n > 0) {
		set_reason(why, "not_one_output", more, sizeof more - 1);
		return JQ_REJECT;
	}
	return JQ_OK;
}

/* What the program is given: new. */
static jv input(const struct jqprog *p)
{
	jv root = jv_copy(p->value.root);

	if (p->number < 0)
		return root;
	return jv_array_append(jv_array_append(jv_array_sized(2), jv_number(p->number)), root);
}

static enum jqrun_result write_result(struct jqprog *p, jv v, struct buf *out, struct jqrun_why *why)
{
	buf_reset(&why->reason);
	const char *code = jqvalue_write(&p->value, v, out, &why->reason);

	if (!code)
		return JQ_OK;
	snprintf(why->code, sizeof why->code, "%s", code);
	one_line(&why->reason);
	return JQ_REJECT;
}

enum jqrun_result jqrun_value(struct jqprog *p, const struct doc *in, uint32_t t, struct buf *out,
                              struct jqrun_why *why)
{
	static const char large[] = "the document is too large for jq";
	enum jqrun_result r;
	size_t len = out->len;
	jv v = jv_invalid();

	if (in->len > INT_MAX) { /* libjq counts bytes in an int */
		set_reason(why, "too_large", large, sizeof large - 1);
		return JQ_REJECT;
	}
	jqvalue_read(&p->value, in, t);
	jq_start(p->m->jq, input(p), 0);
	r = only_output(p, &v, why);
	if (r == JQ_OK)
		r = write_result(p, v, out, why);
	jv_free(v);
	if (r != JQ_OK) {
		jqvalue_forget(&p->value);
		if (out->s)
			buf_setlen(out, len);
	}
	return r;
}

/* ---- programs that run away ---- */

static void (*end_process)(int sig);
static volatile sig_atomic_t seconds_left; /* 0: nothing runs */

/* A timer that is never set anew costs a document no system call. */
static void tick(int sig)
{
	if (seconds_left && --seconds_left == 0)
		end_process(sig);
}

void jqrun_guard(void (*on_death)(int sig), size_t max_bytes)
{
	static const int sigs[] = { SIGVTALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE };
	static const struct itimerval every = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	struct sigaction sa = { .sa_flags = SA_ONSTACK | SA_RESTART };
	long min = sysconf(_SC_SIGSTKSZ);
	stack_t st = { .ss_size = min > 65536 ? (size_t)min : 65536 };
	size_t i;

	end_process = on_death;
	st.ss_sp = mmap(NULL, st.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (st.ss_sp != MAP_FAILED)
		sigaltstack(&st, NULL);
	sigfillset(&sa.sa_mask);
	for (i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		sa.sa_handler = sigs[i] == SIGVTALRM ? tick : on_death;
		sigaction(sigs[i], &sa, NULL);
	}
	setitimer(ITIMER_VIRTUAL, &every, NULL);
#ifndef MIG_SAN
	/* The sanitizers' shadow memory would not fit. */
	setrlimit(RLIMIT_DATA, &(struct rlimit){ max_bytes, max_bytes });
#else
	(void)max_bytes;
#endif
}

void jqrun_alarm(unsigned seconds)
{
	seconds_left = seconds ? (sig_atomic_t)seconds + 1 : 0;
}
