#include "jqrun.h"

#include "canon.h"
#include "pointer.h"

#include <jv.h>
#include <jq.h>

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	NNAMES = 512,      /* member names remembered from document to document */
	NAME_MAX_LEN = 64  /* longer ones are made anew */
};

/* "Nowhere in the input": DOC_NONE is the root, where a result does stand. */
#define NO_TOKEN UINT32_MAX

/* The largest integer n for which n and n+1 are doubles of their own, and its digits. */
#define EXACT_MAX 9007199254740991.0
#define EXACT_DIGITS 16

/* A member name that libjq has a string of already. */
struct name {
	jv str;
	const char *s; /* its bytes; NULL: an empty place */
	size_t n;
};

/* The digits that jq prints for an integer of the input, where they are not its own. */
struct rounded {
	char digits[24];
	size_t n;
};

/* A member of the result on its way to canonical order; borrows from the result. */
struct member {
	jv key, value;
	const char *s;
	size_t n;
};

/* One step on the way down to the value being written. */
struct step {
	const char *key; /* NULL: an element */
	size_t n;        /* bytes of key, or the index */
};

struct jqprog {
	jq_state *jq;
	struct name names[NNAMES];
	struct buf text; /* scratch: characters of an escaped string */
	/* of the document at hand */
	const struct doc *in;
	uint32_t root;
	jv *val; /* per token of in: what libjq got for it; borrowed from the root */
	size_t nval;
	struct rounded *rounded; /* in order; filled when first asked for */
	size_t nrounded, roundedcap;
	bool rounded_known;
	struct member *member; /* a stack, one run per object being written */
	size_t nmember, membercap;
	struct step step[DOC_MAX_DEPTH];
	struct buf *out;
	struct jqrun_why *why;
};

/* ---- the program text ---- */

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
	jq_state *jq = new_state(&msg, where, d);
	int r = 0;

	if (!jq)
		return -1;
	buf_addf(&all, "import \"mig\" as mig {search: []}; %s%s\n%s", head, lib ? lib : text, tail);
	compile_homeless(jq, all.s);
	if (!msg.len || strncmp(msg.s, content, sizeof content - 1))
		r = bad_jq(&msg, lib, text, where, d);
	jq_teardown(&jq);
	buf_release(&all);
	buf_release(&msg);
	return r;
}

/* Nothing may stand behind "$ENV |" but an expression ... */
int jqrun_check(const char *text, const char *where, struct diag *d)
{
	return check_syntax("{} as $ENV | ", NULL, text, "", where, d);
}

/* ... and between two definitions nothing but definitions. */
static int check_library(const char *lib, const char *where, struct diag *d)
{
	return check_syntax("def _mig: .; ", lib, NULL, "def _mig: .;", where, d);
}

struct jqprog *jqrun_compile(const char *lib, const char *text, const char *where, struct diag *d)
{
	struct buf all = BUF_INIT, msg = BUF_INIT;
	struct jqprog *p;

	if ((lib && check_library(lib, where, d)) || jqrun_check(text, where, d))
		return NULL;
	p = xcalloc(1, sizeof *p);
	p->jq = new_state(&msg, where, d);
	if (!p->jq) {
		jqrun_free(p);
		return NULL;
	}
	add_prelude(&all);
	if (lib)
		buf_addf(&all, "%s\n", lib);
	buf_addf(&all, "%s\n", text);
	if (!compile_homeless(p->jq, all.s)) {
		bad_jq(&msg, lib, text, where, d);
		jqrun_free(p);
		p = NULL;
	} else {
		jq_set_error_cb(p->jq, NULL, NULL);
	}
	buf_release(&all);
	buf_release(&msg);
	return p;
}

void jqrun_free(struct jqprog *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < NNAMES; i++)
		if (p->names[i].s)
			jv_free(p->names[i].str);
	if (p->jq)
		jq_teardown(&p->jq);
	buf_release(&p->text);
	free(p->val);
	free(p->rounded);
	free(p->member);
	free(p);
}

/* ---- index -> jv ---- */

static jv plain_string(struct jqprog *p, uint32_t t)
{
	const struct tok *k = &p->in->tok[t];

	if (!(k->flags & DOC_ESCAPED))
		return jv_string_sized(p->in->text + k->off + 1, (int)(k->len - 2));
	buf_reset(&p->text);
	doc_string(p->in, t, &p->text);
	return jv_string_sized(p->text.s ? p->text.s : "", (int)p->text.len);
}

