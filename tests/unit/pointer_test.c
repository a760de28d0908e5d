/* pointer_test.c -- RFC 6901 in both directions. */
#include "pointer.h"

#include "test.h"

static struct doc d;

static void lookups(void)
{
	/* RFC 6901 section 5, and then our own */
	static const char text[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
		"\"g|h\":4,\"i\\\\j\":5,"
	                           "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"o\":{\"\":{\"\":9}},\"~1\":10,"
	                           "\"\\u00e9\":11,\"p\":[[],[[12]]]}"
	                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const struct {
		const char *pointer, *span; /* NULL: nothing there */
	} cases[] = {
		{ "/foo", "[\"bar\",\"baz\"]" }, { "/foo/0", "\"bar\"" }, { "/foo/1", "\"baz\"" },
		{ "/", "0" }, { "/a~1b", "1" },
		{ "/c%d", "2" }, { "/e^f", "3" }, { "/g|h", "4" }, { "/i\\j", "5" }, { "/k\"l", "6" },
		{ "/ ", "7" }, { "/m~0n", "8" },
		{ "/o//", "9" }, { "/~01", "10" }, { "/\xC3\xA9", "11" }, { "/p/1/0/0", "12" },
		{ "/p/1/0", "[12]" },
		{ "/foo/2", NULL }, { "/foo/-", NULL }, { "/foo/00", NULL }, { "/foo/01", NULL },
		{ "/foo/+1", NULL }, { "/foo/", NULL },
		{ "/foo/99999999999999999999999", NULL }, { "/foo/4294967296", NULL }, { "/foo/0/0", NULL },
		{ "/a/b", NULL },
		{ "/bar", NULL }, { "foo", NULL }, { "/p/0/0", NULL }, { "//", NULL }, { "/o/", "{\"\":9}" },
		{ "/foo/0x", NULL },
	};
	uint32_t t = 99;

	test("the text of the lookups parses");
	CHECK(doc_parse(&d, text, strlen(text), 512) == 0);
	CHECK(pointer_find(&d, 0, "", 0, &t) && t == 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *p = cases[i].pointer;

		test("%s", p);
		if (!cases[i].span) {
			CHECK(!pointer_find(&d, 0, p, strlen(p), &t));
			continue;
		}
		struct buf b = BUF_INIT;
		if (CHECK(pointer_find(&d, 0, p, strlen(p), &t))) {
			CHECK(d.tok[t].len == strlen(cases[i].span) && memcmp(text + d.tok[t].off,
				cases[i].span, d.tok[t].len) == 0);
			pointer_of(&d, t, &b);
			CHECK_STR(b.s, p);
		}
		buf_release(&b);
	}
	test("below another root");
	uint32_t o = 0;
	CHECK(pointer_find(&d, 0, "/p", 2, &o) && pointer_find(&d, o, "/1/0/0", 6, &t));
	CHECK(d.text[d.tok[t].off] == '1');
}

static void validity(void)
{
	static const struct {
		const char *s;
		size_t n;
		bool valid;
	} cases[] = {
		{ "", 0, true }, { "/", 1, true }, { "/a/b", 4, true }, { "//", 2, true },
		{ "/~0~1", 5, true }, { "/\xC3\xA9", 3, true },
		{ "/\0", 2, true }, { "a", 1, false }, { "#/a", 3, false }, { "/~", 2, false },
		{ "/~2", 3, false }, { "/a~", 3, false },
		{ "/~/", 3, false }, { "/\xC3", 2, false }, { "/\xFF", 2, false },
		{ "/\xED\xA0\x80", 4, false }, { "/\xC0\x80", 3, false },
		{ "/\xF4\x90\x80\x80", 5, false }, { "/\xF4\x8F\xBF\xBF", 5, true },
		{ "/\xE0\x80\x80", 4, false }, { "/\xF0\x80\x80\x80", 5, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("pointer %zu is %s", i, cases[i].valid ? "valid" : "invalid");
		CHECK(pointer_valid(cases[i].s, cases[i].n) == cases[i].valid);
	}
}

static void pieces(void)
{
	struct buf b = BUF_INIT;
	size_t i = 0;

	test("reference tokens are added and split off");
	pointer_add(&b, "a/b~c", 5);
	pointer_add_index(&b, 12);
	pointer_add(&b, "", 0);
	pointer_add(&b, "~1", 2);
	CHECK_STR(b.s, "/a~1b~0c/12//~01");
	struct buf name = BUF_INIT;
	const char *s = b.s;
	size_t n = b.len;
	static const char *const names[] = { "a/b~c", "12", "", "~1" };
	for (size_t k = 0; k < 4; k++) {
		buf_reset(&name);
		buf_reserve(&name, 0);
		pointer_next(&s, &n, &name);
		CHECK_STR(name.s, names[k]);
	}
	CHECK(n == 0);
	buf_release(&name);
	buf_release(&b);

	test("indices");
	CHECK(pointer_index("0", 1, &i) && i == 0);
	CHECK(pointer_index("4096", 4, &i) && i == 4096);
	CHECK(!pointer_index("", 0, &i) && !pointer_index("-", 1, &i) && !pointer_index("-1", 2, &i));
	CHECK(!pointer_index("007", 3, &i) && !pointer_index("1 ", 2, &i) && !pointer_index("1e1", 3, &i));
	CHECK(!pointer_index("18446744073709551616", 20, &i));
}

int main(void)
{
	lookups();
	validity();
	pieces();
	doc_release(&d);
	return test_end();
}
