/*
 * jqrun_test.c -- jq programs: exactness, purity, errors, crashes.
 *
 * Run from the top of the tree; the programs of tests/reject/jq are run too,
 * each against the first line of its .expected.
 */
#include "jqrun.h"

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct doc doc;
static struct buf json, out, shown;
static struct jqrun_why why;

static void parse(const char *s)
{
	buf_reset(&json);
	buf_addstr(&json, s);
	if (!CHECK(doc_parse(&doc, json.s, json.len, DOC_MAX_DEPTH) == 0))
		printf("# %s: %s\n", s, doc.err.reason);
}

/* What p makes of the parsed document: its output, or "!code: reason" (reject), "!!code: reason" (fault). */
static const char *run(struct jqprog *p)
{
	enum jqrun_result r;

	buf_reset(&out);
	r = jqrun_value(p, &doc, 0, &out, &why);
	if (r == JQ_OK)
		return out.s;
	CHECK(out.len == 0);
	buf_reset(&shown);
	buf_addf(&shown, "%s%s: %s", r == JQ_FAULT ? "!!" : "!", why.code, why.reason.s);
	return shown.s;
}

/* The same for a program's text; a failed compile is "!rule: message". */
static const char *eval(const char *lib, const char *text, const char *input)
{
	struct diag d = DIAG_INIT;
	struct jqprog *p = jqrun_compile(lib, text, "up.jq", &d);
	const char *s;

	if (!p) {
		buf_reset(&shown);
		buf_addf(&shown, "!%s: %s", d.list[0].rule, d.list[0].message);
		CHECK(d.n == 1 && d.list[0].exit == MIG_INVALID && !strcmp(d.list[0].where, "up.jq"));
		s = shown.s;
	} else {
		CHECK(d.n == 0);
		parse(input);
		s = run(p);
	}
	jqrun_free(p);
	diag_release(&d);
	return s;
}

struct example {
	const char *text, *input, *expected;
};

static void examples(const char *what, const struct example *e, size_t n)
{
	for (; n--; e++) {
		test("%s: %s", what, e->text);
		CHECK_STR(eval(NULL, e->text, e->input), e->expected);
	}
}

#define EXAMPLES(what, table) examples(what, table, sizeof (table) / sizeof *(table))

#define BIG "9007199254740993"
#define ROUNDED ": the program made an integer beyond 2^53-1, which jq rounds"