/* Documents of a set have the same member names: their strings and hashes are kept. */
static jv key_string(struct jqprog *p, uint32_t t)
{
	const struct tok *k = &p->in->tok[t];
	const char *s = p->in->text + k->off + 1;
	size_t n = k->len - 2;
	struct name *name;

	if ((k->flags & DOC_ESCAPED) || !n || n > NAME_MAX_LEN)
		return plain_string(p, t);
	name = &p->names[(n * 31 + (unsigned char)s[0] * 7 + (unsigned char)s[n / 2] * 131 +
	                  (unsigned char)s[n - 1] * 17) % NNAMES];
	if (!name->s || name->n != n || memcmp(name->s, s, n)) {
		if (name->s)
			jv_free(name->str);
		name->str = jv_string_sized(s, (int)n);
		name->s = jv_string_value(name->str);
		name->n = n;
	}
	return jv_copy(name->str);
}

/*
 * A number that knows its token: libjq copies a jv whole and makes new ones with
 * size 0, so the mark goes wherever the program moves the number, and is gone
 * from whatever it computes.  A libjq that lost the mark would cost rejects,
 * never digits.
 */
static jv to_number(struct jqprog *p, uint32_t t)
{
	int64_t i;
	jv v = jv_number(doc_int(p->in, t, &i) ? (double)i : doc_double(p->in, t));

	v.size = (int)(t + 1);
	return v;
}

/* The token that number v was made from, or NO_TOKEN. */
static uint32_t number_token(const struct jqprog *p, jv v)
{
	uint32_t t = (uint32_t)v.size - 1;

	if (!v.size || t >= p->in->ntok || p->in->tok[t].type != DOC_NUMBER)
		return NO_TOKEN;
	return p->val[t].u.number == v.u.number ? t : NO_TOKEN;
}

static jv to_jv(struct jqprog *p, uint32_t t);

static jv to_array(struct jqprog *p, uint32_t t)
{
	uint32_t n = p->in->tok[t].n, e;
	jv a = jv_array_sized(n ? (int)n : 1);

	for (e = t + 1; n--; e = p->in->tok[e].next)
		a = jv_array_append(a, to_jv(p, e));
	return a;
}

/*
 * Members go in in canonical order, so that the order in which jq shows them
 * (.[], to_entries) depends on what a document says, not on how it is spelled.
 */
static jv to_object(struct jqprog *p, uint32_t t)
{
	struct doc_walk w;
	uint32_t k;
	jv o = jv_object();

	for (doc_walk_init(&w, p->in, t); (k = doc_walk_next(&w)) != DOC_NONE;) {
		jv key = p->val[k] = key_string(p, k);

		o = jv_object_set(o, key, to_jv(p, k + 1));
	}
	return o;
}

static jv to_jv(struct jqprog *p, uint32_t t)
{
	jv v;

	switch (p->in->tok[t].type) {
	case DOC_FALSE:
		v = jv_false();
		break;
	case DOC_TRUE:
		v = jv_true();
		break;
	case DOC_NUMBER:
		v = to_number(p, t);
		break;
	case DOC_STRING:
		v = plain_string(p, t);
		break;
	case DOC_ARRAY:
		v = to_array(p, t);
		break;
	case DOC_OBJECT:
		v = to_object(p, t);
		break;
	default:
		v = jv_null();
		break;
	}
	return p->val[t] = v;
}

/* Make libjq's value of in's token t: new.  Whoever holds it keeps all of p->val alive and unchanged. */
static jv convert(struct jqprog *p, const struct doc *in, uint32_t t)
{
	if (p->nval < in->ntok) {
		p->nval = in->ntok + in->ntok / 2;
		free(p->val);
		p->val = xcalloc(p->nval, sizeof *p->val);
	}
	p->in = in;
	p->root = t;
	p->nrounded = 0;
	p->rounded_known = false;
	return to_jv(p, t);
}

/* ---- jv -> canonical text ---- */

static bool is_container(jv v)
{
	return jv_get_kind(v) == JV_KIND_ARRAY || jv_get_kind(v) == JV_KIND_OBJECT;
}

