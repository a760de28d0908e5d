/* jqtext.c -- see jqtext.h */
#include "jqtext.h"

#include "base.h"
#include "buf.h"

#include <jv.h>

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What a program may not call, as name/arity.  All of jq 1.6's builtins that
 * look outside, print or stop, those of libm beyond floor, ceil, round, sqrt
 * and fabs, builtins (which of those a libjq has is the machine's affair) and
 * debug/1 of a later jq.  Nothing that jq itself defines in its own language
 * calls a libm function named here.
 */
static const char *const forbidden[] = {
	"now/0", "env/0", "input/0", "inputs/0", "_input/0", "debug/0", "debug/1", "stderr/0",
	"input_filename/0", "input_line_number/0", "localtime/0", "strflocaltime/1", "halt/0",
	"halt_error/0", "halt_error/1", "get_search_list/0", "get_prog_origin/0", "get_jq_origin/0",
	"modulemeta/0", "builtins/0",
	"acos/0", "acosh/0", "asin/0", "asinh/0", "atan/0", "atan2/2", "atanh/0", "cbrt/0",
	"copysign/2", "cos/0", "cosh/0", "drem/2", "erf/0", "erfc/0", "exp/0", "exp10/0", "exp2/0",
	"expm1/0", "fdim/2", "fma/3", "fmax/2", "fmin/2", "fmod/2", "frexp/0", "gamma/0", "hypot/2",
	"j0/0", "j1/0", "jn/2", "ldexp/2", "lgamma/0", "lgamma_r/0", "log/0", "log10/0", "log1p/0",
	"log2/0", "logb/0", "modf/0", "nearbyint/0", "nextafter/2", "nexttoward/2", "pow/2", "pow10/0",
	"remainder/2", "rint/0", "scalb/2", "scalbln/2", "significand/0", "sin/0", "sinh/0", "tan/0",
	"tanh/0", "tgamma/0", "trunc/0", "y0/0", "y1/0", "yn/2",
};

/*
 * Outside the integers that doubles hold, % casts as the processor likes, and
 * infinite % -1 kills it.  The arguments in the order of the builtin.
 */
static const char careful_mod[] =
	"def _mig_mod(a; b): _mod(a; b); "
	"def _mig_wild: type == \"number\" and (isnan or fabs > 9007199254740991); "
	"def _mod(a; b): b as $b | a as $a | if ($a | _mig_wild) or ($b | _mig_wild) "
	"then error(\"% takes integers up to 2^53-1\") else _mig_mod($a; $b) end; ";

/*
 * What a set's own text needs (set-program.c), by names that its library does
 * not take away: with a "def error(e): .;" no condition would fail any more.
 */
static const char kept[] = "def _mig_error(e): error(e); def _mig_getpath(p): getpath(p); "
			   "def _mig_setpath(p; v): setpath(p; v); def _mig_length: length; "
			   "def _mig_tojson: tojson; ";

/*
 * The prelude, all on line 1 so that the lines of the user's text are only
 * shifted.  halt_error is the one stop that try, ? and // cannot catch; the
 * helper must stand before halt_error is shadowed:
 *
 *   def _mig_impure($f): {impure: $f} | halt_error(1); def now: _mig_impure("now"); .. {} as $ENV |
 */
static void add_prelude(struct buf *b)
{
	size_t i, j;

	buf_addstr(b, "def _mig_impure($f): {impure: $f} | halt_error(1); ");
	for (i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		const char *name = forbidden[i];
		int n = (int)strcspn(name, "/");
		size_t arity = (size_t)(name[n + 1] - '0');

		buf_addf(b, "def %.*s", n, name);
		for (j = 0; j < arity; j++)
			buf_addf(b, "%s%c", j ? "; " : "(", (char)('a' + j));
		buf_addf(b, "%s: _mig_impure(\"%.*s\"); ", arity ? ")" : "", n, name);
	}
	buf_addstr(b, careful_mod);
	buf_addstr(b, kept);
	buf_addstr(b, "{} as $ENV | ");
}

static size_t count_lines(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '\n')); s++)
		n++;
	return n;
}

/* libjq reports a failed compile in several messages; the first one says it all. */
static void keep_first(void *data, jv msg)
{
	struct buf *b = data;

	if (!b->len && jv_get_kind(msg) == JV_KIND_STRING)
		buf_addstr(b, jv_string_value(msg));
	jv_free(msg);
}