static void exactness(void)
{
	static const struct example untouched[] = {
		{ ".", BIG, BIG },
		{ ".", "-9223372036854775808", "-9223372036854775808" },
		{ ".", " [ 1 , {\"b\":2,\"a\":9223372036854775807} ]",
		  "[1,{\"a\":9223372036854775807,\"b\":2}]" },
		{ ".z = 1", "{\"id\":" BIG ",\"a\":[" BIG "]}", "{\"a\":[" BIG "],\"id\":" BIG ",\"z\":1}" },
		{ ". + {b: 2}", "{\"id\":9223372036854775807}", "{\"b\":2,\"id\":9223372036854775807}" },
		{ ".a.b.c = true", "{\"a\":{\"id\":" BIG ",\"b\":{\"id\":" BIG "}}}",
		  "{\"a\":{\"b\":{\"c\":true,\"id\":" BIG "},\"id\":" BIG "}}" },
		{ "del(.a)", "{\"a\":1,\"id\":" BIG "}", "{\"id\":" BIG "}" },
		{ ".[1] = 7", "[" BIG ",0," BIG "]", "[" BIG ",7," BIG "]" },
		{ "walk(.)", "[{\"a\":" BIG "}]", "[{\"a\":" BIG "}]" },
		{ "with_entries(.)", "{\"a\":" BIG ",\"b\":9007199254740992}",
		  "{\"a\":" BIG ",\"b\":9007199254740992}" },
		{ ".", "1e300", "1e+300" },
		{ ".", "18446744073709552000", "18446744073709552000" },
		{ ".x = .x", "{\"x\":-0}", "{\"x\":0}" },
	};
	static const struct example moved[] = {
		{ "{q: .b}", "{\"b\":[1,{\"x\":" BIG "}]}", "{\"q\":[1,{\"x\":" BIG "}]}" },
		{ "{q: .b.x}", "{\"b\":{\"x\":" BIG "}}", "{\"q\":" BIG "}" },
		{ ".c = .id | del(.id)", "{\"id\":" BIG "}", "{\"c\":" BIG "}" },
		{ ".id = .other", "{\"id\":" BIG ",\"other\":9007199254740992}",
		  "{\"id\":9007199254740992,\"other\":9007199254740992}" },
		{ ".[1:]", "[" BIG ",9007199254740992,1]", "[9007199254740992,1]" },
		{ ".[0:1]", "[" BIG ",9007199254740992,1]", "[" BIG "]" },
		{ "del(.[0])", "[9007199254740992," BIG "]", "[" BIG "]" },
		{ "reverse", "[9007199254740992," BIG "]", "[" BIG ",9007199254740992]" },
		{ "map(select(.ok) | {id})", "[{\"id\":" BIG "},{\"id\":9007199254740992,\"ok\":true}]",
		  "[{\"id\":9007199254740992}]" },
		{ "sort_by(.n) | map({id})", "[{\"id\":" BIG ",\"n\":2},{\"id\":9007199254740992,\"n\":1}]",
		  "[{\"id\":9007199254740992},{\"id\":" BIG "}]" },
		{ "[.[1], .[0], .[1]]", "[{\"a\":" BIG "},[" BIG "]]",
		  "[[" BIG "],{\"a\":" BIG "},[" BIG "]]" },
		{ ".q = (.p | .y = 1) | del(.p)", "{\"p\":{\"x\":" BIG "}}",
		  "{\"q\":{\"x\":" BIG ",\"y\":1}}" },
		{ "[.[] as $x | $x]", "{\"b\":" BIG ",\"a\":1e22}", "[1e+22," BIG "]" },
	};
#define AS_TEXT ": the program wrote an integer beyond 2^53-1 as text, which jq rounds"
	static const struct example as_text[] = {
		{ ".id |= tostring", "{\"id\":" BIG "}", "!inexact_number: /id" AS_TEXT },
		{ "{a: [tojson]}", "{\"id\":[-" BIG "]}", "!inexact_number: /a/0" AS_TEXT },
		{ "\"item \\(.[0])/\\(.[1])\"", "[1,1152921504606846977]", "!inexact_number" AS_TEXT },
		{ "{(.id | tostring): 1}", "{\"id\":" BIG "}", "!inexact_number: /9007199254740992" AS_TEXT },
		{ "@csv", "[" BIG "]", "!inexact_number" AS_TEXT },
		{ ".id |= tostring", "{\"id\":9007199254740994}", "{\"id\":\"9007199254740994\"}" },
		{ ".b = \"9007199254740992\"", "{\"id\":1}", "{\"b\":\"9007199254740992\",\"id\":1}" },
		{ ".b = \"" BIG "\"", "{\"id\":" BIG "}", "{\"b\":\"" BIG "\",\"id\":" BIG "}" },
		{ ".b = 1", "{\"9007199254740992\":\"9007199254740992\",\"id\":" BIG "}",
		  "{\"9007199254740992\":\"9007199254740992\",\"b\":1,\"id\":" BIG "}" },
		{ ".[1] = .[0] + \"/\"", "[\"12345678901234567890123456789\"," BIG "]",
		  "[\"12345678901234567890123456789\",\"12345678901234567890123456789/\"]" },
	};
	static const struct example touched[] = {
		{ ".id += 1", "{\"id\":" BIG "}", "!inexact_number: /id" ROUNDED },
		{ ".id |= . + 0", "{\"id\":9007199254740992}", "!inexact_number: /id" ROUNDED },
		{ ".id |= floor", "{\"id\":9007199254740992}", "!inexact_number: /id" ROUNDED },
		{ ".id = -(.id)", "{\"id\":" BIG "}", "!inexact_number: /id" ROUNDED },
		{ ".a[1].b = 9007199254740992", "{\"a\":[1,{}]}", "!inexact_number: /a/1/b" ROUNDED },
		{ "{\"a/b~\": [9007199254740993]}", "1", "!inexact_number: /a~1b~0/0" ROUNDED },
		{ "1e300", "1", "!inexact_number" ROUNDED },
		{ "infinite", "1", "!inexact_number: the program made a number that is not finite" },
		{ "[-infinite]", "1", "!inexact_number: /0: the program made a number that is not finite" },
		{ "{a: nan}", "1", "!inexact_number: /a: the program made a number that is not finite" },
		{ "9007199254740991, -9007199254740991 | select(. == -9007199254740991)", "1",
		  "-9007199254740991" },
		{ ". + 1", "9007199254740990", "9007199254740991" },
		{ ". + 1", "9007199254740991", "!inexact_number" ROUNDED },
		{ "[0.1 + 0.2, 1e-7, 1e15, 123456789012345680 / 1e10, -0, 5e-324]", "1",
		  "[0.30000000000000004,1e-7,1000000000000000,12345678.901234567,0,5e-324]" },
	};

	EXAMPLES("what is not touched stays exact", untouched);
	EXAMPLES("what is moved stays exact", moved);
	EXAMPLES("what is computed must be exact", touched);
	EXAMPLES("what is printed must be exact", as_text);
}

