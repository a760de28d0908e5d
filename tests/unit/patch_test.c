/* patch_test.c -- differences, and their splicing into texts of every style. */
#include "canon.h"
#include "lcs.h"
#include "patch.h"
#include "pointer.h"

#include "test.h"

#include <stdlib.h>

/* ---- helpers ---- */

/* A text with its index; parsed again and again. */
struct parsed {
	struct buf text;
	struct doc doc;
};

#define PARSED_INIT { BUF_INIT, DOC_INIT }

static bool parse(struct parsed *p, const char *s, size_t n)
{
	buf_reset(&p->text);
	buf_add(&p->text, s, n);
	return doc_parse(&p->doc, p->text.s, p->text.len, RECORD_MAX_DEPTH) == 0;
}

/* The tables write ' for ": valid until four calls later. */
static const char *json(const char *s)
{
	static char room[4][4096];
	static unsigned turn;
	char *to = room[turn++ % 4];
	size_t n = strlen(s);

	for (size_t i = 0; i <= n && i < sizeof room[0]; i++)
		to[i] = s[i] == '\'' ? '"' : s[i];
	return to;
}

static bool parse_json(struct parsed *p, const char *s)
{
	return parse(p, json(s), strlen(s));
}

static bool parse_canonical(struct parsed *p, const char *s, size_t n)
{
	struct parsed in = PARSED_INIT;
	struct buf b = BUF_INIT;
	bool ok = parse(&in, s, n);

	if (ok) {
		canon_value(&b, &in.doc, 0, DOC_NONE);
		ok = parse(p, b.s, b.len) && p->doc.canonical;
	}
	buf_release(&b);
	buf_release(&in.text);
	doc_release(&in.doc);
	return ok;
}

static void parsed_release(struct parsed *p)
{
	doc_release(&p->doc);
	buf_release(&p->text);
}

static int splice_one(const struct parsed *src, const struct parsed *patch, struct buf *out, struct diag *d)
{
	struct patch_list l = { &patch->doc, 0 };

	return patch_splice(&src->doc, &l, 1, out, "a.json", d);
}