/* A shell is not involved here, whatever libjq guesses. */
static void cut_guess(char *s)
{
	static const char guess[] = " (Unix shell quoting issues?)";
	char *p = strstr(s, guess);

	if (p)
		memmove(p, p + sizeof guess - 1, strlen(p + sizeof guess - 1) + 1);
}

/* The last line of s that holds something; libjq names the one behind it when it meets the end. */
static size_t last_line(const char *s)
{
	size_t len = strlen(s), n = count_lines(s);

	while (len && s[len - 1] == '\n')
		len--, n--;
	return n + 1;
}

/*
 * Make libjq's message a finding.  It speaks of lib (or NULL), a newline, and
 * text (or NULL), of which at least one is there:
 *
 *   "jq: error: f/0 is not defined at <top-level>, line 7:\n. | f\njq: .."
 *
 * becomes "f/0 is not defined, line 5" if lib has two lines, and "f/0 is not
 * defined, line 7 of the library" if it has seven.
 */
static int bad_jq(struct buf *msg, const char *lib, const char *text, const char *where, struct diag *d)
{
	static const char lead[] = "jq: error: ", place[] = " at <top-level>, line ";
	size_t line, last, before = lib ? count_lines(lib) + 1 : 0;
	char *s = msg->len ? msg->s : NULL, *at;
	bool in_lib;

	if (!s)
		return diag_add(d, MIG_INVALID, "bad_jq", where, "jq refuses the program");
	if (!strncmp(s, lead, sizeof lead - 1))
		s += sizeof lead - 1;
	cut_guess(s);
	at = strstr(s, place);
	if (!at) {
		s[strcspn(s, "\n")] = '\0';
		return diag_add(d, MIG_INVALID, "bad_jq", where, "%s", s);
	}
	*at = '\0';
	line = strtoul(at + sizeof place - 1, NULL, 10);
	in_lib = lib && (!text || line <= before);
	last = last_line(in_lib ? lib : text);
	if (!in_lib)
		line -= before;
	return diag_add(d, MIG_INVALID, "bad_jq", where, "%s, line %zu%s", s, line < last ? line : last,
	                in_lib ? " of the library" : "");
}

enum { HANDLER_STACK = 65536 };

static void out_of_memory(void *data)
{
	(void)data;
	abort();
}

/* A libjq that has nowhere to look for modules; its messages go to msg.  NULL after a finding. */
static jq_state *new_state(struct buf *msg, const char *where, struct diag *d)
{
	jq_state *jq = jq_init();

	if (!jq) {
		diag_add(d, MIG_ERROR, "bad_jq", where, "libjq does not start");
		return NULL;
	}
	/* Without one, libjq 1.6 calls whatever its uninitialised memory says. */
	jq_set_nomem_handler(jq, out_of_memory, NULL);
	jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	jq_set_error_cb(jq, keep_first, msg);
	return jq;
}

/*
 * Without memory libjq aborts, or goes on with what it did not get.  Async-signal-safe;
 * what was written so far has no end, so whoever reads it knows.
 */
static void compiler_died(int sig)
{
	static const char text[] = ": libjq died over a program: out of memory, or the program is too deep\n";
	ssize_t w = write(STDERR_FILENO, progname, strlen(progname));

	(void)sig;
	w = write(STDERR_FILENO, text, sizeof text - 1);
	(void)w;
	end_at_once(MIG_ERROR);
}

/* What ends libjq while it compiles ends the filter with 1; what ends a program that runs is jqrun_guard's affair. */
struct compiling {
	struct sigaction was[4];
	stack_t stack;
	char *room;
};

static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE };

static void compiling_begin(struct compiling *c)
{
	struct sigaction sa = { .sa_handler = compiler_died, .sa_flags = SA_ONSTACK };

	c->room = NULL;
#ifndef MIG_SAN /* the sanitizers want to see it themselves */
	c->room = xmalloc(HANDLER_STACK);
	sigaltstack(&(stack_t){ .ss_sp = c->room, .ss_size = HANDLER_STACK }, &c->stack);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		sigaction(deadly[i], &sa, &c->was[i]);
#else
	(void)sa;
#endif
}

