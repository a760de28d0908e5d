/* canon_test.c -- canonical JSON and its hash, and numbers as ECMAScript prints them. */
#include "canon.h"

#include "number.h"
#include "test.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

static struct doc d, again;

/* The canonical text of s without the value at token skip; "" after a failed check. */
static const char *canon(const char *s, uint32_t skip)
{
	static struct buf in, out;

	buf_release(&in);
	buf_release(&out);
	buf_addstr(&in, s);
	if (!CHECK(doc_parse(&d, in.s, in.len, 640) == 0)) {
		printf("#   %s\n", d.err.reason);
		return "";
	}
	canon_value(&out, &d, 0, skip);
	return out.s;
}

/* What holds for every accepted text. */
static void properties(const char *s)
{
	char hex[HEX_SIZE], direct[HEX_SIZE];
	struct buf once = BUF_INIT, twice = BUF_INIT;

	buf_addstr(&once, canon(s, DOC_NONE));
	bool was_canonical = d.canonical;
	CHECK(!was_canonical || strcmp(once.s, s) == 0);
	canon_hash(&d, 0, DOC_NONE, hex);
	digest_hex(once.s, once.len, direct);
	CHECK_STR(hex, direct);
	if (CHECK(doc_parse(&again, once.s, once.len, 640) == 0)) {
		CHECK(again.canonical);
		canon_value(&twice, &again, 0, DOC_NONE);
		CHECK_STR(twice.s, once.s);
		/* the slow way comes to the same */
		again.canonical = false;
		buf_reset(&twice);
		canon_value(&twice, &again, 0, DOC_NONE);
		CHECK_STR(twice.s, once.s);
	}
	buf_release(&once);
	buf_release(&twice);
}

static void texts(void)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ " null ", "null" }, { "[ true , false ]", "[true,false]" }, { "{ }", "{}" },
		{ "[\n]", "[]" },
		{ "{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}" },
		/* RFC 8785 section 3.2.3 */
		{ "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet "
		  "With Dagesh\","
		  "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
		  "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
		  "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
		  "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\","
		  "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet "
		  "With Dagesh\"}" },
		/* RFC 8785 section 3.2.2 */
		{ "{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
		  "\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\": "
		  "[null, true, false]}",
		  "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
		  "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}" },
		{ "\"\\u0000\\u0001\\u0008\\u0009\\u000a\\u000B\\u000c\\u000d\\u001F\\u007f\\/\"",
		  "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\x7F/\"" },
		{ "\"\\ud83D\\uDe00\\u2028\"", "\"\xF0\x9F\x98\x80\xE2\x80\xA8\"" },
		{ "{\"\\u0062\":1,\"a\":2}", "{\"a\":2,\"b\":1}" },
		{ "{\"\\u0061\":1,\"b\":2}", "{\"a\":1,\"b\":2}" },
		{ "[1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20]",
		  "[100000000000000000000,100000000000000000000,100000000000000000000,100000000000000000000,"
		  "100000000000000000000,100000000000000000000,100000000000000000000,100000000000000000000,"
		  "100000000000000000000,100000000000000000000]" },
		{ "{\"17\":1,\"16\":1,\"15\":1,\"14\":1,\"13\":1,\"12\":1,\"11\":1,\"10\":1,\"09\":1,"
		  "\"08\":1,\"07\":1,\"06\":1,"
		  "\"05\":1,\"04\":1,\"03\":1,\"02\":1,\"01\":1}",
		  "{\"01\":1,\"02\":1,\"03\":1,\"04\":1,\"05\":1,\"06\":1,\"07\":1,\"08\":1,\"09\":1,"
		  "\"10\":1,\"11\":1,\"12\":1,"
		  "\"13\":1,\"14\":1,\"15\":1,\"16\":1,\"17\":1}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("canonical text %zu", i);
		CHECK_STR(canon(cases[i].text, DOC_NONE), cases[i].canonical);
		properties(cases[i].text);
	}
}