static void shapes(void)
{
	static const struct example cases[] = {
		{ "{b: 1, a: {d: 1, c: 2}}", "1", "{\"a\":{\"c\":2,\"d\":1},\"b\":1}" },
		/* UTF-16 puts U+1F600 (D83D DE00) before U+FFFD, UTF-8 and jq behind it. */
		{ ". + {\"\\ufffd\": 1, \"\\ud83d\\ude00\": 2}", "{\"z\":0}",
		  "{\"z\":0,\"\xf0\x9f\x98\x80\":2,\"\xef\xbf\xbd\":1}" },
		{ ".x = 1", "{\"\xef\xbf\xbd\":" BIG ",\"\xf0\x9f\x98\x80\":9007199254740992}",
		  "{\"x\":1,\"\xf0\x9f\x98\x80\":9007199254740992,\"\xef\xbf\xbd\":" BIG "}" },
		{ "to_entries | map(.key)", "{\"b\":1,\"c\":1,\"a\":1}", "[\"a\",\"b\",\"c\"]" },
		{ "[.[]]", "{\"b\":1,\"a\":2}", "[2,1]" },
		{ ".", "{\"\":{}}", "{\"\":{}}" },
		{ "[[], {}, \"\", null, true, false]", "1", "[[],{},\"\",null,true,false]" },
		{ ".[0] = 1", "[[],{},[[]],{\"a\":{}}]", "[1,{},[[]],{\"a\":{}}]" },
		{ ". + \"\\u0000b\" | [., length]", "\"a\\u0000\"", "[\"a\\u0000\\u0000b\",4]" },
		{ ".\"k\\u0000\" = 2", "{\"k\":1,\"k\\u0000\":\"\\u0000\",\"k\\u0000a\":3}",
		  "{\"k\":1,\"k\\u0000\":2,\"k\\u0000a\":3}" },
		{ ".b = 1", "{\"a\":\"\\u00e9\\/\\n\\u001f\",\"\\u0062\":2}",
		  "{\"a\":\"\xc3\xa9/\\n\\u001f\",\"b\":1}" },
		{ "reduce range(511) as $i (1; [.]) | [.] | length", "1", "1" },
		{ "reduce range(513) as $i (1; [.])", "1", "!too_deep: the result is nested too deep" },
		{ "reduce range(513) as $i (1; {a: .})", "1", "!too_deep: the result is nested too deep" },
		{ "reduce range(511) as $i (.; [.])", "[[1]]", "!too_deep: the result is nested too deep" },
		{ "[paths]", "{\"a\":[{\"b\":1}]}", "[[\"a\"],[\"a\",0],[\"a\",0,\"b\"]]" },
		{ "[floor, ceil, round, sqrt, fabs]", "2.25", "[2,3,2,1.5,2.25]" },
		{ "[(7, 8) % (3, 5), -7 % 3, 5.9 % 2.9, (. | .[0] %= 4 | .[0]), (try (\"a\" % 1) catch \"typed\")]", "[11]",
		  "[1,2,2,3,-1,1,3,\"typed\"]" },
		{ "infinite % -1", "1", "!jq_error: % takes integers up to 2^53-1" },
		{ "[5 % 1e19]", "1", "!jq_error: % takes integers up to 2^53-1" },
		{ ". % 10", BIG, "!jq_error: % takes integers up to 2^53-1" },
		{ "nan % 5", "1", "!jq_error: % takes integers up to 2^53-1" },
		{ "[todate, (gmtime | mktime), (gmtime | strftime(\"%A %Z\"))]", "1425599507",
		  "[\"2015-03-05T23:51:47Z\",1425599507,\"Thursday UTC\"]" },
		{ "fromdate", "\"2015-03-05T23:51:47Z\"", "1425599507" },
		{ "[tojson, tostring, @text, (tojson | fromjson)]", "[1.5,\"x\"]",
		  "[\"[1.5,\\\"x\\\"]\",\"[1.5,\\\"x\\\"]\",\"[1.5,\\\"x\\\"]\",[1.5,\"x\"]]" },
		{ "[splits(\", *\")]", "\"a, b,c\"", "[\"a\",\"b\",\"c\"]" },
		{ "def f: .a; # a comment at the end", "1",
		  "!bad_jq: syntax error, unexpected $end, line 1" },
		{ ".a # a comment at the end", "{\"a\":1}", "1" },
		{ "def a: 1; def b: a + 1; b", "1", "2" },
		{ ". as [$a] ?// $a | $a", "1", "1" },
		{ "label $f | 1, break $f, 2", "1", "1" },
	};
	struct buf deep = BUF_INIT;
	int i;

	EXAMPLES("shape", cases);
	for (i = 0; i < DOC_MAX_DEPTH; i++)
		buf_addch(&deep, '[');
	for (i = 0; i < DOC_MAX_DEPTH; i++)
		buf_addch(&deep, ']');
	test("shape: the deepest document passes, one more does not");
	CHECK_STR(eval(NULL, ".", deep.s), deep.s);
	CHECK_STR(eval(NULL, "reduce range(512) as $i ([]; [.]) | .[0]", "1"), deep.s);
	CHECK_STR(eval(NULL, "[.]", deep.s), "!too_deep: the result is nested too deep");
	buf_release(&deep);
}