static int replay_one(const struct parsed *src, const struct parsed *patch, struct buf *out, struct diag *d)
{
	struct patch_list l = { &patch->doc, 0 };

	return patch_replay(&src->doc, &l, 1, out, "a.json", d);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

static bool starts(const struct buf *b, const char *with)
{
	return strncmp(b->s, with, strlen(with)) == 0;
}

/* ---- differences: before, after, patch ---- */

static const struct {
	const char *before, *after, *patch;
} diffs[] = {
	{ "{'a':1}", "{'a':1}", "[]" },
	{ "{'a':1}", "{'a':1,'b':2}", "[{'op':'add','path':'/b','value':2}]" },
	{ "{'a':1,'b':2}", "{'a':1}", "[{'op':'remove','path':'/b'}]" },
	{ "{'a':1}", "{'a':2}", "[{'op':'replace','path':'/a','value':2}]" },
	{ "1", "'x'", "[{'op':'replace','path':'','value':'x'}]" },
	{ "[]", "{}", "[{'op':'replace','path':'','value':{}}]" },
	{ "{'a':{'b':1}}", "{'a':{'b':1,'c/d~e':2}}", "[{'op':'add','path':'/a/c~1d~0e','value':2}]" },
	{ "{'':1,'q\\'':1}", "{'':2,'q\\'':3}",
	  "[{'op':'replace','path':'/','value':2},{'op':'replace','path':'/q\\'','value':3}]" },

	/* a renamed member moves, however small; the first of several equal ones goes with the first */
	{ "{'a':1}", "{'b':1}", "[{'from':'/a','op':'move','path':'/b'}]" },
	{ "{'a':true,'b':true}", "{'c':true,'d':true}",
	  "[{'from':'/a','op':'move','path':'/c'},{'from':'/b','op':'move','path':'/d'}]" },
	/* between objects: the same name, or a value that can be recognised */
	{ "{'a':{'k':1},'b':{}}", "{'a':{},'b':{'k':1}}", "[{'from':'/a/k','op':'move','path':'/b/k'}]" },
	{ "{'a':{'k':1},'b':{}}", "{'a':{},'b':{'m':1}}",
	  "[{'op':'remove','path':'/a/k'},{'op':'add','path':'/b/m','value':1}]" },
	{ "{'a':{'k':'long'},'b':{}}", "{'a':{},'b':{'m':'long'}}",
	  "[{'from':'/a/k','op':'move','path':'/b/m'}]" },
	/* the same object comes before the same name */
	{ "{'a':{'k':1,'l':1},'b':{}}", "{'a':{'z':1},'b':{'k':1}}",
	  "[{'op':'remove','path':'/a/l'},{'from':'/a/k','op':'move','path':'/a/z'},"
	  "{'op':'add','path':'/b/k','value':1}]" },
	/* into an object that is new, out of one that goes */
	{ "{'name':'x'}", "{'meta':{'name':'x','v':1}}",
	  "[{'op':'add','path':'/meta','value':{'v':1}},{'from':'/name','op':'move','path':'/meta/name'}]" },
	{ "{'meta':{'name':'x','v':1}}", "{'name':'x'}",
	  "[{'from':'/meta/name','op':'move','path':'/name'},{'op':'remove','path':'/meta'}]" },
	{ "{'old':{'in':{'k':'value'},'x':1}}", "{'new':{'deep':{'in':{'k':'value'}},'y':2}}",
	  "[{'op':'add','path':'/new','value':{'deep':{},'y':2}},"
	  "{'from':'/old/in','op':'move','path':'/new/deep/in'},{'op':'remove','path':'/old'}]" },
	/* the whole before its parts */
	{ "{'b':{'k':1,'m':2}}", "{'x':{'c':{'k':1,'m':2}}}",
	  "[{'op':'add','path':'/x','value':{}},{'from':'/b','op':'move','path':'/x/c'}]" },

	/* arrays */
	{ "[{'a':1},{'a':2}]", "[{'a':1},{'a':3}]", "[{'op':'replace','path':'/1/a','value':3}]" },
	{ "[1,2,3]", "[1,3]", "[{'op':'remove','path':'/1'}]" },
	{ "[1,3]", "[1,2,3]", "[{'op':'add','path':'/1','value':2}]" },
	{ "[]", "[1,2]", "[{'op':'add','path':'/0','value':1},{'op':'add','path':'/1','value':2}]" },
	{ "[1,2]", "[]", "[{'op':'remove','path':'/1'},{'op':'remove','path':'/0'}]" },
	{ "[1,2,3,4,5]", "[0,2,4,5,6]",
	  "[{'op':'replace','path':'/0','value':0},{'op':'add','path':'/5','value':6},"
	  "{'op':'remove','path':'/2'}]" },
	{ "[[1,2],[3]]", "[[1],[3,4],5]",
	  "[{'op':'remove','path':'/0/1'},{'op':'add','path':'/1/1','value':4},"
	  "{'op':'add','path':'/2','value':5}]" },
	/* a move between elements comes before the array's own changes */
	{ "[1,{'k':'value'},{}]", "[{},{'k':'value','l':1}]", NULL },
};

static void check_diff(struct parsed *before, struct parsed *after, const char *expected)
{
	struct parsed patch = PARSED_INIT, undo = PARSED_INIT;
	struct buf p = BUF_INIT, u = BUF_INIT, out = BUF_INIT;
	struct diag d = DIAG_INIT;
	struct patch_facts facts;

	patch_diff(&before->doc, &after->doc, &p, &u);
	if (expected)
		CHECK_STR(p.s, expected);
	if (CHECK(parse(&patch, p.s, p.len) && patch.doc.canonical) && CHECK(parse(&undo, u.s, u.len) && undo.doc.canonical)) {
		CHECK(patch_facts(&patch.doc, 0, &facts, "p", &d) == 0);
		CHECK(facts.nadd + facts.nremove + facts.nreplace + facts.nmove == patch.doc.tok[0].n);
		CHECK(patch_is_diff(&patch.doc, 0) && patch_is_diff(&undo.doc, 0));
		CHECK(replay_one(before, &patch, &out, &d) == 0 && same(&out, &after->text));
		buf_reset(&out);
		CHECK(replay_one(after, &undo, &out, &d) == 0 && same(&out, &before->text));
	}
	for (size_t i = 0; i < d.n; i++)
		printf("# %s\n#   %s\n#   %s\n", d.list[i].message, before->text.s, p.s);
	if (test_bad && !expected)
		printf("#   before %s\n#   after  %s\n#   patch  %s\n#   undo   %s\n#   out    %s\n", before->text.s,
		       after->text.s, p.s, u.s, out.s ? out.s : "");
	diag_release(&d);
	buf_release(&p);
	buf_release(&u);
	buf_release(&out);
	parsed_release(&patch);
	parsed_release(&undo);
}

static void differences(void)
{
	struct parsed before = PARSED_INIT, after = PARSED_INIT;

	for (size_t i = 0; i < sizeof diffs / sizeof *diffs; i++) {
		test("the difference of %s and %s", diffs[i].before, diffs[i].after);
		CHECK(parse_json(&before, diffs[i].before) && before.doc.canonical);
		CHECK(parse_json(&after, diffs[i].after) && after.doc.canonical);
		check_diff(&before, &after, diffs[i].patch ? json(diffs[i].patch) : NULL);
		check_diff(&after, &before, NULL);
	}
	parsed_release(&before);
	parsed_release(&after);
}

/* ---- splicing: what the text looks like afterwards ---- */

struct style_case {
	const char *name, *source, *patch, *expected;
};

static const struct style_case styles[] = {
	{ "nothing to do keeps every byte", " \r\n{ 'b' :1,\t'a':[ ] } \n", "[]",
	  " \r\n{ 'b' :1,\t'a':[ ] } \n" },

	/* members: where they go and what stands around them */
	{ "a compact object stays compact", "{'a':1,'c':3}",
	  "[{'op':'add','path':'/b','value':{'y':1,'x':[1,2]}}]", "{'a':1,'b':{'x':[1,2],'y':1},'c':3}" },
	{ "an unsorted object gets it at the end", "{'c':1,'a':3}", "[{'op':'add','path':'/b','value':2}]",
	  "{'c':1,'a':3,'b':2}" },
	{ "sorted is by UTF-16: U+10000 comes before U+FFFF", "{'\\uffff':1}",
	  "[{'op':'add','path':'/\\ud800\\udc00','value':2}]", "{'\xF0\x90\x80\x80':2,'\\uffff':1}" },
	{ "a space after colon and comma", "{'a': 1, 'c': 3}",
	  "[{'op':'add','path':'/b','value':{'x':[1,2]}}]", "{'a': 1, 'b': {'x': [1, 2]}, 'c': 3}" },
	{ "the only member's colon tells about commas", "{'a': 1}", "[{'op':'add','path':'/b','value':2}]",
	  "{'a': 1, 'b': 2}" },
	{ "in front of the first", "{'b': 1, 'c': 2}", "[{'op':'add','path':'/a','value':0}]",
	  "{'a': 0, 'b': 1, 'c': 2}" },
	{ "inner spaces", "{ 'b' : 1 }",
	  "[{'op':'add','path':'/a','value':0},{'op':'add','path':'/c','value':2}]",
	  "{ 'a' : 0, 'b' : 1, 'c' : 2 }" },
	{ "a line for each member", "{\n  'a': 1,\n  'c': 3\n}\n",
	  "[{'op':'add','path':'/b','value':{'x':[1,{}],'y':[]}}]",
	  "{\n  'a': 1,\n  'b': {\n    'x': [\n      1,\n      {}\n    ],\n    'y': []\n  },\n  'c': 3\n}\n" },
	{ "tabs", "{\n\t'a': {\n\t\t'x': 1\n\t}\n}", "[{'op':'add','path':'/a/y','value':[1]}]",
	  "{\n\t'a': {\n\t\t'x': 1,\n\t\t'y': [\n\t\t\t1\n\t\t]\n\t}\n}" },
	{ "CRLF", "{\r\n    'a':1\r\n}\r\n", "[{'op':'add','path':'/b','value':[1,2]}]",
	  "{\r\n    'a':1,\r\n    'b':[\r\n        1,\r\n        2\r\n    ]\r\n}\r\n" },
	{ "no indentation at all", "{\n'a':1\n}", "[{'op':'add','path':'/b','value':2}]",
	  "{\n'a':1,\n'b':2\n}" },
	{ "blank lines are not copied", "{\n  'a': 1,\n\n  'b': 2\n}", "[{'op':'add','path':'/c','value':3}]",
	  "{\n  'a': 1,\n\n  'b': 2,\n  'c': 3\n}" },
	{ "commas at the beginning of lines", "{ 'a':1\n, 'b':2\n}", "[{'op':'add','path':'/c','value':3}]",
	  "{ 'a':1\n, 'b':2\n, 'c':3\n}" },
	{ "commas at the beginning of lines, in the middle", "{ 'a':1\n, 'c':2\n}",
	  "[{'op':'add','path':'/b','value':3}]", "{ 'a':1\n, 'b':3\n, 'c':2\n}" },
	{ "names are written with JCS's escapes", "{}", "[{'op':'add','path':'/\\u000a\\u00e9~1','value':1}]",
	  "{'\\n\xC3\xA9/':1}" },
	{ "names are characters", "{'\\u0061': 1}", "[{'op':'replace','path':'/a','value':2}]",
	  "{'\\u0061': 2}" },
	{ "a number keeps its spelling where nobody asked", "{'a':1.0, 'b':1e2}",
	  "[{'op':'replace','path':'/a','value':1}]", "{'a':1, 'b':1e2}" },
	{ "a member taken out and put in again keeps its place", "{'b': 1, 'a': 2}",
	  "[{'op':'remove','path':'/b'},{'op':'add','path':'/b','value':3}]", "{'b': 3, 'a': 2}" },

	/* removing */
	{ "the first", "{'a': 1, 'b': 2}", "[{'op':'remove','path':'/a'}]", "{'b': 2}" },
	{ "the last", "{'a': 1, 'b': 2}", "[{'op':'remove','path':'/b'}]", "{'a': 1}" },
	{ "the only one", "{ 'a': 1 }", "[{'op':'remove','path':'/a'}]", "{}" },
	{ "with its line", "{\n  'a': 1,\n  'b': 2,\n  'c': 3\n}", "[{'op':'remove','path':'/b'}]",
	  "{\n  'a': 1,\n  'c': 3\n}" },
	{ "the last line", "{\n  'a': 1,\n  'b': 2\n}", "[{'op':'remove','path':'/b'}]", "{\n  'a': 1\n}" },
	{ "all of them, then others", "{\n  'a': 1\n}",
	  "[{'op':'remove','path':'/a'},{'op':'add','path':'/b','value':2}]", "{\n  'b': 2\n}" },

	/* arrays */
	{ "one line stays one line", "{\n  'a': [1, 2]\n}", "[{'op':'add','path':'/a/-','value':3}]",
	  "{\n  'a': [1, 2, 3]\n}" },
	{ "one element and a line", "{\n  'a': [1]\n}", "[{'op':'add','path':'/a/1','value':3}]",
	  "{\n  'a': [1, 3]\n}" },
	{ "in the middle", "[ 1, 3 ]", "[{'op':'add','path':'/1','value':2}]", "[ 1, 2, 3 ]" },
	{ "at the front", "[\n  2\n]", "[{'op':'add','path':'/0','value':1}]", "[\n  1,\n  2\n]" },
	{ "wrapped lines", "[1, 2, 3,\n 4, 5]",
	  "[{'op':'add','path':'/5','value':6},{'op':'remove','path':'/1'}]", "[1, 3,\n 4, 5, 6]" },
	{ "objects between brackets, at the front", "[{\r\n\t'x': 1\r\n}, 1]",
	  "[{'op':'add','path':'/0','value':{'x':[]}}]", "[{\r\n\t'x': []\r\n}, {\r\n\t'x': 1\r\n}, 1]" },
	{ "objects between brackets", "{\n  'a': [{\n    'x': 1\n  }]\n}",
	  "[{'op':'add','path':'/a/1','value':{'x':2}}]",
	  "{\n  'a': [{\n    'x': 1\n  }, {\n    'x': 2\n  }]\n}" },

	/* empty containers */
	{ "an empty root is compact", "{}\n", "[{'op':'add','path':'/a','value':[1,{'b':2}]}]",
	  "{'a':[1,{'b':2}]}\n" },
	{ "an empty root of two lines is not", "{\n}\n", "[{'op':'add','path':'/a','value':[1]}]",
	  "{\n  'a': [\n    1\n  ]\n}\n" },
	{ "an empty array of a pretty document opens", "{\n   'a': [],\n   'b': {}\n}",
	  "[{'op':'add','path':'/a/0','value':1},{'op':'add','path':'/b/x','value':{'y':1}}]",
	  "{\n   'a': [\n      1\n   ],\n   'b': {\n      'x': {\n         'y': 1\n      }\n   }\n}" },
	{ "an empty one inside a line does not", "{'a': [], 'b': 1}",
	  "[{'op':'add','path':'/a/0','value':1},{'op':'add','path':'/a/1','value':2}]",
	  "{'a': [1, 2], 'b': 1}" },
	{ "put in, then filled", "{\n  'a': 1\n}",
	  "[{'op':'add','path':'/m','value':{}},{'from':'/a','op':'move','path':'/m/a'},"
	  "{'op':'add','path':'/m/0','value':true}]", "{\n  'm': {\n    '0': true,\n    'a': 1\n  }\n}" },

	/* moves */
	{ "a moved value keeps its spelling", "{\n  'old': [1.50,  '\\u0061'],\n  'x': {}\n}",
	  "[{'from':'/old','op':'move','path':'/new'}]", "{\n  'new': [1.50,  '\\u0061'],\n  'x': {}\n}" },
	{ "a new name keeps the place among unsorted members", "{\n  'z' : 1,\n  'a': {}\n}",
	  "[{'from':'/z','op':'move','path':'/k'},{'op':'add','path':'/z','value':2}]",
	  "{\n  'k' : 1,\n  'a': {},\n  'z' : 2\n}" },
	{ "a new name and back", "{'z': 1, 'a': {}}",
	  "[{'from':'/z','op':'move','path':'/k'},{'from':'/k','op':'move','path':'/z'}]", "{'z': 1, 'a': {}}" },
	{ "a move with changes before and after", "{'a': {'x': 1, 'y': 2}, 'b': []}",
	  "[{'op':'remove','path':'/a/x'},{'from':'/a','op':'move','path':'/b/0'},"
	  "{'op':'add','path':'/b/0/z','value':3}]", "{'b': [{'y': 2, 'z': 3}]}" },
	{ "a copy is independent", "{'a': {'x': [1, 2]}}",
	  "[{'op':'add','path':'/a/x/-','value':3},{'from':'/a','op':'copy','path':'/b'},"
	  "{'op':'remove','path':'/a/x/0'}]", "{'a': {'x': [2, 3]}, 'b': {'x': [1, 2, 3]}}" },
	{ "onto a member that exists", "{'a': 1, 'b': 2}", "[{'from':'/a','op':'move','path':'/b'}]",
	  "{'b': 1}" },
	{ "onto itself", "{'a': 1}", "[{'from':'/a','op':'move','path':'/a'}]", "{'a': 1}" },

	/* the root */
	{ "a new root", "{\n  'a': 1\n}\n", "[{'op':'replace','path':'','value':{'b':[]}}]",
	  "{\n  'b': []\n}\n" },
	{ "a scalar root", " 1 ", "[{'op':'replace','path':'','value':'x'}]", " 'x' " },
	{ "a part becomes the whole", "{'a': [1,  2]}", "[{'from':'/a','op':'move','path':''}]", "[1,  2]" },

	/* RFC 6902 appendix A */
	{ "A.1 adding a member", "{ 'foo': 'bar'}", "[{ 'op': 'add', 'path': '/baz', 'value': 'qux' }]",
	  "{ 'baz': 'qux', 'foo': 'bar'}" },
	{ "A.2 adding an element", "{ 'foo': [ 'bar', 'baz' ] }",
	  "[{ 'op': 'add', 'path': '/foo/1', 'value': 'qux' }]", "{ 'foo': [ 'bar', 'qux', 'baz' ] }" },
	{ "A.3 removing a member", "{'baz': 'qux','foo': 'bar'}", "[{ 'op': 'remove', 'path': '/baz' }]",
	  "{'foo': 'bar'}" },
	{ "A.4 removing an element", "{ 'foo': [ 'bar', 'qux', 'baz' ] }",
	  "[{ 'op': 'remove', 'path': '/foo/1' }]", "{ 'foo': [ 'bar', 'baz' ] }" },
	{ "A.5 replacing a value", "{'baz': 'qux','foo': 'bar'}",
	  "[{ 'op': 'replace', 'path': '/baz', 'value': 'boo' }]", "{'baz': 'boo','foo': 'bar'}" },
	{ "A.6 moving a value", "{'foo': {'bar': 'baz','waldo': 'fred'},'qux': {'corge': 'grault'}}",
	  "[{ 'op': 'move', 'from': '/foo/waldo', 'path': '/qux/thud' }]",
	  "{'foo': {'bar': 'baz'},'qux': {'corge': 'grault', 'thud': 'fred'}}" },
	{ "A.7 moving an element", "{ 'foo': [ 'all', 'grass', 'cows', 'eat' ] }",
	  "[{ 'op': 'move', 'from': '/foo/1', 'path': '/foo/3' }]",
	  "{ 'foo': [ 'all', 'cows', 'eat', 'grass' ] }" },
	{ "A.8 a test that holds", "{'baz': 'qux','foo': [ 'a', 2, 'c' ]}",
	  "[{ 'op': 'test', 'path': '/baz', 'value': 'qux' },"
	  "{ 'op': 'test', 'path': '/foo/1', 'value': 2 }]", "{'baz': 'qux','foo': [ 'a', 2, 'c' ]}" },
	{ "A.10 adding a nested object", "{ 'foo': 'bar' }",
	  "[{ 'op': 'add', 'path': '/child', 'value': { 'grandchild': { } } }]",
	  "{ 'child': {'grandchild': {}}, 'foo': 'bar' }" },
	{ "A.14 tilde and slash", "{'/': 9,'~1': 10}", "[{'op': 'test', 'path': '/~01', 'value': 10}]",
	  "{'/': 9,'~1': 10}" },
	{ "A.16 adding an array", "{ 'foo': ['bar'] }",
	  "[{ 'op': 'add', 'path': '/foo/-', 'value': ['abc', 'def'] }]",
	  "{ 'foo': ['bar', ['abc', 'def']] }" },
	{ "a test of a changed value, by content", "{'a': {'y': 1.0, 'x': 2}}",
	  "[{'op':'add','path':'/a/z','value':[]},{'op':'test','path':'/a','value':{'x':2,'y':1,'z':[]}}]",
	  "{'a': {'y': 1.0, 'x': 2, 'z': []}}" },
	{ "a patch of any spelling", "{'a':1}",
	  " [ {'\\u006fp' : 'add','value': {'z':1.0,'y':'\\u0062'},'path':'\\/b'} ] ",
	  "{'a':1,'b':{'y':'b','z':1}}" },
};

static void style(void)
{
	struct parsed src = PARSED_INIT, patch = PARSED_INIT;
	struct buf out = BUF_INIT;
	struct diag d = DIAG_INIT;

	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
		const struct style_case *c = &styles[i];

		test("splice: %s", c->name);
		buf_reset(&out);
		if (!CHECK(parse_json(&src, c->source) && parse_json(&patch, c->patch)))
			continue;
		CHECK(splice_one(&src, &patch, &out, &d) == 0);
		CHECK_STR(out.s, json(c->expected));
	}
	test("splice: nothing to complain about");
	if (!CHECK(d.n == 0))
		printf("# %s\n", d.list[0].message);
	diag_release(&d);
	buf_release(&out);
	parsed_release(&src);
	parsed_release(&patch);
}