static void numbers(void)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "0", "0" }, { "-0", "0" }, { "-0.0", "0" }, { "0e5", "0" }, { "0.000e-999999999", "0" },
		{ "1e-400", "0" },
		{ "-1e-400", "0" }, { "1.0", "1" }, { "-1.50", "-1.5" }, { "1e0", "1" }, { "100e-2", "1" },
		{ "1E+2", "100" },
		{ "123e-2", "1.23" }, { "0.1", "0.1" }, { "10.0e-1", "1" }, { "1e-6", "0.000001" },
		{ "1e-7", "1e-7" },
		{ "1.5e-7", "1.5e-7" }, { "0.00000123", "0.00000123" }, { "0.000000123", "1.23e-7" },
		{ "-0.0000001", "-1e-7" },
		{ "1e20", "100000000000000000000" }, { "1e21", "1e+21" }, { "123e19", "1.23e+21" },
		{ "1.5e300", "1.5e+300" },
		{ "12345678901234567890.0", "12345678901234567000" },
		{ "123456789012345680000", "123456789012345680000" },
		{ "123456789012345678900.0", "123456789012345680000" },
		{ "1234567890123456789012.0", "1.2345678901234568e+21" },
		/* integers of 64 bits stay */
		{ "9007199254740991", "9007199254740991" }, { "9007199254740993", "9007199254740993" },
		{ "-9007199254740993", "-9007199254740993" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854776000", "9223372036854776000" },
		{ "9007199254740993.0", "9007199254740992" }, { "9007199254740993e0", "9007199254740992" },
		{ "9223372036854775807.0", "9223372036854776000" }, { "1e18", "1000000000000000000" },
		{ "1e19", "10000000000000000000" },
		{ "-1e19", "-10000000000000000000" }, { "123456789012345678e1", "1234567890123456800" },
		/* the edges of doubles */
		{ "5e-324", "5e-324" }, { "4.9406564584124654e-324", "5e-324" },
		{ "2.4703282292062327e-324", "0" },
		{ "2.4703282292062329e-324", "5e-324" },
		{ "2.2250738585072014e-308", "2.2250738585072014e-308" },
		{ "2.2250738585072011e-308", "2.225073858507201e-308" },
		{ "1.7976931348623157e308", "1.7976931348623157e+308" },
		{ "1.7976931348623158e308", "1.7976931348623157e+308" },
		{ "1.123456789012345e-310", "1.1234567890123e-310" },
		{ "1.5e-323", "1.5e-323" }, { "1.7e-323", "1.5e-323" },
		{ "9.99999999999999e307", "9.99999999999999e+307" },
		/* shortest: 17, 16, fewer digits; half way; below powers of two */
		{ "0.30000000000000004", "0.30000000000000004" }, { "0.1000000000000000055", "0.1" },
		{ "0.3333333333333333148", "0.3333333333333333" },
		{ "5.6843418860808015e-14", "5.684341886080802e-14" },
		{ "9.5367431640625e-7", "9.5367431640625e-7" },
		{ "2.3283064365386963e-10", "2.3283064365386963e-10" },
		{ "9007199254740992.5", "9007199254740992" }, { "4503599627370497.5", "4503599627370498" },
		{ "4503599627370496.25", "4503599627370496" }, { "1.0000000000000002", "1.0000000000000002" },
		{ "0.99999999999999989", "0.9999999999999999" }, { "299792458.00000000000", "299792458" },
		{ "2.98023223876953125e-8", "2.9802322387695312e-8" },
		{ "9.8439498487593495e-9", "9.84394984875935e-9" },
		{ "1.2345678901234565e22", "1.2345678901234566e+22" }, { "9.5e-323", "9.4e-323" },
		{ "1e23", "1e+23" },
		{ "9.9999999999999991611392e22", "1e+23" }, { "9.999999999999999e22", "1e+23" },
		{ "7.1202363472230444e-307", "7.120236347223045e-307" },
		{ "2251799813685248.5", "2251799813685248.5" },
		{ "179769313486231570000e288", "1.7976931348623157e+308" }, { "-2.5e-1", "-0.25" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("%s is %s", cases[i].text, cases[i].canonical);
		CHECK_STR(canon(cases[i].text, DOC_NONE), cases[i].canonical);
		properties(cases[i].text);
	}
}