static void errors(void)
{
	static const struct example cases[] = {
		{ "empty", "1", "!not_one_output: the program gave no output" },
		{ "1, 2", "1", "!not_one_output: the program gave more than one output" },
		{ "range(infinite)", "1", "!not_one_output: the program gave more than one output" },
		{ "., repeat(1)", "1", "!not_one_output: the program gave more than one output" },
		{ "1, error(\"late\")", "1", "!jq_error: late" },
		{ "error(\"two\\nlines\\u0000\")", "1", "!jq_error: two lines " },
		{ "error({a: [1]})", "1", "!jq_error: {\"a\":[1]}" },
		{ "error(5)", "1", "!jq_error: 5" },
		{ "error(null)", "1", "!not_one_output: the program gave no output" },
		{ "1, error(null)", "1", "1" },
		{ "error", "\"x\"", "!jq_error: x" },
		{ "error({mig_code: \"no_path\", mig_reason: \"from 1\\nto 2\"})", "1",
		  "!no_path: from 1 to 2" },
		{ "error({mig_code: \"No path\", mig_reason: \"x\"})", "1",
		  "!jq_error: {\"mig_code\":\"No path\",\"mig_reason\":\"x\"}" },
		{ "error({mig_code: \"x\", mig_reason: null})", "1",
		  "!jq_error: {\"mig_code\":\"x\",\"mig_reason\":null}" },
		{ "error({mig_code: \"\", mig_reason: \"\"})", "1",
		  "!jq_error: {\"mig_code\":\"\",\"mig_reason\":\"\"}" },
		{ "error({mig_code: \"a123456789012345678901234567890\", mig_reason: \"\"})", "1",
		  "!a123456789012345678901234567890: " },
		{ "error({mig_code: \"a1234567890123456789012345678901\", mig_reason: \"\"})", "1",
		  "!jq_error: {\"mig_code\":\"a1234567890123456789012345678901\",\"mig_reason\":\"\"}" },
		{ ".a", "[1]", "!jq_error: Cannot index array with string \"a\"" },
		{ "try error(\"x\") catch .", "1", "\"x\"" },
		{ "test(\"(\")", "\"a\"",
		  "!jq_error: Regex failure: end pattern with unmatched parenthesis" },
	};
	const char *s;

	EXAMPLES("error", cases);
	test("error: a long reason is cut between characters");
	s = eval(NULL, "error(\"\xc3\xa9\" * 900)", "1");
	CHECK(why.reason.len <= JQRUN_REASON_MAX && why.reason.len > JQRUN_REASON_MAX - 8);
	CHECK(!strcmp(s + strlen(s) - 5, "\xc3\xa9..."));
}