/* The same bytes in libjq's heap: an array may be a slice, so its window must be the same too. */
static bool is_same(jv a, jv b)
{
	return a.u.ptr == b.u.ptr && a.kind_flags == b.kind_flags && a.offset == b.offset && a.size == b.size;
}

static void add_token(struct jqprog *p, uint32_t t)
{
	const char *s;
	size_t n;

	if (!p->in->canonical) {
		canon_value(p->out, p->in, t, DOC_NONE);
		return;
	}
	s = doc_span(p->in, t, &n);
	buf_add(p->out, s, n);
}

static enum jqrun_result refuse(struct jqprog *p, const char *code, unsigned depth, const char *what)
{
	struct buf *b = &p->why->reason;
	unsigned i;

	snprintf(p->why->code, sizeof p->why->code, "%s", code);
	buf_reset(b);
	for (i = 0; i < depth; i++) {
		if (p->step[i].key)
			pointer_add(b, p->step[i].key, p->step[i].n);
		else
			pointer_add_index(b, p->step[i].n);
	}
	buf_addf(b, "%s%s", b->len ? ": " : "", what);
	one_line(b);
	return JQ_REJECT;
}

static enum jqrun_result write_number(struct jqprog *p, jv v, unsigned depth)
{
	uint32_t from = number_token(p, v);
	double x = jv_number_value(v);

	if (from != NO_TOKEN) {
		add_token(p, from);
		return JQ_OK;
	}
	if (!isfinite(x))
		return refuse(p, "inexact_number", depth, "the program made a number that is not finite");
	if (fabs(x) > EXACT_MAX)
		return refuse(p, "inexact_number", depth,
		              "the program made an integer beyond 2^53-1, which jq rounds");
	canon_double(p->out, x);
	return JQ_OK;
}

static int by_digits(const void *a, const void *b)
{
	const struct rounded *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? -1 : 1) : memcmp(x->digits, y->digits, x->n);
}

/* 9007199254740993, where jq prints 9007199254740992: keep the latter. */
static void add_rounded(struct jqprog *p, uint32_t t)
{
	struct rounded r;
	int64_t exact;
	const char *s;
	jv text;

	if (!doc_int(p->in, t, &exact) || fabs((double)exact) <= EXACT_MAX)
		return;
	text = jv_dump_string(jv_number(fabs((double)exact)), 0);
	s = doc_span(p->in, t, &r.n);
	s += *s == '-';
	snprintf(r.digits, sizeof r.digits, "%s", jv_string_value(text));
	jv_free(text);
	r.n = strlen(r.digits);
	if (!strncmp(s, r.digits, r.n))
		return;
	if (p->nrounded == p->roundedcap)
		p->rounded = xrealloc(p->rounded, p->roundedcap = p->roundedcap * 2 + 16, sizeof r);
	p->rounded[p->nrounded++] = r;
}

static void know_rounded(struct jqprog *p)
{
	uint32_t t;

	for (t = p->root; t < p->in->tok[p->root].next; t++)
		if (p->in->tok[t].type == DOC_NUMBER)
			add_rounded(p, t);
	if (p->nrounded)
		qsort(p->rounded, p->nrounded, sizeof *p->rounded, by_digits);
	p->rounded_known = true;
}

/*
 * Does a text that the program made hold the rounded digits of an integer of
 * the input?  tostring, tojson and "\(.id)" all print doubles, so it is how a
 * long identifier would silently become another one.
 */
static bool tells_rounded(struct jqprog *p, const char *s, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i = k + 1) {
		struct rounded want;

		for (k = i; k < n && s[k] >= '0' && s[k] <= '9'; k++)
			;
		if (k - i < EXACT_DIGITS || k - i >= sizeof want.digits)
			continue;
		if (!p->rounded_known)
			know_rounded(p);
		want.n = k - i;
		memcpy(want.digits, s + i, want.n);
		if (p->nrounded && bsearch(&want, p->rounded, p->nrounded, sizeof want, by_digits))
			return true;
	}
	return false;
}

static enum jqrun_result write_text(struct jqprog *p, const char *s, size_t n, unsigned depth)
{
	if (tells_rounded(p, s, n))
		return refuse(p, "inexact_number", depth,
		              "the program wrote an integer beyond 2^53-1 as text, which jq rounds");
	canon_string(p->out, s, n);
	return JQ_OK;
}

