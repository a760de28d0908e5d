/* digitruns_test.c -- integers in the order of their texts. */
#include "digitruns.h"

#include "test.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MOST = 3000 };

static void spell(int64_t v, char text[24])
{
	snprintf(text, 24, "%" PRId64, v);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All members of the ranges, each range in ascending order of texts: how many, or -1. */
static int members(const struct digitrun *r, size_t n, char text[MOST][24])
{
	int got = 0;

	for (size_t i = 0; i < n; i++) {
		int first = got;

		for (int64_t k = 0; k <= r[i].most - r[i].least; k++) {
			spell(r[i].down ? r[i].most - k : r[i].least + k, text[got++]);
			if (got - first > 1 && strcmp(text[got - 2], text[got - 1]) >= 0)
				return -1;
		}
	}
	return got;
}

/* Do the ranges hold just the integers from least to most that are behind after? */
static bool holds(int64_t least, int64_t most, const char *after)
{
	static char got[MOST][24], want[MOST][24];
	struct digitrun r[DIGITRUNS];
	int n = members(r, digitruns(least, most, after, r), got), all = 0;

	for (int64_t v = least; v <= most; v++) {
		spell(v, want[all]);
		all += strcmp(want[all], after) > 0;
	}
	if (n != all)
		return false;
	qsort(got, (size_t)n, sizeof *got, by_text);
	qsort(want, (size_t)n, sizeof *want, by_text);
	for (int i = 0; i < n; i++)
		if (strcmp(got[i], want[i]) != 0)
			return false;
	return true;
}

int main(void)
{
	static const char *const after[] = { "", "-", "-1", "-10", "-5", "-999", "-a", "0", "00", "1", "10", "11", "1199",
		                             "12", "5", "5.5", "9", "99", "999", ":", " " };
	struct digitrun r[DIGITRUNS];
	uint64_t n = 0;

	test("the ranges hold every integer once, in the order of the texts");
	CHECK(holds(-1200, 1200, ""));
	CHECK(holds(-12, -3, "") && holds(0, 0, "") && holds(7, 130, "") && holds(-1, 0, "") && holds(5, 4, ""));

	test("what is not behind a text is left out");
	for (size_t i = 0; i < sizeof after / sizeof *after; i++)
		if (!CHECK(holds(-1200, 1200, after[i])))
			printf("# %s\n", after[i]);

	test("all 64 bits are there");
	size_t ranges = digitruns(INT64_MIN, INT64_MAX, "", r);

	CHECK(ranges == DIGITRUNS);
	for (size_t i = 0; i < ranges; i++)
		n += (uint64_t)r[i].most - (uint64_t)r[i].least + 1;
	CHECK(n == 0); /* 2^64 */
	CHECK(digitruns(INT64_MIN, INT64_MAX, "9223372036854775806", r) > 0);
	CHECK(digitruns(INT64_MAX, INT64_MAX, "9223372036854775807", r) == 0);
	CHECK(digitruns(INT64_MIN, INT64_MIN, "-9223372036854775807", r) == 1 && r[0].least == INT64_MIN);
	return test_end();
}