/* ---- refusals: source, patch, what is said ---- */

static const struct {
	const char *source, *patch, *message;
} refusals[] = {
	{ "{}", "{}", "a patch must be an array of operations" },
	{ "{}", "[1]", "operation 1: it is not an object" },
	{ "{}", "[{'op':'add'}]", "operation 1: 'op' or 'path' is missing" },
	{ "{}", "[{'op':'add','path':'/a'}]", "operation 1: 'value' is missing" },
	{ "{}", "[{'op':'remove','path':'/a','value':1}]", "operation 1: 'value' does not belong to it" },
	{ "{}", "[{'op':'move','path':'/a'}]", "operation 1: 'from' is missing" },
	{ "{}", "[{'op':'add','path':'/a','from':'/b','value':1}]",
	  "operation 1: 'from' does not belong to it" },
	{ "{}", "[{'op':'add','path':'/a','value':1,'x':1}]",
	  "operation 1: it has a member other than op, path, from and value" },
	{ "{}", "[{'op':'put','path':'/a'}]",
	  "operation 1: 'op' is not add, remove, replace, move, copy or test" },
	{ "{}", "[{'op':1,'path':'/a'}]",
	  "operation 1: 'op' is not add, remove, replace, move, copy or test" },
	{ "{}", "[{'op':'remove','path':1}]", "operation 1: 'path' and 'from' must be strings" },
	{ "{}", "[{'op':'remove','path':'a'}]", "operation 1: a path is not a JSON pointer" },
	{ "{}", "[{'op':'remove','path':'/~2'}]", "operation 1: a path is not a JSON pointer" },
	{ "{'a':1}", "[{'op':'add','path':'/b','value':1},{'op':'remove','path':'/c'}]",
	  "operation 2, remove /c: there is no such member" },
	{ "{'a':1}", "[{'op':'remove','path':'/a'},{'op':'remove','path':'/a'}]",
	  "operation 2, remove /a: there is no such member" },
	{ "{'a':1}", "[{'op':'replace','path':'/b','value':1}]",
	  "operation 1, replace /b: there is no such member" },
	{ "{'a':1}", "[{'op':'add','path':'/b/c','value':1}]",
	  "operation 1, add /b/c: there is no such member" },
	{ "{'a':1}", "[{'op':'add','path':'/a/c','value':1}]",
	  "operation 1, add /a/c: the path leads through a value that is no object or array" },
	{ "{'a':1}", "[{'op':'remove','path':'/a/b/c'}]",
	  "operation 1, remove /a/b/c: the path leads through a value that is no object or array" },
	{ "{}", "[{'op':'remove','path':'/\\n\\''}]",
	  "operation 1, remove /\\n\\': there is no such member" },
	{ "1", "[{'op':'add','path':'/a','value':1}]",
	  "operation 1, add /a: the path leads through a value that is no object or array" },
	{ "[1]", "[{'op':'add','path':'/2','value':1}]",
	  "operation 1, add /2: the index is past the end of the array" },
	{ "[1]", "[{'op':'remove','path':'/1'}]",
	  "operation 1, remove /1: the index is past the end of the array" },
	{ "[1]", "[{'op':'remove','path':'/-'}]",
	  "operation 1, remove /-: an array has no element of that name" },
	{ "[1,2]", "[{'op':'remove','path':'/01'}]",
	  "operation 1, remove /01: an array has no element of that name" },
	{ "[1]", "[{'op':'add','path':'/99999999999999999999999','value':1}]",
	  "operation 1, add /99999999999999999999999: an array has no element of that name" },
	{ "{'a':{}}", "[{'op':'move','from':'/a','path':'/a/b'}]",
	  "operation 1, move /a to /a/b: a value cannot move into itself" },
	{ "{'a':{}}", "[{'op':'move','from':'','path':'/a'}]",
	  "operation 1, move the root to /a: a value cannot move into itself" },
	{ "{'a':{}}", "[{'op':'move','from':'/b','path':'/b'}]",
	  "operation 1, move /b to /b: there is no such member" },
	{ "{}", "[{'op':'remove','path':''}]",
	  "operation 1, remove the root: the whole document cannot be taken away" },
	{ "{'baz':'qux'}", "[{'op':'test','path':'/baz','value':'bar'}]",
	  "operation 1, test /baz: the value is another one" },
	{ "{'~1':10}", "[{'op':'test','path':'/~01','value':'10'}]",
	  "operation 1, test /~01: the value is another one" },
};

