/* secret_test.c -- what is found in a text, and what is let alone. */
#include "redact.h"

#include "test.h"

static void texts(void)
{
	static const struct {
		const char *text, *safe; /* safe NULL: as it is */
	} cases[] = {
		{ "", NULL },
		{ "token", NULL },
		{ "token=", NULL },
		{ "a token is missing", NULL },
		{ "secretary=fine", NULL },
		{ "tokens: 5", NULL },
		{ "token=x", "token=[redacted]" },
		{ "--api-token=x y", "--api-token=[redacted] y" },
		{ "PGPASSWORD = 'a b' c", "PGPASSWORD = '[redacted]' c" },
		{ "{\"private_key\":\"a\\\"b\",\"n\":1}", "{\"private_key\":\"[redacted]\",\"n\":1}" },
		{ "{\\\"secret\\\":\\\"a\\\"}", "{\\\"secret\\\":\\\"[redacted]\\\"}" },
		{ "password=[redacted]", "password=[redacted]" },
		{ "Authorization: Bearer a.b.c, x", "Authorization: [redacted], x" },
		{ "postgresql://u:p@h/d", "postgresql://u:[redacted]@h/d" },
		{ "redis://:p@h", "redis://:[redacted]@h" },
		{ "x://u:a@b@h", "x://u:[redacted]@h" },
		{ "x://u:a/b@h/d", "x://u:[redacted]@h/d" },
		{ "x://u:it's@h 'y'", "x://u:[redacted]@h 'y'" },
		{ "'x://u:p@h' z@y", "'x://u:[redacted]@h' z@y" },
		{ "http://h:80/a@b", NULL },
		{ "http://h/a:b@c", NULL },
		{ "x://u@h", NULL },
		{ "x://h?password=p&a=b", "x://h?password=[redacted]&a=b" },
		{ "x://u:p@h y://v:q@i", "x://u:[redacted]@h y://v:[redacted]@i" },
		{ "token://x", NULL },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *safe = cases[i].safe ? cases[i].safe : cases[i].text;

		test("redacting %s", cases[i].text);
		buf_reset(&b);
		buf_addstr(&b, "");
		redact_text(&b, cases[i].text, strlen(cases[i].text));
		CHECK_STR(b.s ? b.s : "", safe);
		/* a second time changes nothing more */
		struct buf again = BUF_INIT;

		redact_text(&again, safe, strlen(safe));
		CHECK_STR(again.s ? again.s : "", safe);
		buf_release(&again);
	}
	buf_release(&b);
}

static size_t found(const char *s, enum secret_kind kind)
{
	size_t i = 0, from, to, n = 0;

	while (secret_next(s, strlen(s), kind, &i, &from, &to))
		n++;
	return n;
}

int main(void)
{
	texts();
	test("a reference is let alone, a URI in its place is not");
	CHECK(found("notes/token: 4.json", SECRET_URI) == 0);
	CHECK(found("notes/token: 4.json", SECRET_ANY) == 1);
	CHECK(found("x://u:p@h/token=y", SECRET_URI) == 2);
	CHECK(found("x://h/?token=y", SECRET_URI) == 1);
	return test_end();
}