/* Numbers made of random bits, of powers of two and ten and their neighbours. */
static void random_numbers(void)
{
	uint64_t x = 88172645463325252u;
	struct buf b = BUF_INIT;
	int bad = 0;

	test("a printed double reads back, is canonical and the shortest of %%.*g");
	for (int i = 0; i < 30000; i++) {
		double v;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(&v, &x, sizeof v);
		if (i % 3 == 1)
			v = ldexp(1, i % 2098 - 1074);
		if (i % 3 == 2)
			v = (double)(int64_t)x / pow(10, i % 20);
		if (!isfinite(v))
			continue;
		buf_reset(&b);
		canon_double(&b, v);
		bool good = doc_parse(&d, b.s, b.len, 0) == 0 && d.canonical && doc_double(&d, 0) == v;
		/* no fewer digits would do */
		int digits = 0;
		char s[40];
		do
			snprintf(s, sizeof s, "%.*e", digits++, v);
		while (strtod(s, NULL) != v);
		int n = 0, zeros = 0;
		for (const char *p = b.s; *p && *p != 'e'; p++) {
			n += *p >= '0' && *p <= '9' && (n > 0 || *p != '0');
			zeros = *p == '0' ? zeros + 1 : *p == '.' ? zeros : 0;
		}
		good &= n - zeros <= digits || v == 0;
		if (!good && bad++ < 5)
			printf("# %.17g is printed %s\n", v, b.s);
	}
	CHECK(bad == 0);
	buf_release(&b);
}

static void scalars(void)
{
	struct buf b = BUF_INIT;

	test("scalars are appended");
	canon_int(&b, 0);
	canon_int(&b, -1);
	canon_int(&b, INT64_MIN);
	canon_int(&b, INT64_MAX);
	canon_double(&b, -0.0);
	canon_double(&b, DBL_MIN);
	canon_string(&b, "a\"\\\x01\x1f\n\x7F\xC3\xA9", 9);
	canon_string(&b, "", 0);
	canon_string(&b, NULL, 0);
	canon_string(&b, "\0", 1);
	CHECK_STR(b.s, "0-1-9223372036854775808922337203685477580702.2250738585072014e-308"
	               "\"a\\\"\\\\\\u0001\\u001f\\n\x7F\xC3\xA9\"\"\"\"\"\"\\u0000\"");
	buf_release(&b);
}

/* A string is looked through in eights: each byte is told from the others at each place in them. */
static void strings(void)
{
	static const struct {
		char c;
		const char *written;
	} cases[] = { { '\0', "\\u0000" }, { '\x1f', "\\u001f" }, { ' ', " " },   { '!', "!" },    { '"', "\\\"" },
		      { '#', "#" },        { '[', "[" },           { '\\', "\\\\" }, { ']', "]" }, { '\x7f', "\x7f" },
		      { '\x80', "\x80" },  { '\xa2', "\xa2" },     { '\xdc', "\xdc" }, { '\xff', "\xff" } };
	enum { LONGEST = 18 };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("byte %02x in strings", (unsigned)(unsigned char)cases[i].c);
		for (size_t at = 0; at < LONGEST; at++) {
			char s[LONGEST];
			struct buf is = BUF_INIT, expected = BUF_INIT;

			memset(s, 'x', sizeof s);
			s[at] = cases[i].c;
			canon_string(&is, s, sizeof s);
			buf_addf(&expected, "\"%.*s%s%.*s\"", (int)at, "xxxxxxxxxxxxxxxxxx", cases[i].written,
			         (int)(LONGEST - 1 - at), "xxxxxxxxxxxxxxxxxx");
			CHECK_STR(is.s, expected.s);
			buf_release(&is);
			buf_release(&expected);
		}
	}
}