static void errors(void)
{
	struct parsed src = PARSED_INIT, patch = PARSED_INIT;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct diag d = DIAG_INIT;
		struct patch_facts f;

		test("refused: %s", refusals[i].patch);
		buf_reset(&out);
		buf_addstr(&out, "before");
		if (!CHECK(parse_json(&src, refusals[i].source) && parse_json(&patch, refusals[i].patch)))
			continue;
		CHECK(splice_one(&src, &patch, &out, &d) < 0);
		CHECK_STR(out.s, "before");
		if (CHECK(d.n == 1)) {
			CHECK(d.list[0].exit == MIG_INVALID);
			CHECK_STR(d.list[0].rule, "patch_failed");
			CHECK_STR(d.list[0].where, "a.json");
			CHECK_STR(d.list[0].message, json(refusals[i].message));
		}
		/* the shape alone is what patch_facts looks at */
		const char *m = refusals[i].message;
		bool shape = !strchr(m, ',') || strstr(m, ": it has") || strstr(m, "is not add");
		CHECK((patch_facts(&patch.doc, 0, &f, "a.json", &d) < 0) == shape);
		CHECK(d.n == 1 + (size_t)shape && (!shape || d.list[1].exit == MIG_USAGE));
		diag_release(&d);
	}
	buf_release(&out);
	parsed_release(&src);
	parsed_release(&patch);
}

