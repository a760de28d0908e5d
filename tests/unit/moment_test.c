/* moment_test.c -- times: read, compared, written. */
#include "moment.h"

#include "test.h"

#include <stdlib.h>
#include <time.h>

static bool reads(const char *s, struct moment *m)
{
	return moment_read((struct text){ s, strlen(s) }, m);
}

int main(void)
{
	static const char *const bad[] = { "", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31t12:00:00Z",
		                           "2026-01-31T12:00:00z", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00+00:00",
		                           "2026-1-31T12:00:00Z", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z ",
		                           "2026-00-31T12:00:00Z", "2026-13-31T12:00:00Z", "2026-02-29T12:00:00Z",
		                           "2026-04-31T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z",
		                           "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.Z",
		                           "2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00.5", "+026-01-31T12:00:00Z",
		                           "1900-02-29T00:00:00Z", "2026-01-31T12:00:00ZZ", "latest" };
	char text[MOMENT_SIZE];
	struct moment m, n;

	test("what is not exactly a time is refused");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK(!reads(bad[i], &m)))
			printf("# %s\n", bad[i]);

	test("seconds are those of timegm, from year 0 to 9999, and read back as they are written");
	for (int64_t s = -62167219200; s < 253402300800; s += 40000 * 97 + 13) {
		moment_write(s, text);
		if (!CHECK(reads(text, &m) && m.seconds == s && m.nanos == 0)) {
			printf("# %s is %lld\n", text, (long long)s);
			break;
		}
	}
	CHECK(reads("1970-01-01T00:00:00Z", &m) && m.seconds == 0);
	CHECK(reads("2000-02-29T23:59:59Z", &m) && m.seconds == 951868799);
	CHECK(reads("9999-12-31T23:59:59Z", &m) && m.seconds == 253402300799);

	test("fractions count, whatever their length");
	CHECK(reads("2026-01-31T12:00:00.5Z", &m) && m.nanos == 500000000);
	CHECK(reads("2026-01-31T12:00:00.500000000Z", &n) && moment_compare(m, n) == 0);
	CHECK(reads("2026-01-31T12:00:00.499999999Z", &n) && moment_compare(m, n) > 0 && moment_compare(n, m) < 0);
	CHECK(reads("2026-01-31T12:00:01Z", &n) && moment_compare(m, n) < 0);

	test("the front of a time ends with a whole part");
	static const char *const front[] = { "2026", "2026-01", "2026-01-31", "2026-01-31T12", "2026-01-31T12:00",
		                             "2026-01-31T12:00:00", "2026-01-31T12:00:00Z" };
	static const char *const torn[] = { "", "202", "2026-", "2026-1", "2026-01-31T", "2026-01-31 12", "2026-01-31T12:00:0",
		                            "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00ZZ", "2026Z", "latest" };
	for (size_t i = 0; i < sizeof front / sizeof *front; i++)
		if (!CHECK(moment_front(front[i])))
			printf("# %s\n", front[i]);
	for (size_t i = 0; i < sizeof torn / sizeof *torn; i++)
		if (!CHECK(!moment_front(torn[i])))
			printf("# %s\n", torn[i]);
	return test_end();
}
