/* sorted_test.c -- keys ascend, whatever fits in memory. */
#include "sorted.h"
#include "test.h"

#include <stdlib.h>

/* n values under keys that a multiplier scatters; many of them twice. */
static bool comes_sorted(unsigned n, size_t limit, size_t *runs)
{
	struct diag d = DIAG_INIT;
	struct sorted s;
	struct text key, value;
	char was[32] = "", k[32], v[64];
	unsigned got = 0, last = 0;
	bool good = sorted_init(&s, &d) == 0;

	s.limit = limit;
	for (unsigned i = 0; i < n; i++) {
		int nk = snprintf(k, sizeof k, "%u", i * 7919u % (n / 2 + 1));
		int nv = snprintf(v, sizeof v, "%u value of %s", i, k);

		good = good && sorted_add(&s, (struct text){ k, (size_t)nk }, (struct text){ v, (size_t)nv }, &d) == 0;
	}
	good = good && sorted_begin(&s, &d) == 0;
	*runs = s.nrun;
	while (good && sorted_next(&s, &key, &value, &d) > 0) {
		snprintf(k, sizeof k, "%.*s", (int)key.n, key.s);
		snprintf(v, sizeof v, "%.*s", (int)value.n, value.s);
		unsigned i = (unsigned)strtoul(v, NULL, 10);

		good = strcmp(was, k) <= 0 && (strcmp(was, k) != 0 || last < i) && strstr(v, "value of ") &&
		       strcmp(strrchr(v, ' ') + 1, k) == 0;
		strcpy(was, k);
		last = i;
		got++;
	}
	good = good && got == n && s.n == n && d.n == 0;
	sorted_release(&s);
	diag_release(&d);
	return good;
}

int main(void)
{
	struct diag d = DIAG_INIT;
	struct sorted s;
	struct text key, value;
	size_t runs;

	test("EK-11 what fits in memory comes out in the order of its keys, equal ones as they came");
	CHECK(comes_sorted(1000, (size_t)1 << 20, &runs));
	CHECK(runs == 0);
	test("EK-11 so does what was spilled in some runs");
	CHECK(comes_sorted(20000, 64 * 1024, &runs));
	CHECK(runs > 1);
	test("EK-11 and in more runs than are merged at once");
	CHECK(comes_sorted(20000, 256, &runs));
	CHECK(runs > 1 && runs <= 64);
	test("a run may be of one value that is larger than a run");
	CHECK(comes_sorted(300, 1, &runs));
	test("nothing is sorted into nothing");
	CHECK(sorted_init(&s, &d) == 0 && sorted_begin(&s, &d) == 0);
	CHECK(sorted_next(&s, &key, &value, &d) == 0 && sorted_next(&s, &key, &value, &d) == 0);
	sorted_release(&s);
	test("keys are compared as bytes, and the shorter of two is the first");
	CHECK(sorted_init(&s, &d) == 0);
	CHECK(sorted_add(&s, TEXT("a\xc3\xa9"), TEXT("4"), &d) == 0 && sorted_add(&s, TEXT("ab"), TEXT("3"), &d) == 0);
	CHECK(sorted_add(&s, TEXT("a"), TEXT(""), &d) == 0 && sorted_add(&s, TEXT(""), TEXT("1"), &d) == 0);
	CHECK(sorted_begin(&s, &d) == 0);
	CHECK(sorted_next(&s, &key, &value, &d) == 1 && text_is(value, "1"));
	CHECK(sorted_next(&s, &key, &value, &d) == 1 && text_is(key, "a") && value.n == 0);
	CHECK(sorted_next(&s, &key, &value, &d) == 1 && text_is(key, "ab"));
	CHECK(sorted_next(&s, &key, &value, &d) == 1 && text_is(value, "4"));
	CHECK(sorted_next(&s, &key, &value, &d) == 0);
	sorted_release(&s);
	diag_release(&d);
	return test_end();
}