/* ---- what is a patch by RFC 6902, but no difference: source, patch, message of a replay ---- */

static const char *const unseen[][3] = {
	{ "{'a':1}", "[{'op':'add','path':'/a','value':2}]",
	  "operation 1, add /a: there is such a member already: it would be replaced unseen" },
	{ "{'a':{'b':1}}", "[{'op':'add','path':'/c','value':1},{'op':'add','path':'/a/b','value':{}}]",
	  "operation 2, add /a/b: there is such a member already: it would be replaced unseen" },
	{ "{'a':1,'b':2}", "[{'from':'/a','op':'move','path':'/b'}]",
	  "operation 1, move /a to /b: there is such a member already: it would be replaced unseen" },
	{ "{'b':2,'a':1}", "[{'from':'/a','op':'move','path':'/b'}]",
	  "operation 1, move /a to /b: there is such a member already: it would be replaced unseen" },
	{ "{'a':{'b':1,'c':2}}", "[{'from':'/a/b','op':'move','path':'/a'}]",
	  "operation 1, move /a/b to /a: there is such a member already: it would be replaced unseen" },
	{ "{'a':1}", "[{'op':'add','path':'','value':[]}]",
	  "operation 1, add the root: the whole document would be replaced" },
	{ "{'a':1}", "[{'from':'/a','op':'move','path':''}]",
	  "operation 1, move /a to the root: the whole document would be replaced" },
	{ "{'a':1}", "[{'op':'replace','path':'','value':{}}]",
	  "operation 1, replace the root: an object would be replaced as a whole, not member by member" },
	{ "[{'a':1}]", "[{'op':'replace','path':'/0','value':{'a':2}}]",
	  "operation 1, replace /0: an object would be replaced as a whole, not member by member" },
	{ "{'a':1}", "[{'from':'/a','op':'copy','path':'/b'}]",
	  "operation 1, copy /a to /b: it is not of the kinds that a difference is made of" },
	{ "{'a':1}", "[{'op':'test','path':'/a','value':1}]",
	  "operation 1, test /a: it is not of the kinds that a difference is made of" },
};

static void replays(void)
{
	struct parsed src = PARSED_INIT, patch = PARSED_INIT;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++) {
		struct diag d = DIAG_INIT;

		test("no replay: %s", unseen[i][1]);
		buf_reset(&out);
		if (!CHECK(parse_json(&src, unseen[i][0]) && parse_json(&patch, unseen[i][1])))
			continue;
		CHECK(splice_one(&src, &patch, &out, &d) == 0 && d.n == 0);
		buf_reset(&out);
		if (CHECK(replay_one(&src, &patch, &out, &d) < 0 && out.len == 0 && d.n == 1)) {
			CHECK(d.list[0].exit == MIG_INVALID);
			CHECK_STR(d.list[0].message, json(unseen[i][2]));
		}
		CHECK(patch_is_diff(&patch.doc, 0) == !(strstr(unseen[i][1], "copy") || strstr(unseen[i][1], "test")));
		diag_release(&d);
	}
	test("a member that was taken away may be added again, and what is no operation is no difference");
	struct diag d = DIAG_INIT;

	buf_reset(&out);
	CHECK(parse_json(&src, "{'a':1}"));
	CHECK(parse_json(&patch, "[{'op':'remove','path':'/a'},{'op':'add','path':'/a','value':2}]"));
	CHECK(replay_one(&src, &patch, &out, &d) == 0);
	CHECK(parse_json(&patch, "[1]") && !patch_is_diff(&patch.doc, 0));
	CHECK(parse_json(&patch, "[{'path':'/a'}]") && !patch_is_diff(&patch.doc, 0));
	CHECK(parse_json(&patch, "[]") && patch_is_diff(&patch.doc, 0));
	diag_release(&d);
	buf_release(&out);
	parsed_release(&src);
	parsed_release(&patch);
}

static void facts(void)
{
	struct parsed p = PARSED_INIT;
	struct patch_facts f;
	struct diag d = DIAG_INIT;

	test("facts: each kind is counted, a copy adds");
	CHECK(parse_json(&p, "[{'op':'add','path':'/a','value':1},{'op':'remove','path':'/b'},"
	                     "{'op':'replace','path':'/c','value':1},{'from':'/d','op':'move','path':'/e'},"
	                     "{'from':'/d','op':'copy','path':'/e'},{'op':'test','path':'','value':1}]"));
	CHECK(patch_facts(&p.doc, 0, &f, "p", &d) == 0 && d.n == 0);
	CHECK(f.nadd == 2 && f.nremove == 1 && f.nreplace == 1 && f.nmove == 1);
	diag_release(&d);
	parsed_release(&p);
}