static void compiling_end(struct compiling *c)
{
	if (!c->room)
		return;
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		sigaction(deadly[i], &c->was[i], NULL);
	sigaltstack(&c->stack, NULL);
	free(c->room);
}

/*
 * libjq runs ~/.jq before every program.  With HOME at a file there is no such
 * thing; without HOME it would ask the user database.
 */
static bool compile_homeless(jq_state *jq, const char *text)
{
	const char *home = getenv("HOME");
	char *saved = home ? xstrdup(home) : NULL;
	bool ok;

	setenv("HOME", "/dev/null", 1);
	ok = jq_compile(jq, text);
	if (saved)
		setenv("HOME", saved, 1);
	else
		unsetenv("HOME");
	free(saved);
	return ok;
}

/*
 * Parse lib or text between head and tail without compiling it: the import of
 * a module that is looked for nowhere ends the work behind the parser.
 */
static int check_syntax(const char *head, const char *lib, const char *text, const char *tail,
                        const char *where, struct diag *d)
{
	static const char content[] = "jq: error: module not found: mig";
	struct buf all = BUF_INIT, msg = BUF_INIT;
	struct compiling compiling;
	int r = 0;

	compiling_begin(&compiling);
	jq_state *jq = new_state(&msg, where, d);

	if (!jq) {
		compiling_end(&compiling);
		return -1;
	}
	buf_addf(&all, "import \"mig\" as mig {search: []}; %s%s\n%s", head, lib ? lib : text, tail);
	compile_homeless(jq, all.s);
	if (!msg.len || strncmp(msg.s, content, sizeof content - 1))
		r = bad_jq(&msg, lib, text, where, d);
	jq_teardown(&jq);
	compiling_end(&compiling);
	buf_release(&all);
	buf_release(&msg);
	return r;
}

/* Nothing may stand behind "$ENV |" but an expression ... */
int jqtext_check(const char *text, const char *where, struct diag *d)
{
	return check_syntax("{} as $ENV | ", NULL, text, "", where, d);
}

/* ... and between two definitions nothing but definitions. */
/*
 * jq's operators are functions called _plus, _equal and so on, and the engine's begin
 * with _ as well: a library that defines one would change what conditions
 * mean.  Each "def" will do, be it in a string.
 */
static int check_names(const char *lib, const char *where, struct diag *d)
{
	for (const char *s = lib; (s = strstr(s, "def")); s += 3) {
		const char *name = s + 3;

		while (*(name += strspn(name, " \t\r\n")) == '#')
			name += strcspn(name, "\n");
		if (*name != '_' || name == s + 3 || (s > lib && (isalnum((unsigned char)s[-1]) || s[-1] == '_')))
			continue;
		size_t line = 1;

		for (const char *p = lib; p < name; p++)
			line += *p == '\n';
		return diag_add(d, MIG_INVALID, "bad_jq", where,
		                "line %zu: defines a function whose name begins with _: those are jq's own", line);
	}
	return 0;
}

int jqtext_check_library(const char *lib, const char *where, struct diag *d)
{
	return check_syntax("def _mig: .; ", lib, NULL, "def _mig: .;", where, d) < 0 ? -1 : check_names(lib, where, d);
}

/* NULL after a finding. */
static jq_state *compile(const char *lib, const char *text, const char *where, struct diag *d)
{
	struct buf all = BUF_INIT, msg = BUF_INIT;
	jq_state *jq = new_state(&msg, where, d);

	if (!jq)
		return NULL;
	add_prelude(&all);
	if (lib)
		buf_addf(&all, "%s\n", lib);
	buf_addf(&all, "%s\n", text);
	if (compile_homeless(jq, all.s)) {
		jq_set_error_cb(jq, NULL, NULL);
	} else {
		bad_jq(&msg, lib, text, where, d);
		jq_teardown(&jq); /* leaves NULL */
	}
	buf_release(&all);
	buf_release(&msg);
	return jq;
}

jq_state *jqtext_compile(const char *lib, const char *text, const char *where, struct diag *d)
{
	struct compiling compiling;

	if ((lib && jqtext_check_library(lib, where, d)) || jqtext_check(text, where, d))
		return NULL;
	compiling_begin(&compiling);
	jq_state *jq = compile(lib, text, where, d);

	compiling_end(&compiling);
	return jq;
}