static void purity(void)
{
	/* With the input {"a":1}; all but the last ask for a value. */
	static const char *const ways[] = {
		"%s", "try (%s) catch 1", "(%s)?", "[.[]?, (%s // 1)?]", "reduce (%s) as $x (0; .)",
		"path(%s)", "def f: %s; f", ". as [$a] ?// $b | %s", "first(%s)", "\"\\(%s)\"",
		"label $f | (%s), break $f", "{a: 1, b: %s}", "[limit(1; %s)]", "if %s then 1 else 2 end",
		".a |= (%s)", "1, (%s)",
	};
	static const struct {
		const char *name, *call;
	} calls[] = {
		{ "now", "now" }, { "env", "env" }, { "env", "env.PAGER" }, { "input", "input" },
		  { "inputs", "[inputs]" },
		{ "_input", "_input" }, { "debug", "debug" }, { "debug", "debug(\"x\")" }, { "stderr",
		  "stderr" },
		{ "input_filename", "input_filename" }, { "input_line_number", "input_line_number" },
		{ "localtime", "(0|localtime)" }, { "strflocaltime", "(0|strflocaltime(\"%c\"))" },
		  { "halt", "halt" },
		{ "halt_error", "halt_error" }, { "halt_error", "halt_error(0)" }, { "get_search_list",
		  "get_search_list" },
		{ "get_prog_origin", "get_prog_origin" }, { "get_jq_origin", "get_jq_origin" },
		{ "modulemeta", "(\"a\"|modulemeta)" }, { "builtins", "builtins" }, { "pow", "pow(2;3)" }, { "fma", "fma(1;2;3)" },
		  { "log", "(2|log)" },
		{ "exp10", "(2|exp10)" }, { "trunc", "(2|trunc)" }, { "significand", "(2|significand)" },
		{ "pow10", "(2|pow10)" }, { "frexp", "(2|frexp)" }, { "ldexp", "ldexp(2;2)" },
	};
	char text[256], expected[160];
	size_t i, k;

	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		test("impure: %s", calls[i].call);
		snprintf(expected, sizeof expected,
		         "!!impure: the program calls %s, which is not the same everywhere and always",
		         calls[i].name);
		/* One call in every way, the others in three: a compile costs 13 ms. */
		for (k = 0; k < (i ? 3 : sizeof ways / sizeof *ways); k++) {
			const char *at = strstr(ways[k], "%s");

			snprintf(text, sizeof text, "%.*s%s%s", (int)(at - ways[k]), ways[k], calls[i].call,
			at + 2);
			if (!CHECK(!strcmp(eval(NULL, text, "{\"a\":1}"), expected)))
				printf("# %s gives %s\n", text, shown.s);
		}
	}
	test("impure: in a library");
	CHECK_STR(eval("def f: try now catch 1;", "f?", "1"),
	          "!!impure: the program calls now, which is not the same everywhere and always");
	test("impure: a definition of the same name is the program's own");
	CHECK_STR(eval("def now: 5;", "now", "1"), "5");
	test("impure: $ENV is empty in program, library and closure");
	setenv("SECRET", "hunter2", 1);
	CHECK_STR(eval("def f: $ENV.SECRET;", "def g: $ENV; [$ENV, $ENV.SECRET, f, g]", "1"),
	"[{},null,null,{}]");
	test("impure: not called, not refused");
	CHECK_STR(eval(NULL, "if . == 1 then 2 else now end", "1"), "2");
}

/* libjq would run ~/.jq before every program. */
static void home(void)
{
	char dir[] = "/tmp/jqrun_test.XXXXXX", path[64];
	FILE *f;

	test("impure: ~/.jq is not read and HOME is put back");
	if (!CHECK(mkdtemp(dir)))
		return;
	snprintf(path, sizeof path, "%s/.jq", dir);
	f = fopen(path, "w");
	fputs("def map(f): \"from ~/.jq\";", f);
	fclose(f);
	setenv("HOME", dir, 1);
	CHECK_STR(eval(NULL, "map(. + 1)", "[1]"), "[2]");
	CHECK_STR(getenv("HOME"), dir);
	unsetenv("HOME");
	CHECK_STR(eval(NULL, "map(. + 1)", "[1]"), "[2]");
	CHECK(!getenv("HOME"));
	unlink(path);
	rmdir(dir);
}