static void several_lists(void)
{
	struct parsed src = PARSED_INIT, one = PARSED_INIT, two = PARSED_INIT;
	struct buf out = BUF_INIT;
	struct diag d = DIAG_INIT;

	test("splice: the second list goes on where the first ended");
	CHECK(parse_json(&src, "{\n 'b': 1\n}"));
	CHECK(parse_json(&one, "[{'op':'add','path':'/a','value':[]}]"));
	CHECK(parse_json(&two, "[{'op':'add','path':'/a/-','value':1}]"));
	struct patch_list lists[] = { { &one.doc, 0 }, { &two.doc, 0 } };
	CHECK(patch_splice(&src.doc, lists, 2, &out, "p", &d) == 0 && d.n == 0);
	CHECK_STR(out.s, json("{\n 'a': [\n  1\n ],\n 'b': 1\n}"));

	test("splice: no list keeps every byte");
	buf_reset(&out);
	CHECK(patch_splice(&src.doc, NULL, 0, &out, "p", &d) == 0 && same(&out, &src.text));

	test("splice: operations are counted through all lists");
	buf_reset(&out);
	CHECK(patch_splice(&src.doc, (struct patch_list[]){ lists[0], lists[1], lists[1], { &src.doc, 0 } }, 4, &out, "p",
	                   &d) < 0 && out.len == 0);
	CHECK(parse_json(&two, "[{'op':'remove','path':'/x'}]"));
	CHECK(patch_splice(&src.doc, lists, 2, &out, "p", &d) < 0);
	if (CHECK(d.n == 2))
		CHECK_STR(d.list[1].message, "operation 2, remove /x: there is no such member");
	diag_release(&d);
	buf_release(&out);
	parsed_release(&src);
	parsed_release(&one);
	parsed_release(&two);
}

/* ---- random documents ---- */

static uint64_t seed = 20240229;