static void skipping(void)
{
	static const struct {
		const char *text, *without;
		uint32_t skip;
	} cases[] = {
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":2,\"c\":3}", 2 },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}", 4 },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2}", 6 }, { "{\"a\":[1,{}]}", "{}", 2 },
		{ "{\"a\":[1,{}]}", "{\"a\":[{}]}", 3 }, { "{\"a\":[1,{}]}", "{\"a\":[1]}", 4 },
		{ "[[],[]]", "[[]]", 1 }, { "[0]", "[]", 1 },
		{ "{\"c\":1,\"b\":[],\"a\":3}", "{\"a\":3,\"c\":1}", 4 },
		{ "{\"b\":{\"y\":1,\"x\":2},\"a\":0}", "{\"a\":0,\"b\":{\"y\":1}}", 6 },
		{ "[\"a:\",\"b\"]", "[\"b\"]", 1 }, { "[\"a\",\":\",\"b\"]", "[\"a\",\"b\"]", 2 },
		{ "{\"a\":\",\",\"b\":1}", "{\"a\":\",\"}", 4 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char hex[HEX_SIZE], expected[HEX_SIZE];
		struct buf spaced = BUF_INIT;

		test("%s without token %u", cases[i].text, cases[i].skip);
		CHECK_STR(canon(cases[i].text, cases[i].skip), cases[i].without);
		canon_hash(&d, 0, cases[i].skip, hex);
		digest_hex(cases[i].without, strlen(cases[i].without), expected);
		CHECK_STR(hex, expected);
		buf_addf(&spaced, " %s\n", cases[i].text); /* no longer canonical */
		CHECK_STR(canon(spaced.s, cases[i].skip), cases[i].without);
		canon_hash(&d, 0, cases[i].skip, hex);
		CHECK_STR(hex, expected);
		buf_release(&spaced);
	}

	test("a part of a document");
	canon("{\"x\":[1,2],\"a\":{\"c\":1,\"b\":2}}", DOC_NONE);
	struct buf b = BUF_INIT;
	canon_value(&b, &d, 2, DOC_NONE);
	canon_value(&b, &d, 2, 3);
	canon_value(&b, &d, 2, 6);
	canon_value(&b, &d, 1, DOC_NONE);
	CHECK_STR(b.s, "[1,2][2][1,2]\"x\"");
	buf_reset(&b);
	canon("{\"a\":{\"b\":2,\"c\":1},\"x\":[1,2]}", DOC_NONE);
	CHECK(d.canonical);
	canon_value(&b, &d, 8, DOC_NONE);
	canon_value(&b, &d, 8, 9);
	canon_value(&b, &d, 8, 2);
	canon_value(&b, &d, 7, DOC_NONE);
	CHECK_STR(b.s, "[1,2][2][1,2]\"x\"");
	buf_release(&b);
}

static void deep(void)
{
	struct buf b = BUF_INIT;

	test("640 deep");
	for (int i = 0; i < 640; i++)
		buf_addstr(&b, i % 2 ? "{\"b\":0,\"a\":" : "[ ");
	buf_addstr(&b, "1");
	for (int i = 639; i >= 0; i--)
		buf_addstr(&b, i % 2 ? "}" : "]");
	properties(b.s);
	buf_release(&b);
}

/* A locale with a decimal comma changes nothing; skipped where there is none. */
static void locale(void)
{
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE") && !setlocale(LC_ALL,
		"fr_FR.UTF-8"))
		return;
	test("a decimal comma changes nothing");
	CHECK_STR(canon("[0.30000000000000004,1.5e-320,12345.6789012345678]", DOC_NONE),
	          "[0.30000000000000004,1.5e-320,12345.678901234567]");
	setlocale(LC_ALL, "C");
}

int main(void)
{
	texts();
	numbers();
	random_numbers();
	scalars();
	strings();
	skipping();
	deep();
	locale();
	canon("0", DOC_NONE);
	doc_release(&d);
	doc_release(&again);
	digest_close();
	return test_end();
}