static void compile_errors(void)
{
	static const struct {
		const char *lib, *text, *expected;
	} cases[] = {
		{ NULL, "", "!bad_jq: syntax error, unexpected $end, line 1" },
		{ NULL, "# nothing", "!bad_jq: syntax error, unexpected $end, line 1" },
		{ NULL, ".a |", "!bad_jq: syntax error, unexpected $end, line 1" },
		{ NULL, ".a\n|\n\n", "!bad_jq: syntax error, unexpected $end, line 2" },
		{ NULL, ".\n| zork", "!bad_jq: zork/0 is not defined, line 2" },
		{ NULL, "$x", "!bad_jq: $x is not defined, line 1" },
		{ NULL, "break $x", "!bad_jq: $*label-x is not defined, line 1" },
		{ NULL, "1) | (2",
		  "!bad_jq: syntax error, unexpected INVALID_CHARACTER, expecting $end, line 1" },
		{ NULL, "def f: 1;", "!bad_jq: syntax error, unexpected $end, line 1" },
		{ NULL, "import \"a\" as a; .", "!bad_jq: syntax error, unexpected import, line 1" },
		{ NULL, "include \"a\"; .", "!bad_jq: syntax error, unexpected include, line 1" },
		{ NULL, "module {}; .", "!bad_jq: syntax error, unexpected module, line 1" },
		{ NULL, "mig::f", "!bad_jq: mig::f/0 is not defined, line 1" },
		{ NULL, "$__prog_args", "!bad_jq: $__prog_args is not defined, line 1" },
		{ "def a: 1;\n", ".\n| zork", "!bad_jq: zork/0 is not defined, line 2" },
		{ "def a: 1;", ". | zork", "!bad_jq: zork/0 is not defined, line 1" },
		{ "def a: 1;\n\ndef b: $y;\n", "b", "!bad_jq: $y is not defined, line 3 of the library" },
		{ "def a: 1; 5 |", ".", "!bad_jq: syntax error, unexpected $end, line 1 of the library" },
		{ "def a: 1; .b", ".c",
		  "!bad_jq: syntax error, unexpected def, expecting $end, line 1 of the library" },
		{ "def a: 1; 5", "+ 1",
		  "!bad_jq: syntax error, unexpected def, expecting $end, line 1 of the library" },
		{ "import \"a\" as a;", ".",
		  "!bad_jq: syntax error, unexpected import, expecting $end, line 1 of the library" },
		{ "include \"a\";", ".",
		  "!bad_jq: syntax error, unexpected include, expecting $end, line 1 of the library" },
		{ "def a: 1; # no newline", "a", "1" },
		{ "", "2", "2" },
		{ "# nothing", "2", "2" },
		{ "def f(g): g + 1; def h: f(2);\n", "def f: 5; [h, f]", "[3,5]" },
	};
	struct diag d = DIAG_INIT;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("compile: case %zu", i + 1);
		CHECK_STR(eval(cases[i].lib, cases[i].text, "1"), cases[i].expected);
	}
	test("compile: jqrun_check reads the syntax of one text only");
	CHECK(jqrun_check("def f: 1; f | zork # c", "a/up.jq", &d) == 0 && d.n == 0);
	CHECK(jqrun_check("1; def g: 2", "a/up.jq", &d) == -1 && d.n == 1);
	CHECK_STR(d.list[0].where, "a/up.jq");
	diag_release(&d);
}

static void again(void)
{
	static const char *const inputs[] = { "1", "2", "3", "4", "5", "6", "7", "8" };
	static const char program[] =
		"if . == 1 then error(\"x\") elif . == 2 then empty elif . == 3 then (1, 2, 3) "
		"elif . == 4 then now elif . == 5 then infinite "
		"elif . == 6 then (label $f | range(9) | ., break $f) "
		"elif . == 7 then try error({a: 1}) catch .a else {a: .} end";
	static const char *const expected[] = {
		"!jq_error: x", "!not_one_output: the program gave no output",
		"!not_one_output: the program gave more than one output",
		"!!impure: the program calls now, which is not the same everywhere and always",
		"!inexact_number: the program made a number that is not finite", "0", "1", "{\"a\":8}",
	};
	struct diag d = DIAG_INIT;
	struct jqprog *p = jqrun_compile(NULL, program, "up.jq", &d);
	size_t i, k;

	test("again: every end leaves the program ready, in every order");
	for (i = 0; i < 64; i++) {
		for (k = 0; k < 2; k++) {
			size_t at = k ? i % 8 : i / 8;

			parse(inputs[at]);
			CHECK_STR(run(p), expected[at]);
		}
	}
	jqrun_free(p);

	test("again: a value inside a document, appended to what is there");
	p = jqrun_compile(NULL, ".b = .a", "up.jq", &d);
	parse("[0, {\"a\": " BIG "}]");
	buf_reset(&out);
	buf_addstr(&out, "x");
	CHECK(jqrun_value(p, &doc, 2, &out, &why) == JQ_OK);
	CHECK_STR(out.s, "x{\"a\":" BIG ",\"b\":" BIG "}");
	jqrun_free(p);

	test("again: what one document looked like does not change the next");
	p = jqrun_compile(NULL, "[keys, .]", "up.jq", &d);
	for (i = 0; i < 2000; i++) {
		size_t a = i % 700, b = a + 1000;
		char s[128], e[192];

		snprintf(s, sizeof s, "{\"k%04zu\":%zu,\"k%04zu\":[{\"k%04zu\":\"v\"}]}", a, i, b, i);
		snprintf(e, sizeof e, "[[\"k%04zu\",\"k%04zu\"],%s]", a, b, s);
		parse(s);
		CHECK_STR(run(p), e);
	}
	jqrun_free(p);
	CHECK(d.n == 0);
	diag_release(&d);
}