static uint32_t any(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

static const char *const some_names[] = {
	"a", "b", "c", "id", "", "~", "/", "a/b", "m~n", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF", "\\n", "q\\\"", "\\\\", "0", "1", "-", "long name",
};

static const char *const some_values[] = {
	"0", "1", "true", "null", "\"\"", "\"x\"", "\"abcdef\"", "1.5", "9007199254740993", "\"\\n\"", "\"~/\"", "{}", "[]", "\"longer text here\"",
};

static void random_value(struct buf *out, unsigned depth)
{
	uint32_t kind = depth == 0 ? 0 : any(4), n = any(5), first = any(100);

	if (kind < 2) {
		buf_addstr(out, some_values[any(sizeof some_values / sizeof *some_values)]);
	} else if (kind == 2) {
		buf_addch(out, '[');
		for (uint32_t i = 0; i < n; i++) {
			if (i > 0)
				buf_addch(out, ',');
			random_value(out, depth - 1);
		}
		buf_addch(out, ']');
	} else {
		buf_addch(out, '{');
		for (uint32_t i = 0; i < n; i++) {
			/* steps of 3 in a list of 19: no name twice */
			buf_addf(out, "%s\"%s\":", i > 0 ? "," : "", some_names[(first + 3 * i) % 19]);
			random_value(out, depth - 1);
		}
		buf_addch(out, '}');
	}
}

/* Write value t with random changes; what was dropped may turn up again elsewhere. */
static void mutate(struct buf *out, const struct doc *d, uint32_t t, struct buf *dropped, unsigned rate)
{
	bool object = d->tok[t].type == DOC_OBJECT, first = true;
	size_t n;

	if (any(rate * 4) == 0 || d->tok[t].type < DOC_ARRAY) {
		if (any(rate) > 0)
			buf_add(out, doc_span(d, t, &n), d->tok[t].len);
		else if (dropped->len > 0 && any(2))
			buf_add(out, dropped->s, dropped->len);
		else
			random_value(out, 2);
		return;
	}
	buf_addch(out, object ? '{' : '[');
	for (uint32_t v = t + 1 + object; v < d->tok[t].next; v = d->tok[v].next + object) {
		bool more = any(rate) == 0;

		if (any(rate) == 0) {
			buf_reset(dropped);
			buf_add(dropped, doc_span(d, v, &n), d->tok[v].len);
			if (!more)
				continue;
		}
		for (int i = 0; i <= more; i++) {
			if (!first)
				buf_addch(out, ',');
			first = false;
			if (object && i == 0 && any(rate) > 0)
				buf_addf(out, "%.*s:", (int)d->tok[v - 1].len, doc_span(d, v - 1, &n));
			else if (object)
				buf_addf(out, "\"%s\":", some_names[any(19)]);
			if (i == 1 && dropped->len > 0)
				buf_add(out, dropped->s, dropped->len);
			else
				mutate(out, d, v, dropped, rate);
		}
	}
	buf_addch(out, object ? '}' : ']');
}

/* How format writes a document. */
struct look {
	const char *nl, *unit, *colon, *comma; /* nl NULL: everything on one line */
	bool untidy;                           /* members in any order, random white space and escapes */
};

static void random_space(struct buf *out)
{
	static const char *const spaces[] = { "", "", "", " ", "  ", "\n", "\r\n\t", "\t" };

	buf_addstr(out, spaces[any(8)]);
}

static void line(struct buf *out, const struct look *l, unsigned depth)
{
	if (!l->nl)
		return;
	buf_addstr(out, l->nl);
	while (depth-- > 0)
		buf_addstr(out, l->unit);
}

static void format(struct buf *out, const struct doc *d, uint32_t t, const struct look *l, unsigned depth)
{
	bool object = d->tok[t].type == DOC_OBJECT;
	uint32_t n = d->tok[t].n, v[64];
	size_t len;

	if (l->untidy)
		random_space(out);
	if (d->tok[t].type < DOC_ARRAY || n == 0) {
		const char *s = doc_span(d, t, &len);

		/* the first character of a string as an escape */
		if (l->untidy && s[0] == '"' && len > 2 && s[1] >= 'a' && s[1] <= 'z' && any(2))
			buf_addf(out, "\"\\u00%02x%.*s", s[1], (int)len - 2, s + 2);
		else
			buf_add(out, s, len);
	} else {
		uint32_t k = 0;

		for (uint32_t i = t + 1 + object; i < d->tok[t].next; i = d->tok[i].next + object)
			v[k++] = i;
		for (uint32_t i = n; object && l->untidy && i > 1; i--) {
			uint32_t j = any(i), x = v[i - 1];

			v[i - 1] = v[j];
			v[j] = x;
		}
		buf_addch(out, object ? '{' : '[');
		for (uint32_t i = 0; i < n; i++) {
			line(out, l, depth + 1);
			if (object) {
				format(out, d, v[i] - 1, l, depth);
				buf_addstr(out, l->colon);
			}
			format(out, d, v[i], l, depth + 1);
			if (i + 1 < n)
				buf_addf(out, ",%s", l->nl ? "" : l->comma);
		}
		line(out, l, depth);
		buf_addch(out, object ? '}' : ']');
	}
	if (l->untidy)
		random_space(out);
}

static const struct look looks[] = {
	{ NULL, "", ":", "", false }, { NULL, "", ": ", " ", false }, { "\n", "  ", ": ", "", false }, { "\n", "\t", ":", "", false },
	{ "\r\n", "    ", ": ", "", false }, { NULL, "", ":", "", true }, { "\n", " ", " : ", "", true },
};

/* Every member of the root that is in both keeps its text. */
static void check_untouched(const struct parsed *before, const struct parsed *after, const struct parsed *src, const struct parsed *out)
{
	const struct doc *b = &before->doc;
	struct buf name = BUF_INIT;

	for (uint32_t k = 1; b->tok[0].type == DOC_OBJECT && out->doc.tok[0].type == DOC_OBJECT && k < b->tok[0].next; k = b->tok[k + 1].next) {
		size_t nb, na, ns, no;

		buf_reset(&name);
		buf_reserve(&name, 1);
		doc_string(b, k, &name);
		uint32_t ta = doc_member(&after->doc, 0, name.s, name.len), ts = doc_member(&src->doc, 0, name.s, name.len),
		         to = doc_member(&out->doc, 0, name.s, name.len);
		if (ta == DOC_NONE || !CHECK(ts != DOC_NONE && to != DOC_NONE))
			continue;
		const char *vb = doc_span(b, k + 1, &nb), *va = doc_span(&after->doc, ta, &na);
		if (nb != na || memcmp(vb, va, na) != 0)
			continue;
		const char *s = doc_span(&src->doc, ts, &ns), *o = doc_span(&out->doc, to, &no);
		const char *ks = src->doc.text + src->doc.tok[ts - 1].off, *ko = out->doc.text + out->doc.tok[to - 1].off;
		CHECK(s + ns - ks == o + no - ko && memcmp(ks, ko, (size_t)(s + ns - ks)) == 0);
	}
	buf_release(&name);
}

static bool has_moves(const struct parsed *patch)
{
	struct patch_facts f = { 0 };
	struct diag d = DIAG_INIT;

	patch_facts(&patch->doc, 0, &f, "p", &d);
	diag_release(&d);
	return f.nmove > 0;
}

/* One pair of documents in every look. */
static void check_looks(struct parsed *before, struct parsed *after)
{
	struct parsed patch = PARSED_INIT, undo = PARSED_INIT, src = PARSED_INIT, out = PARSED_INIT, back = PARSED_INIT;
	struct buf p = BUF_INIT, u = BUF_INIT, text = BUF_INIT, result = BUF_INIT;
	struct diag d = DIAG_INIT;

	patch_diff(&before->doc, &after->doc, &p, &u);
	CHECK(parse(&patch, p.s, p.len) && parse(&undo, u.s, u.len));
	for (size_t i = 0; i < sizeof looks / sizeof *looks && !test_bad; i++) {
		buf_reset(&text);
		buf_reset(&result);
		format(&text, &before->doc, 0, &looks[i], 0);
		CHECK(parse(&src, text.s, text.len));
		CHECK(splice_one(&src, &patch, &result, &d) == 0);
		CHECK(parse(&out, result.s, result.len));
		CHECK(parse_canonical(&back, result.s, result.len) && same(&back.text, &after->text));
		if (!test_bad)
			check_untouched(before, after, &src, &out);
		/* a whole tidy document that shows its style keeps it */
		bool shows = before->doc.tok[0].type == DOC_OBJECT && before->doc.tok[0].n > 0 && src.doc.tok[0].n > 0;
		if (shows && !looks[i].untidy && !has_moves(&patch)) {
			buf_reset(&text);
			format(&text, &after->doc, 0, &looks[i], 0);
			if (!CHECK(same(&text, &result)))
				printf("# look %zu: expected\n%s\n# got\n%s\n", i, text.s, result.s);
		}
		buf_reset(&result);
		CHECK(splice_one(&out, &undo, &result, &d) == 0);
		CHECK(parse_canonical(&back, result.s, result.len) && same(&back.text, &before->text));
		if (test_bad)
			printf("# look %zu\n#   source %s\n#   after  %s\n#   patch  %s\n#   undo   %s\n#   out    %s\n", i, src.text.s,
			       after->text.s, p.s, u.s, out.text.s);
	}
	diag_release(&d);
	buf_release(&p);
	buf_release(&u);
	buf_release(&text);
	buf_release(&result);
	parsed_release(&patch);
	parsed_release(&undo);
	parsed_release(&src);
	parsed_release(&out);
	parsed_release(&back);
}

static void random_documents(unsigned rounds)
{
	struct parsed before = PARSED_INIT, after = PARSED_INIT;
	struct buf b = BUF_INIT, a = BUF_INIT, dropped = BUF_INIT;
	unsigned done = 0;

	test("random documents: patch and undo are exact, style and untouched bytes stay");
	while (done < rounds && !test_bad) {
		buf_reset(&b);
		buf_reset(&a);
		random_value(&b, 5);
		if (!parse_canonical(&before, b.s, b.len))
			continue;
		mutate(&a, &before.doc, 0, &dropped, 2 + any(12));
		/* two members may have got one name */
		if (!parse_canonical(&after, a.s, a.len))
			continue;
		check_diff(&before, &after, NULL);
		check_looks(&before, &after);
		done++;
	}
	CHECK(done == rounds);
	buf_release(&b);
	buf_release(&a);
	buf_release(&dropped);
	parsed_release(&before);
	parsed_release(&after);
}

/* ---- long arrays and objects ---- */

static uint32_t longest(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb)
{
	uint32_t best[41][41] = { { 0 } };

	for (uint32_t i = 1; i <= na; i++) {
		for (uint32_t j = 1; j <= nb; j++) {
			uint32_t up = best[i - 1][j], left = best[i][j - 1];

			best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : up > left ? up : left;
		}
	}
	return best[na][nb];
}

static void common_subsequences(void)
{
	test("the common subsequence is as long as can be");
	for (int round = 0; round < 3000 && !test_bad; round++) {
		uint32_t a[40], b[40], na = any(41), nb = any(41), letters = 1 + any(12), n = 0;
		int32_t match[40], last = -1;

		for (uint32_t i = 0; i < na; i++)
			a[i] = any(letters);
		for (uint32_t i = 0; i < nb; i++)
			b[i] = any(letters);
		CHECK(lcs_match(a, na, b, nb, 80, match) == 0);
		for (uint32_t i = 0; i < na; i++) {
			if (match[i] < 0)
				continue;
			CHECK(match[i] > last && match[i] < (int32_t)nb && a[i] == b[match[i]]);
			last = match[i];
			n++;
		}
		CHECK(n == longest(a, na, b, nb));
	}
	test("a search that would go too far gives up");
	uint32_t a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 6, 5, 4, 3, 2, 1 };
	int32_t match[6];
	CHECK(lcs_match(a, 6, b, 6, 10, match) == 0 && lcs_match(a, 6, b, 6, 9, match) < 0);
}

static void add_numbers(struct buf *b, unsigned n, unsigned from)
{
	buf_reset(b);
	for (unsigned i = 0; i < n; i++)
		buf_addf(b, "%c%u", i == 0 ? '[' : ',', from + i);
	buf_addch(b, ']');
}

