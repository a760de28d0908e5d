/* doc_test.c -- the reader: what it accepts, what it refuses and how, and its index. */
#include "doc.h"

#include "test.h"

#include <stdlib.h>

static struct doc d;

/* The text in a block of its own that ends with the pad: a sanitizer sees a read beyond. */
static struct buf text;

static int parse_n(const char *s, size_t n, unsigned depth)
{
	buf_release(&text);
	text.s = malloc(n + BUF_PAD);
	text.len = n;
	text.cap = n + BUF_PAD;
	memcpy(text.s, s, n);
	memset(text.s + n, 0, BUF_PAD);
	return doc_parse(&d, text.s, n, depth);
}

static int parse(const char *s)
{
	return parse_n(s, strlen(s), DOC_MAX_DEPTH);
}

/* Something printable for a test's name. */
static const char *show(const char *s)
{
	static char out[80];
	size_t n = 0;

	for (; *s && n < 60; s++)
		if (*s >= ' ' && *s < 0x7F && *s != '#')
			out[n++] = *s;
		else
			n += (size_t)sprintf(out + n, "<%02x>", (unsigned char)*s);
	out[n] = '\0';
	return out;
}

static void accepts(void)
{
	static const struct {
		const char *text;
		bool canonical;
	} cases[] = {
		{ "null", true }, { "true", true }, { "false", true }, { "0", true }, { "\"\"", true },
		{ "[]", true }, { "{}", true }, { " 1", false }, { "1\n", false }, { "\t[\r\n]\n", false },
		{ "[ ]", false }, { "[\n                  1,\n        2,\n       3\n]", false }, { "{ }", false }, { "[1, 2]", false }, { "{\"a\" :1}", false },
		{ "{\"a\":1,\"b\":2}", true }, { "{\"b\":1,\"a\":2}", false },
		{ "{\"a\":1,\"aa\":2,\"b\":{\"a\":[]}}", true }, { "{\"aa\":1,\"a\":2}", false },
		{ "{\"\":1,\"a\":2}", true }, { "{\"a\":1,\"\":2}", false },
		{ "{\"a\":1,\"a \":2,\"a!\":3,\"a#\":4}", true }, { "{\"a!\":1,\"a \":2}", false },
		{ "{\"12345678\":1,\"123456789\":2,\"12345678:\":3}", true },
		{ "{\"123456789\":1,\"12345678\":2}", false },
		{ "{\"a\":1,\"a\\u0000\":2,\"a\\u0001\":2}", true }, { "{\"a\\u0000\":1,\"a\":2}", false },
		{ "{\"\\\"\":1,\"\\\\\":2}", true }, { "{\"\\r\":1,\" \":2}", true },
		{ "{\" \":1,\"\\r\":2}", false },
		{ "{\"\":1,\"!\":2}", true }, { "{\"!\":1,\"\":2}", false }, { "{\" \":1,\"\":2}", false },
		{ "{\"z\":1,\"\xC3\xA9\":2}", true }, { "{\"\xC3\xA9\":1,\"z\":2}", false },
		{ "{\"a\":1,\"\\\\\":2}", false }, { "{\"\\\\\":1,\"a\":2}", true },
		/* U+1F600 is d83d de00 in UTF-16: before U+E000 and U+FB33, behind U+D7FF */
		{ "{\"\xED\x9F\xBF\":1,\"\xF0\x9F\x98\x80\":2,\"\xEE\x80\x80\":3,\"\xEF\xAC\xB3\":4}", true },
		{ "{\"\xEE\x80\x80\":1,\"\xF0\x9F\x98\x80\":2}", false },
		{ "{\"12345678\xF0\x9F\x98\x80\":1,\"12345678\xEF\xAC\xB3\":2}", true },
		{ "{\"\\ud83d\\ude00\":1,\"\xEE\x80\x80\":2}", false },
		{ "{\"\xF0\x9F\x98\x80\":1,\"\xF0\x9F\x98\x81\":2,\"\xF4\x8F\xBF\xBF\":2}", true },
		/* strings */
		{ "\"\\\"\\\\\\b\\f\\n\\r\\t\"", true }, { "\"\\u0000\\u001f\\u000b\"", true },
		{ "\"\\/\"", false },
		{ "\"\\u001F\"", false }, { "\"\\u000a\"", false }, { "\"\\u0008\"", false },
		{ "\"\\u0022\"", false },
		{ "\"\\u005c\"", false }, { "\"\\u007f\"", false }, { "\"\\u0041\"", false },
		{ "\"\x7F\"", true },
		{ "\"\\uFFFF\"", false }, { "\"\\uD800\\uDC00\"", false }, { "\"\\udbff\\udfff\"", false },
		{ "\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80"
		  "\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", true },
		{ "\"1234567\xC3\xA9" "1234567\\n1234567\xC3\xA9\"", true }, { "[\"\xEF\xBB\xBF\"]", true },
		/* numbers */
		{ "-0", false }, { "-1", true }, { "9007199254740991", true }, { "9007199254740993", true },
		{ "9223372036854775807", true }, { "-9223372036854775808", true },
		{ "9223372036854776000", true },
		{ "-9223372036854776000", true }, { "100000000000000000000", true },
		{ "123456789012345680000", true },
		{ "1e1", false }, { "1.0", false }, { "1.5", true }, { "0.1", true }, { "-0.0", false },
		{ "0e0", false },
		{ "1e21", false }, { "1e+21", true }, { "1.5e+300", true },
		{ "1e-7", true }, { "0.000001", true }, { "1e-400", false }, { "5e-324", true },
		{ "4e-324", false },
		{ "1.7976931348623157e+308", true }, { "1.7976931348623157e308", false },
		{ "0.30000000000000004", true },
		{ "0.300000000000000040", false }, { "0.1e1", false }, { "0e99999999999999999999", false },
		{ "1e-99999999999999999999", false }, { "0.00000000000000000000000000001e29", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("accepts %s as %s", show(cases[i].text),
			cases[i].canonical ? "canonical" : "not canonical");
		if (!CHECK(parse(cases[i].text) == 0))
			printf("#   %s\n", d.err.reason);
		CHECK(d.canonical == cases[i].canonical);
		CHECK(d.tok[0].next == d.ntok);
	}
}

static void refuses(void)
{
	static const struct {
		const char *text, *reason, *pointer;
		size_t line, column;
	} cases[] = {
		{ "", "the text ends where a value is expected", "", 1, 1 },
		{ " \n ", "the text ends where a value is expected", "", 2, 2 },
		{ "\xEF\xBB\xBF{}", "a byte order mark is not allowed", "", 1, 1 },
		{ "1 2", "expected the end of the text, not '2'", "", 1, 3 },
		{ "{}\n\n]", "expected the end of the text, not ']'", "", 3, 1 },
		{ "{\"a\":1", "the text ends where ',' or '}' is expected", "", 1, 7 },
		{ "{\"a\":", "the text ends where a value is expected", "/a", 1, 6 },
		{ "{\"a\"", "the text ends where ':' is expected", "", 1, 5 },
		{ "{\"a\" 1}", "expected ':', not '1'", "", 1, 6 },
		{ "{", "the text ends where a member name is expected", "", 1, 2 },
		{ "{\"a\":1,}", "expected a member name, not '}'", "", 1, 8 },
		{ "{,}", "expected a member name, not ','", "", 1, 2 },
		{ "{a:1}", "expected a member name, not 'a'", "", 1, 2 },
		{ "[1,]", "expected a value, not ']'", "/1", 1, 4 },
		{ "[,1]", "expected a value, not ','", "/0", 1, 2 },
		{ "[1 2]", "expected ',' or ']', not '2'", "", 1, 4 },
		{ "[1}", "expected ',' or ']', not '}'", "", 1, 3 },
		{ "{\"a\":1]", "expected ',' or '}', not ']'", "", 1, 7 },
		{ "]", "expected a value, not ']'", "", 1, 1 },
		{ "{\"a\":[0,{\"b/~\":\n  [1,2,tru]}]}", "expected a value, not 't'", "/a/1/b~1~0/2", 2, 8 },
		{ "[[],{\"a\":1,\"b\":x}]", "expected a value, not 'x'", "/1/b", 1, 16 },
		{ "[[],{\"a\":1 \"b\":x}]", "expected ',' or '}', not '\"'", "/1", 1, 12 },
		{ "nul", "expected a value, not 'n'", "", 1, 1 },
		{ "NaN", "expected a value, not 'N'", "", 1, 1 },
		{ "Infinity", "expected a value, not 'I'", "", 1, 1 },
		{ "-Infinity", "expected a digit, not 'I'", "", 1, 2 },
		{ "truex", "expected the end of the text, not 'x'", "", 1, 5 },
		{ "'a'", "expected a value, not '''", "", 1, 1 },
		{ "// x\n1", "expected a value, not '/'", "", 1, 1 },
		{ "\xA0", "expected a value, not the byte 0xa0", "", 1, 1 },
		{ "\f1", "expected a value, not the byte 0x0c", "", 1, 1 },
		{ "[1,\v2]", "expected a value, not the byte 0x0b", "/1", 1, 4 },
		/* duplicates */
		{ "{\"a\":1,\"a\":2}", "duplicate member \"a\"", "", 1, 8 },
		{ "{\"a\":1,\"\\u0061\":2}", "duplicate member \"\\u0061\"", "", 1, 8 },
		{ "{\"\\u00e9\":1,\"\xC3\xA9\":2}", "duplicate member \"\xC3\xA9\"", "", 1, 13 },
		{ "[{\"b\":1,\"a\":2,\"c\":3,\n\"a\":4,\"b\":5}]", "duplicate member \"a\"", "/0", 2, 1 },
		{ "{\"\":1,\"\":2}", "duplicate member \"\"", "", 1, 7 },
		{ "{\"12345678\":1,\"123456789\":1,\"12345678\":1}", "duplicate member \"12345678\"", "", 1,
		  29 },
		{ "{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":1}", "duplicate member \"\xF0\x9F\x98\x80\"",
		  "", 1, 19 },
		{ "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xC3\xA9\":1,"
		  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xC3\xA9\":2}",
		  "duplicate member \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 1, 87 },
		/* strings */
		{ "\"abc", "the text ends within a string", "", 1, 5 },
		{ "[\"", "the text ends within a string", "/0", 1, 3 },
		{ "{\"a\":\"b\nc\"}", "the control character 0x0a in a string must be escaped", "/a", 1, 8 },
		{ "\"\x1F\"", "the control character 0x1f in a string must be escaped", "", 1, 2 },
		{ "\"\\x\"", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\u12\"", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\u12G4\"", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\U0041\"", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\u", "a backslash that begins no escape", "", 1, 2 },
		{ "\"\\uD800\"", "a lone surrogate \\uD800", "", 1, 2 },
		{ "\"\\uDC00\"", "a lone surrogate \\uDC00", "", 1, 2 },
		{ "\"\\uD800\\u0041\"", "a lone surrogate \\uD800", "", 1, 2 },
		{ "\"\\uD800\\uD800\"", "a lone surrogate \\uD800", "", 1, 2 },
		{ "\"\\uDC00\\uD800\"", "a lone surrogate \\uDC00", "", 1, 2 },
		{ "\"\\uD800x\"", "a lone surrogate \\uD800", "", 1, 2 },
		{ "\"\x80\"", "invalid UTF-8 (byte 0x80)", "", 1, 2 },
		{ "\"\xC0\x80\"", "invalid UTF-8 (byte 0xc0)", "", 1, 2 },
		{ "\"\xC1\xBF\"", "invalid UTF-8 (byte 0xc1)", "", 1, 2 },
		{ "\"\xE0\x9F\xBF\"", "invalid UTF-8 (byte 0xe0)", "", 1, 2 },
		{ "\"\xED\xA0\x80\"", "invalid UTF-8 (byte 0xed)", "", 1, 2 },
		{ "\"\xED\xBF\xBF\"", "invalid UTF-8 (byte 0xed)", "", 1, 2 },
		{ "\"\xF0\x8F\xBF\xBF\"", "invalid UTF-8 (byte 0xf0)", "", 1, 2 },
		{ "\"\xF4\x90\x80\x80\"", "invalid UTF-8 (byte 0xf4)", "", 1, 2 },
		{ "\"\xF5\x80\x80\x80\"", "invalid UTF-8 (byte 0xf5)", "", 1, 2 },
		{ "\"\xFF\"", "invalid UTF-8 (byte 0xff)", "", 1, 2 },
		{ "\"\xC3\"", "invalid UTF-8 (byte 0xc3)", "", 1, 2 },
		{ "\"\xE2\x82\"", "invalid UTF-8 (byte 0xe2)", "", 1, 2 },
		{ "\"\xF0\x9F\x98\"", "invalid UTF-8 (byte 0xf0)", "", 1, 2 },
		{ "\"\xF0\x9F\x98", "invalid UTF-8 (byte 0xf0)", "", 1, 2 },
		{ "\"\xC3\xA9\xE9\"", "invalid UTF-8 (byte 0xe9)", "", 1, 4 },
		{ "{\"\xC3\":1}", "invalid UTF-8 (byte 0xc3)", "", 1, 3 },
		/* numbers */
		{ "01", "a number with a leading zero", "", 1, 1 },
		{ "-01", "a number with a leading zero", "", 1, 2 },
		{ "00", "a number with a leading zero", "", 1, 1 },
		{ "-", "the text ends where a digit is expected", "", 1, 2 },
		{ "+1", "expected a value, not '+'", "", 1, 1 },
		{ ".5", "expected a value, not '.'", "", 1, 1 },
		{ "1.", "the text ends where a digit is expected", "", 1, 3 },
		{ "[1.]", "expected a digit, not ']'", "/0", 1, 4 },
		{ "1e", "the text ends where a digit is expected", "", 1, 3 },
		{ "1e+", "the text ends where a digit is expected", "", 1, 4 },
		{ "e467", "expected a value, not 'e'", "", 1, 1 },
		{ "1.e5", "expected a digit, not 'e'", "", 1, 3 },
		{ "0x10", "expected the end of the text, not 'x'", "", 1, 2 },
		{ "1e5.5", "expected the end of the text, not '.'", "", 1, 4 },
		{ "1e309", "a number too large for a double", "", 1, 1 },
		{ "[-1.8e308]", "a number too large for a double", "/0", 1, 2 },
		{ "1.7976931348623159e308", "a number too large for a double", "", 1, 1 },
		{ "1e99999999999999999999", "a number too large for a double", "", 1, 1 },
		{ "9223372036854775808", "an integer that 64 bits cannot hold exactly", "", 1, 1 },
		{ "-9223372036854775809", "an integer that 64 bits cannot hold exactly", "", 1, 1 },
		{ "100000000000000000001", "an integer that 64 bits cannot hold exactly", "", 1, 1 },
		{ "1000000000000000000000", "an integer that 64 bits cannot hold exactly", "", 1, 1 },
		{ "123456789012345678901234567890", "an integer that 64 bits cannot hold exactly", "", 1, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf p = BUF_INIT;

		test("refuses %s", show(cases[i].text));
		if (CHECK(parse(cases[i].text) == -1)) {
			if (strncmp(d.err.reason, "duplicate member \"aaaa", 22) != 0)
				CHECK_STR(d.err.reason, cases[i].reason);
			else
				CHECK(strlen(d.err.reason) <= sizeof d.err.reason - 1 &&
					(d.err.reason[strlen(d.err.reason) - 1] & 0x80) == 0);
			CHECK(d.err.line == cases[i].line);
			if (!CHECK(d.err.column == cases[i].column))
				printf("#   column %zu\n", d.err.column);
			buf_reserve(&p, 0);
			doc_error_pointer(&d, &p);
			CHECK_STR(p.s, cases[i].pointer);
		}
		buf_release(&p);
	}
}

static void zero_bytes(void)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "\0", 1 }, { "1\0", 2 }, { "1\0\0\0", 4 }, { "\0001", 2 }, { "[1\0]", 4 }, { "[1]\0", 4 },
		{ "\"a\0b\"", 5 },
		{ "true\0", 5 }, { "{\"a\0\":1}", 8 }, { "\"a\0", 3 }, { "[1] \0", 5 }, { "1.5\0", 4 },
		{ "\n\0" "1", 3 }, { "-\0", 2 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("a zero byte is no end (%zu)", i);
		CHECK(parse_n(cases[i].text, cases[i].n, 512) == -1);
		CHECK(strncmp(d.err.reason, "the text ends", 13) != 0);
	}
}

static void depth(void)
{
	struct buf b = BUF_INIT, p = BUF_INIT;

	test("nesting is limited exactly");
	for (int i = 0; i < 512; i++)
		buf_addstr(&b, i % 2 ? "{\"a\":" : "[");
	buf_addstr(&b, "1");
	for (int i = 511; i >= 0; i--)
		buf_addstr(&b, i % 2 ? "}" : "]");
	CHECK(doc_parse(&d, b.s, b.len, 512) == 0);
	CHECK(d.canonical);
	CHECK(doc_parse(&d, b.s, b.len, 511) == -1);
	CHECK_STR(d.err.reason, "arrays and objects nest deeper than 511");
	doc_error_pointer(&d, &p);
	CHECK(strncmp(p.s, "/0/a/0/a", 8) == 0 && p.len <= 202); /* a message shows the beginning */
	CHECK(doc_parse(&d, "[]\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 2, 0) == -1);
	CHECK(doc_parse(&d, "1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1, 0) == 0);

	test("a text of 4 GiB is refused unread");
	CHECK(doc_parse(&d, "1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", UINT32_MAX, 1) == -1);
	CHECK_STR(d.err.reason, "a text of 4 GiB or more");

	test("siblings do not nest");
	CHECK(doc_parse(&d, "[[],{},[]]\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 10, 2) == 0);
	buf_release(&b);
	buf_release(&p);
}

static void index_shape(void)
{
	test("the index is as doc.h draws it");
	CHECK(parse("{\"b\":[1,\"x\"]}") == 0);
	CHECK(d.ntok == 5);
	CHECK(d.tok[0].type == DOC_OBJECT && d.tok[0].n == 1 && d.tok[0].next == 5 && d.tok[0].len == 13);
	CHECK(d.tok[1].type == DOC_STRING && d.tok[1].off == 1 && d.tok[1].len == 3 && d.tok[1].next == 2);
	CHECK(d.tok[2].type == DOC_ARRAY && d.tok[2].n == 2 && d.tok[2].next == 5 && d.tok[2].len == 7);
	CHECK(d.tok[3].type == DOC_NUMBER && d.tok[3].next == 4 && d.tok[3].flags & DOC_INTEGER);
	CHECK(d.tok[4].type == DOC_STRING && d.tok[4].next == 5);
	CHECK(parse("[true,false,null,1.5]") == 0);
	CHECK(d.tok[1].type == DOC_TRUE && d.tok[2].type == DOC_FALSE && d.tok[3].type == DOC_NULL);
	CHECK(!(d.tok[4].flags & DOC_INTEGER));
}

static void strings(void)
{
	struct buf b = BUF_INIT;

	test("escapes resolve");
	CHECK(parse("\"\\u0041\\n\\/\\u00e9\\u20AC\\ud83d\\ude00\\u0000z\"") == 0);
	doc_string(&d, 0, &b);
	CHECK(b.len == 14 && memcmp(b.s, "A\n/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z", 14) == 0);
	CHECK(doc_equals(&d, 0, b.s, b.len));
	CHECK(!doc_equals(&d, 0, b.s, b.len - 1));
	CHECK(!doc_equals(&d, 0, "A", 1));
	CHECK(parse("[\"ab\",1,\"\"]") == 0);
	CHECK(doc_equals(&d, 1, "ab", 2) && !doc_equals(&d, 1, "abc", 3) && !doc_equals(&d, 1, "a", 1));
	CHECK(!doc_equals(&d, 2, "1", 1) && doc_equals(&d, 3, "", 0));
	buf_release(&b);

	test("keys compare as UTF-16");
	CHECK(doc_compare_keys("a", 1, "b", 1) < 0 && doc_compare_keys("a", 1, "a", 1) == 0);
	CHECK(doc_compare_keys("a", 1, "ab", 2) < 0 && doc_compare_keys("", 0, "a", 1) < 0);
	CHECK(doc_compare_keys("\xF0\x9F\x98\x80", 4, "\xEF\xAC\xB3", 3) < 0);
	CHECK(doc_compare_keys("\xF0\x9F\x98\x80", 4, "\xED\x9F\xBF", 3) > 0);
	CHECK(doc_compare_keys("\xEE\x80\x80", 3, "\xEF\xAC\xB3", 3) < 0);
	CHECK(doc_compare_keys("\xF0\x9F\x98\x80", 4, "\xF1\x80\x80\x80", 4) < 0);
}

/* An object of n members "k<i>": i, i going up by stride modulo n. */
static void big_object(struct buf *b, unsigned n, unsigned stride, const char *fmt)
{
	buf_reset(b);
	for (unsigned i = 0, k = 0; i < n; i++, k = (k + stride) % n) {
		char key[64];

		sprintf(key, strcmp(fmt, "escaped") == 0 ? "\\u006b%08u" : "k%08u", k);
		buf_addf(b, "%c\"%s\":%u", i ? ',' : '{', key, k);
	}
	buf_addch(b, '}');
}

static void members(void)
{
	static const unsigned sizes[] = { 1, 2, 15, 16, 17, 24, 25, 100, 100003 };
	static const unsigned strides[] = { 1, 7919 };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t j = 0; j < 4; j++) {
			unsigned n = sizes[i], stride = strides[j % 2];
			const char *how = j < 2 ? "plain" : "escaped";

			if (n > 1 && stride % n == 0)
				continue;
			test("%u members, %s, %s", n, how, stride == 1 ? "in order" : "in disorder");
			big_object(&b, n, stride, how);
			if (!CHECK(doc_parse(&d, b.s, b.len, 1) == 0))
				continue;
			CHECK(d.tok[0].n == n);
			bool good = true;
			for (unsigned k = 0; k < n; k++) {
				char key[16];
				int64_t v;
				uint32_t t = doc_member(&d, 0, key, (size_t)sprintf(key, "k%08u", k));

				good &= t && doc_int(&d, t, &v) && v == k;
			}
			CHECK(good);
			CHECK(doc_member(&d, 0, "k", 1) == DOC_NONE);
			CHECK(doc_member(&d, 0, "zzz", 3) == DOC_NONE);
			CHECK(doc_member(&d, 0, "", 0) == DOC_NONE);
			CHECK(doc_member(&d, 0, "k\\", 2) == DOC_NONE);
			struct doc_walk w;
			int64_t next = 0, v;
			good = true;
			doc_walk_init(&w, &d, 0);
			for (uint32_t key; (key = doc_walk_next(&w));)
				good &= doc_int(&d, key + 1, &v) && v == next++;
			CHECK(good && next == n);
			/* the last member once more */
			buf_setlen(&b, b.len - 1);
			buf_addf(&b, ",\"k%08u\":0}", n - 1);
			CHECK(doc_parse(&d, b.s, b.len, 1) == -1);
			CHECK(strncmp(d.err.reason, "duplicate member", 16) == 0);
		}
	buf_release(&b);

	test("a reason is cut at the end of a character");
	char key[128], dup[300];
	memset(key, 'a', sizeof key);
	strcpy(key + 76, "\xC3\xA9\xC3\xA9");
	snprintf(dup, sizeof dup, "{\"%s\":1,\"%s\":2}", key, key);
	CHECK(parse(dup) == -1 && strlen(d.err.reason) == 94 && d.err.reason[93] == 'a');

	test("nested objects keep their own orders");
	CHECK(parse("{\"b\":{\"z\":1,\"y\":{\"d\":1,\"c\":2}},\"a\":{\"q\":[{\"b\":3,\"a\":4}],"
		"\"p\":2}}") == 0);
	uint32_t t = doc_member(&d, doc_member(&d, 0, "b", 1), "y", 1);
	struct doc_walk w;
	doc_walk_init(&w, &d, t);
	CHECK(doc_equals(&d, doc_walk_next(&w), "c", 1));
	CHECK(doc_equals(&d, doc_walk_next(&w), "d", 1));
	CHECK(doc_walk_next(&w) == DOC_NONE);
	CHECK(doc_member(&d, t + 1, "c", 1) == DOC_NONE);
}

static void numbers(void)
{
	int64_t v;

	test("integers and doubles");
	CHECK(parse("[0,-0,9223372036854775807,-9223372036854775808,9223372036854776000,1.5,1e2,-12,0.1,"
		"1e-400]") == 0);
	CHECK(doc_int(&d, 1, &v) && v == 0);
	CHECK(doc_int(&d, 2, &v) && v == 0);
	CHECK(doc_int(&d, 3, &v) && v == INT64_MAX);
	CHECK(doc_int(&d, 4, &v) && v == INT64_MIN);
	CHECK(!doc_int(&d, 5, &v) && d.tok[5].flags & DOC_INTEGER);
	CHECK(!doc_int(&d, 6, &v) && !doc_int(&d, 7, &v));
	CHECK(doc_double(&d, 3) == 9223372036854775808.0 && doc_double(&d, 5) == 9223372036854775808.0);
	CHECK(doc_double(&d, 6) == 1.5 && doc_double(&d, 7) == 100 && doc_double(&d, 8) == -12);
	CHECK(doc_double(&d, 9) == 0.1 && doc_double(&d, 10) == 0 && doc_double(&d, 2) == 0);
	CHECK(parse("\"1\"") == 0 && !doc_int(&d, 0, &v));

	test("numbers longer than any buffer");
	struct buf b = BUF_INIT;
	buf_addstr(&b, "0.");
	for (int i = 0; i < 2000; i++)
		buf_addch(&b, '0');
	buf_addstr(&b, "15e2001");
	CHECK(doc_parse(&d, b.s, b.len, 0) == 0 && doc_double(&d, 0) == 1.5);
	buf_reset(&b);
	buf_addstr(&b, "9007199254740993."); /* halfway: even, unless something follows */
	for (int i = 0; i < 2000; i++)
		buf_addch(&b, '0');
	CHECK(doc_parse(&d, b.s, b.len, 0) == 0 && doc_double(&d, 0) == 9007199254740992.0);
	buf_addch(&b, '1');
	CHECK(doc_parse(&d, b.s, b.len, 0) == 0 && doc_double(&d, 0) == 9007199254740994.0);
	buf_reset(&b);
	for (int i = 0; i < 400; i++)
		buf_addch(&b, '1');
	CHECK(doc_parse(&d, b.s, b.len, 0) == -1);
	buf_addstr(&b, ".0");
	CHECK(doc_parse(&d, b.s, b.len, 0) == -1);
	buf_addstr(&b, "e-390");
	CHECK(doc_parse(&d, b.s, b.len, 0) == 0 && doc_double(&d, 0) == 1111111111.1111112);
	buf_release(&b);
}

static void around(void)
{
	static const char s[] = "{\"a\":1,\"b\":[[1,2],{}],\"c\":[3]}";
	const size_t off = (size_t)(strchr(s, '[') - s), n = 10;
	size_t len;

	test("an array that was indexed before is one token, with those around it as ever");
	CHECK(parse(s) == 0);
	CHECK(doc_parse_around(&d, text.s, text.len, DOC_MAX_DEPTH, off, n) == 0);
	uint32_t b = doc_member(&d, 0, "b", 1), c = doc_member(&d, 0, "c", 1);

	CHECK(d.tok[b].type == DOC_ARRAY && d.tok[b].n == 0 && d.tok[b].next == b + 1);
	CHECK(memcmp(doc_span(&d, b, &len), "[[1,2],{}]", n) == 0 && len == n);
	CHECK(d.tok[c].type == DOC_ARRAY && d.tok[c].n == 1 && d.tok[0].n == 3 && d.canonical);
	CHECK(doc_span(&d, 0, &len) == text.s && len == text.len);

	test("what stands behind such an array is still checked");
	CHECK(parse_n("{\"a\":[1],}", 11, DOC_MAX_DEPTH) < 0);
	CHECK(doc_parse_around(&d, text.s, text.len, DOC_MAX_DEPTH, 5, 3) < 0);
}

static void several(void)
{
	static const char s[] = " 1 {\"a\":[]}\n\"x\" ]\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	const char *p = s;
	size_t left = strlen(s), used;

	test("the text of an empty buf");
	CHECK(doc_parse(&d, NULL, 0, 9) == -1 && d.err.line == 1);
	CHECK(doc_parse_next(&d, NULL, 0, 9, &used) == 0 && used == 0);
	CHECK(parse("{\"\":1}") == 0 && doc_equals(&d, 1, NULL, 0) && doc_member(&d, 0, NULL, 0) == 2);

	test("values one by one");
	CHECK(doc_parse_next(&d, p, left, 9, &used) == 1 && used == 2 && d.canonical);
	p += used, left -= used;
	CHECK(doc_parse_next(&d, p, left, 9, &used) == 1 && used == 9 && d.tok[0].off == 1 &&
		d.tok[0].len == 8);
	p += used, left -= used;
	CHECK(doc_parse_next(&d, p, left, 9, &used) == 1 && used == 4);
	p += used, left -= used;
	CHECK(doc_parse_next(&d, p, left, 9, &used) == -1 && d.err.offset == 1);
	CHECK(doc_parse_next(&d, " \n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 2, 9, &used) == 0 && used == 2);
	CHECK(doc_parse_next(&d, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, 9, &used) == 0 && used == 0);
	CHECK(doc_parse_next(&d, "1[]\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 3, 9, &used) == -1);
	CHECK_STR(d.err.reason, "expected white space, not '['");
	CHECK(doc_parse_next(&d, "1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 2, 9, &used) == -1);
}

int main(void)
{
	accepts();
	refuses();
	zero_bytes();
	depth();
	index_shape();
	strings();
	members();
	numbers();
	around();
	several();
	doc_release(&d);
	buf_release(&text);
	return test_end();
}