/* A program keeps the value of its last document and makes the next one of it. */
static void made_over(void)
{
	static const char *const inputs[] = {
		"{\"a\":1,\"b\":[\"x\",\"y\"],\"c\":{\"d\":null,\"e\":\"s\"}}",
		"{\"a\":2,\"b\":[\"x\",\"z\"],\"c\":{\"d\":true,\"e\":\"s\"}}",
		"{\"a\":2,\"b\":[\"x\",\"z\",{}],\"c\":{\"d\":[],\"e\":\"t\"}}",
		"{\"a\":" BIG ",\"b\":[],\"c\":{\"d\":" BIG ",\"f\":\"t\"}}",
		"{\"a\":\"1\",\"b\":{},\"c\":[[1],[2]]}", "{\"a\":\"1\",\"b\":{},\"c\":[[1],[\"2\"]]}",
		"{\"a\":\"\\u0001\",\"b\":{},\"c\":[[1],[\"2\"]]}", "{\"b\":1}", "{}", "[]", "[{\"a\":[]}]",
		"[{\"a\":[0]}]", "\"a\"", "{ \"b\": 2, \"a\": " BIG " }", "null",
	};
	/* The last keeps a part of its input in an error, where libjq may hold it on. */
	static const char *const programs[] = {
		".", "[.]", ". as $x | [$x, $x]", "[.. | scalars]", "try (.c.d = .a) catch .", "try del(.b, .c) catch .",
		"[.[]?] | reverse", "if type == \"array\" then error({mig_code: \"x\", mig_reason: tojson}) else . end",
	};
	struct diag d = DIAG_INIT;
	size_t n = sizeof inputs / sizeof *inputs, i, k;

	for (i = 0; i < sizeof programs / sizeof *programs; i++) {
		struct jqprog *kept = jqrun_compile(NULL, programs[i], "up.jq", &d);

		test("made over: %s", programs[i]);
		for (k = 0; k < n * n; k++) {
			struct jqprog *fresh = k < n ? jqrun_compile(NULL, programs[i], "up.jq", &d) : NULL;
			static char *expected[sizeof inputs / sizeof *inputs];

			if (fresh) {
				parse(inputs[k]);
				expected[k] = xstrdup(run(fresh));
				jqrun_free(fresh);
				continue;
			}
			parse(inputs[k / n]);
			CHECK_STR(run(kept), expected[k / n]);
			parse(inputs[k % n]);
			CHECK_STR(run(kept), expected[k % n]);
			if (k == n * n - 1)
				for (size_t e = 0; e < n; e++)
					free(expected[e]);
		}
		jqrun_free(kept);
	}
	CHECK(d.n == 0);
	diag_release(&d);
}

static void several(void)
{
	char first[] = ".a = one # as if alone", second[] = "def g: 2; [g, .a]", third[] = "error(\"3\")";
	char broken[] = "zork";
	char *texts[] = { first, second, third };
	struct jqprog *p[3];
	struct diag d = DIAG_INIT;

	test("several: programs compiled at once are as if alone");
	if (!CHECK(jqrun_compile_several("def one: 1;", texts, 3, "several", p, &d) == 0))
		return;
	for (int i = 0; i < 3; i++) {
		parse("{\"a\":" BIG "}");
		CHECK_STR(run(p[1]), "[2," BIG "]");
		CHECK_STR(run(p[2]), "!jq_error: 3");
		CHECK_STR(run(p[0]), "{\"a\":1}");
	}
	jqrun_free(p[1]);
	parse("{}");
	CHECK_STR(run(p[0]), "{\"a\":1}");
	jqrun_free(p[0]);
	CHECK_STR(run(p[2]), "!jq_error: 3");
	jqrun_free(p[2]);

	test("several: one that does not compile fails all");
	texts[1] = broken;
	CHECK(jqrun_compile_several(NULL, texts, 3, "several", p, &d) == -1 && d.n == 1);
	CHECK_STR(d.list[0].rule, "bad_jq");
	diag_release(&d);
}