static enum jqrun_result write_value(struct jqprog *p, jv v, uint32_t at, unsigned depth);

static enum jqrun_result write_array(struct jqprog *p, jv v, uint32_t at, unsigned depth)
{
	const struct tok *tok = p->in->tok;
	bool matched = at != NO_TOKEN && tok[at].type == DOC_ARRAY;
	uint32_t left = matched ? tok[at].n : 0, e = at + 1;
	enum jqrun_result r = JQ_OK;
	int i, n = jv_array_length(jv_copy(v));

	buf_addch(p->out, '[');
	for (i = 0; i < n && r == JQ_OK; i++) {
		jv x = jv_array_get(jv_copy(v), i);

		if (i)
			buf_addch(p->out, ',');
		p->step[depth] = (struct step){ NULL, (size_t)i };
		r = write_value(p, x, left ? e : NO_TOKEN, depth + 1);
		jv_free(x);
		if (left && --left)
			e = tok[e].next;
	}
	buf_addch(p->out, ']');
	return r;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return doc_compare_keys(x->s, x->n, y->s, y->n);
}

/* Push the members of object v in canonical order; they borrow from v. */
static void push_members(struct jqprog *p, jv v)
{
	size_t base = p->nmember;
	bool sorted = true;
	int i;

	for (i = jv_object_iter(v); jv_object_iter_valid(v, i); i = jv_object_iter_next(v, i)) {
		struct member *m;

		if (p->nmember == p->membercap)
			p->member = xrealloc(p->member, p->membercap = p->membercap * 2 + 32, sizeof *m);
		m = &p->member[p->nmember++];
		m->key = jv_object_iter_key(v, i);
		m->value = jv_object_iter_value(v, i);
		m->s = jv_string_value(m->key);
		m->n = (size_t)jv_string_length_bytes(m->key);
		jv_free(m->value);
		sorted = sorted && (m == &p->member[base] || by_key(m - 1, m) < 0);
	}
	if (!sorted)
		qsort(&p->member[base], p->nmember - base, sizeof *p->member, by_key);
}

/*
 * Where m's value stood before: *k is the next key of the walk w, which has not
 * passed m yet.  Names are mostly the very strings of the input.
 */
static uint32_t match_member(struct jqprog *p, struct doc_walk *w, uint32_t *k, const struct member *m)
{
	while (*k != DOC_NONE) {
		jv key = p->val[*k];
		int c = is_same(key, m->key) ? 0 :
			doc_compare_keys(jv_string_value(key), (size_t)jv_string_length_bytes(jv_copy(key)),
			                 m->s, m->n);

		if (c > 0)
			return NO_TOKEN;
		if (c == 0)
			return *k + 1;
		*k = doc_walk_next(w);
	}
	return NO_TOKEN;
}

static enum jqrun_result write_object(struct jqprog *p, jv v, uint32_t at, unsigned depth)
{
	size_t i, base = p->nmember, end;
	enum jqrun_result r = JQ_OK;
	struct doc_walk w;
	uint32_t k = DOC_NONE;

	if (at != NO_TOKEN && p->in->tok[at].type == DOC_OBJECT) {
		doc_walk_init(&w, p->in, at);
		k = doc_walk_next(&w);
	}
	push_members(p, v);
	end = p->nmember;
	buf_addch(p->out, '{');
	for (i = base; i < end && r == JQ_OK; i++) {
		struct member m = p->member[i];
		uint32_t from = match_member(p, &w, &k, &m);

		if (i > base)
			buf_addch(p->out, ',');
		p->step[depth] = (struct step){ m.s, m.n };
		if (from != NO_TOKEN)
			canon_string(p->out, m.s, m.n);
		else
			r = write_text(p, m.s, m.n, depth + 1);
		if (r != JQ_OK)
			break;
		buf_addch(p->out, ':');
		r = write_value(p, m.value, from, depth + 1);
	}
	buf_addch(p->out, '}');
	p->nmember = base;
	return r;
}

/* v (borrowed) stood at token at before the program ran, or nowhere. */
static enum jqrun_result write_value(struct jqprog *p, jv v, uint32_t at, unsigned depth)
{
	jv_kind kind = jv_get_kind(v);