static void long_arrays(void)
{
	struct parsed before = PARSED_INIT, after = PARSED_INIT;
	struct buf b = BUF_INIT, a = BUF_INIT;

	test("4096 differing elements are changed one by one");
	add_numbers(&b, 4096, 0);
	add_numbers(&a, 4096, 10000);
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	struct buf p = BUF_INIT, u = BUF_INIT;
	patch_diff(&before.doc, &after.doc, &p, &u);
	CHECK(starts(&p, "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":10000},"));
	check_diff(&before, &after, p.s);

	test("4097 are replaced as a whole");
	add_numbers(&b, 4097, 0);
	add_numbers(&a, 4097, 10000);
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	buf_reset(&p);
	buf_reset(&u);
	patch_diff(&before.doc, &after.doc, &p, &u);
	CHECK(starts(&p, "[{\"op\":\"replace\",\"path\":\"\",\"value\":[10000,"));
	check_diff(&before, &after, p.s);

	test("an array that was shuffled too much is replaced, too");
	buf_reset(&b);
	buf_reset(&a);
	for (unsigned i = 0; i < 4000; i++) {
		buf_addf(&b, "%c%u", i == 0 ? '[' : ',', i);
		buf_addf(&a, "%c%u", i == 0 ? '[' : ',', 3999 - i);
	}
	buf_addch(&b, ']');
	buf_addch(&a, ']');
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	buf_reset(&p);
	buf_reset(&u);
	patch_diff(&before.doc, &after.doc, &p, &u);
	CHECK(starts(&p, "[{\"op\":\"replace\",\"path\":\"\","));
	check_diff(&before, &after, p.s);

	test("few changes in a long array are few operations");
	add_numbers(&b, 50000, 0);
	buf_reset(&a);
	for (unsigned i = 0; i < 50000; i++)
		if (i % 5000 != 7)
			buf_addf(&a, "%c%u%s", i == 0 ? '[' : ',', i, i % 5000 == 9 ? ",7" : "");
	buf_addch(&a, ']');
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	buf_reset(&p);
	buf_reset(&u);
	patch_diff(&before.doc, &after.doc, &p, &u);
	CHECK(p.len < 2000);
	check_diff(&before, &after, p.s);
	buf_release(&p);
	buf_release(&u);
	buf_release(&b);
	buf_release(&a);
	parsed_release(&before);
	parsed_release(&after);
}

static void large_objects(void)
{
	struct parsed before = PARSED_INIT, after = PARSED_INIT;
	struct buf b = BUF_INIT, a = BUF_INIT;

	test("a thousand members into a hundred thousand");
	for (unsigned i = 0; i < 100000; i++) {
		buf_addf(&b, "%c\"k%06u\":1", i == 0 ? '{' : ',', i);
		buf_addf(&a, "%c\"k%06u\":1", i == 0 ? '{' : ',', i);
		if (i % 100 == 50)
			buf_addf(&a, ",\"k%06u+\":2", i);
	}
	buf_addch(&b, '}');
	buf_addch(&a, '}');
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	check_diff(&before, &after, NULL);

	test("ten thousand equal members renamed");
	buf_reset(&b);
	buf_reset(&a);
	for (unsigned i = 0; i < 10000; i++) {
		buf_addf(&b, "%c\"a%06u\":true", i == 0 ? '{' : ',', i);
		buf_addf(&a, "%c\"b%06u\":true", i == 0 ? '{' : ',', i);
	}
	buf_addch(&b, '}');
	buf_addch(&a, '}');
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	check_diff(&before, &after, NULL);

	test("names that change again and again in a large unsorted object");
	struct parsed patch = PARSED_INIT;
	struct diag d = DIAG_INIT;
	buf_reset(&b);
	buf_reset(&a);
	for (unsigned i = 0; i < 100; i++)
		buf_addf(&b, "%c\"k%u\":%u", i == 0 ? '{' : ',', 100 - i, i);
	buf_addch(&b, '}');
	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&a, "%c{\"from\":\"/%c%u\",\"op\":\"move\",\"path\":\"/x%u\"}", i == 0 ? '[' : ',', i == 0 ? 'k' : 'x',
		         i == 0 ? 1 : i, i + 1);
	buf_addch(&a, ']');
	CHECK(parse(&before, b.s, b.len) && parse(&patch, a.s, a.len));
	buf_reset(&a);
	CHECK(splice_one(&before, &patch, &a, &d) == 0 && strstr(a.s, "\"x5000\":99}") && a.len == b.len + 3);
	diag_release(&d);
	parsed_release(&patch);

	test("as deep as a record may be");
	buf_reset(&b);
	buf_reset(&a);
	for (unsigned i = 0; i < RECORD_MAX_DEPTH; i++) {
		buf_addstr(&b, i % 2 ? "[" : "{\"a\":");
		buf_addstr(&a, i % 2 ? "[" : "{\"a\":");
	}
	buf_addstr(&b, "1");
	buf_addstr(&a, "2");
	for (unsigned i = RECORD_MAX_DEPTH; i-- > 0;) {
		buf_addstr(&b, i % 2 ? "]" : "}");
		buf_addstr(&a, i % 2 ? "]" : "}");
	}
	CHECK(parse(&before, b.s, b.len) && parse(&after, a.s, a.len));
	check_diff(&before, &after, NULL);
	buf_release(&b);
	buf_release(&a);
	parsed_release(&before);
	parsed_release(&after);
}

static void hostile_copies(void)
{
	struct parsed src = PARSED_INIT, patch = PARSED_INIT;
	struct buf ops = BUF_INIT, out = BUF_INIT;
	struct diag d = DIAG_INIT;

	test("copies of copies end in a refusal");
	buf_addstr(&ops, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{}}");
	for (int i = 0; i < 64; i++)
		buf_addf(&ops, ",{\"from\":\"/a\",\"op\":\"copy\",\"path\":\"/a/%d\"}", i);
	buf_addch(&ops, ']');
	CHECK(parse(&src, "{}", 2) && parse(&patch, ops.s, ops.len));
	CHECK(splice_one(&src, &patch, &out, &d) < 0);
	CHECK(d.n == 1 && strstr(d.list[0].message, "too large"));
	diag_release(&d);

	test("values moved into each other end in a refusal");
	buf_reset(&ops);
	buf_addstr(&ops, "[{\"op\":\"add\",\"path\":\"/x0\",\"value\":[]}");
	for (int i = 1; i < 1000; i++)
		buf_addf(&ops, ",{\"op\":\"add\",\"path\":\"/x%d\",\"value\":[]},{\"from\":\"/x%d\",\"op\":\"move\",\"path\":\"/x%d/0\"}", i, i - 1, i);
	buf_addch(&ops, ']');
	buf_reset(&out);
	CHECK(parse(&patch, ops.s, ops.len));
	CHECK(splice_one(&src, &patch, &out, &d) < 0 && out.len == 0);
	CHECK(d.n == 1 && strstr(d.list[0].message, "too deep"));
	diag_release(&d);
	buf_release(&ops);
	buf_release(&out);
	parsed_release(&src);
	parsed_release(&patch);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not swallow what was said */
	differences();
	style();
	errors();
	replays();
	facts();
	several_lists();
	common_subsequences();
	random_documents(argc > 1 ? (unsigned)atoi(argv[1]) : 3000);
	long_arrays();
	large_objects();
	hostile_copies();
	return test_end();
}