/* ---- programs that end the process ---- */

static void died(int sig)
{
	char mark[] = "died 00";

	mark[5] = (char)('0' + sig / 10);
	mark[6] = (char)('0' + sig % 10);
	if (write(STDOUT_FILENO, mark, sizeof mark - 1) < 0)
		_exit(1);
	_exit(4);
}

/* Run the program in a child under guard; what died wrote, or "alive". */
static const char *doomed(const char *program)
{
	static char mark[32];
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(fd) || (pid = fork()) < 0)
		return "no child";
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);
		struct diag d = DIAG_INIT;
		struct jqprog *p = jqrun_compile(NULL, program, "up.jq", &d);

		dup2(fd[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		jqrun_guard(died, (size_t)64 << 20);
		jqrun_alarm(1);
		run(p);
		_exit(0);
	}
	close(fd[1]);
	n = read(fd[0], mark, sizeof mark - 1);
	mark[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != (n > 0 ? 4 : 0))
		snprintf(mark, sizeof mark, "status %x", (unsigned)status);
	return n > 0 ? mark : "alive";
}

static void crashes(void)
{
	static const struct {
		const char *program;
		int sig;
		bool memory; /* needs the data limit, which sanitizers cannot have */
	} cases[] = {
		{ "def f: f; f", SIGVTALRM, false },
		{ "last(range(infinite))", SIGVTALRM, false },
		{ "def f: f + 1; f", SIGABRT, true },
		{ "[range(1e9)] | length", SIGABRT, true },
		{ ".[500000000] = 1 | length", SIGABRT, true },
		{ "\"abc\" | indices(\"\")", SIGABRT, true },
		{ "1e300 | todate", SIGABRT, false },
		{ "[3] | .[2147483647] = 1 | length", SIGSEGV, false },
		{ "reduce range(1e6) as $i (0; [.]) | tojson | length", SIGSEGV, false },
		{ "reduce range(1e6) as $i (0; [.])", SIGSEGV, false },
	};
	char expected[32];
	size_t i;

	parse("[1]");
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
#ifdef MIG_SAN
		if (cases[i].memory)
			continue;
#endif
		test("crash: %s", cases[i].program);
		snprintf(expected, sizeof expected, "died %02d", cases[i].sig);
		CHECK_STR(doomed(cases[i].program), expected);
	}
	test("crash: a harmless program lives under the guard");
	CHECK_STR(doomed("[range(1e5)] | add"), "alive");
}

/* ---- tests/reject/jq ---- */

static int is_program(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, ".jq");
}

/* The text of dir/name with its last n characters replaced by ext. */
static char *slurp(const char *dir, const char *name, size_t n, const char *ext)
{
	static char text[4096];
	char path[512];
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/%.*s%s", dir, (int)(strlen(name) - n), name, ext);
	if ((f = fopen(path, "r"))) {
		len = fread(text, 1, sizeof text - 1, f);
		fclose(f);
	}
	text[len] = '\0';
	return text;
}

static void reject_folder(const char *dir)
{
	struct dirent **list;
	int i, n = scandir(dir, &list, is_program, alphasort);

	test("reject: %s holds programs", dir);
	CHECK(n > 0);
	for (i = 0; i < n; i++) {
		char *text, *expected;

		test("reject: %s", list[i]->d_name);
		text = xstrdup(slurp(dir, list[i]->d_name, 0, ""));
		expected = slurp(dir, list[i]->d_name, 3, ".expected");
		expected[strcspn(expected, "\n")] = '\0';
		CHECK_STR(eval(NULL, text, "{\"version\":\"1.0.0\",\"id\":" BIG ",\"items\":[1,\"x\"]}"),
		expected);
		free(text);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	clearenv();
	setenv("TZ", "UTC", 1);
	exactness();
	shapes();
	errors();
	purity();
	compile_errors();
	again();
	made_over();
	several();
	home();
	crashes();
	reject_folder(argc > 1 ? argv[1] : "tests/reject/jq");
	doc_release(&doc);
	buf_release(&json);
	buf_release(&out);
	buf_release(&shown);
	buf_release(&why.reason);
	return test_end();
}