	if (at != NO_TOKEN && (kind == JV_KIND_STRING || is_container(v)) && is_same(v, p->val[at])) {
		add_token(p, at);
		return JQ_OK;
	}
	if (is_container(v) && depth >= DOC_MAX_DEPTH)
		return refuse(p, "too_deep", 0, "the result is nested too deep");
	switch (kind) {
	case JV_KIND_NUMBER:
		return write_number(p, v, depth);
	case JV_KIND_STRING:
		return write_text(p, jv_string_value(v), (size_t)jv_string_length_bytes(jv_copy(v)), depth);
	case JV_KIND_ARRAY:
		return write_array(p, v, at, depth);
	case JV_KIND_OBJECT:
		return write_object(p, v, at, depth);
	case JV_KIND_FALSE:
		buf_addstr(p->out, "false");
		return JQ_OK;
	case JV_KIND_TRUE:
		buf_addstr(p->out, "true");
		return JQ_OK;
	default:
		buf_addstr(p->out, "null");
		return JQ_OK;
	}
}

/* ---- running ---- */

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
static int next_output(struct jqprog *p, jv *v, enum jqrun_result *r)
{
	jv error;

	*v = jq_next(p->jq);
	if (jv_is_valid(*v))
		return 1;
	error = jv_invalid_get_msg(*v);
	*v = jv_invalid();
	if (jq_halted(p->jq)) {
		jv_free(error);
		*r = impure(p->jq, p->why);
		return -1;
	}
	if (jv_get_kind(error) == JV_KIND_NULL) /* the end, or error(null), which 1.6 takes for it */
		return 0;
	*r = thrown(error, p->why);
	return -1;
}

static enum jqrun_result only_output(struct jqprog *p, jv *v)
{
	static const char none[] = "the program gave no output";
	static const char more[] = "the program gave more than one output";
	enum jqrun_result r;
	jv second;
	int n = next_output(p, v, &r);

	if (n < 0)
		return r;
	if (n == 0) {
		set_reason(p->why, "not_one_output", none, sizeof none - 1);
		return JQ_REJECT;
	}
	n = next_output(p, &second, &r);
	jv_free(second);
	if (n < 0)
		return r;
	if (n > 0) {
		set_reason(p->why, "not_one_output", more, sizeof more - 1);
		return JQ_REJECT;
	}
	return JQ_OK;
}

enum jqrun_result jqrun_value(struct jqprog *p, const struct doc *in, uint32_t t, struct buf *out,
                              struct jqrun_why *why)
{
	static const char large[] = "the document is too large for jq";
	jv root, v = jv_invalid();
	enum jqrun_result r;
	size_t len = out->len;

	p->out = out;
	p->why = why;
	p->nmember = 0;
	if (in->len > INT_MAX) { /* libjq counts bytes in an int */
		set_reason(why, "too_large", large, sizeof large - 1);
		return JQ_REJECT;
	}
	root = convert(p, in, t);
	jq_start(p->jq, jv_copy(root), 0);
	r = only_output(p, &v);
	if (r == JQ_OK)
		r = write_value(p, v, t, 0);
	if (r != JQ_OK && out->s)
		buf_setlen(out, len);
	jv_free(v);
	jv_free(root);
	return r;
}

/* ---- programs that run away ---- */

void jqrun_guard(void (*on_death)(int sig), size_t max_bytes)
{
	static const int sigs[] = { SIGVTALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE };
	struct sigaction sa = { .sa_handler = on_death, .sa_flags = SA_ONSTACK };
	long min = sysconf(_SC_SIGSTKSZ);
	stack_t st = { .ss_size = min > 65536 ? (size_t)min : 65536 };
	size_t i;

	st.ss_sp = mmap(NULL, st.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (st.ss_sp != MAP_FAILED)
		sigaltstack(&st, NULL);
	sigfillset(&sa.sa_mask);
	for (i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaction(sigs[i], &sa, NULL);
#ifndef MIG_SAN
	/* The sanitizers' shadow memory would not fit. */
	setrlimit(RLIMIT_DATA, &(struct rlimit){ max_bytes, max_bytes });
#else
	(void)max_bytes;
#endif
}

void jqrun_alarm(unsigned seconds)
{
	setitimer(ITIMER_VIRTUAL, &(struct itimerval){ .it_value.tv_sec = seconds }, NULL);
}
