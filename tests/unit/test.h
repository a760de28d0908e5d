/*
 * test.h -- checks for unit tests, reported as TAP.
 *
 * int main(void)
 * {
 *	test("an empty text is refused");
 *	CHECK(doc_parse(&d, "", 0, 1) < 0);
 *	return test_end();
 * }
 *
 * A test fails with the first of its checks that fails; the others are still run.
 */
#ifndef MIG_TEST_H
#define MIG_TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int test_count, test_failures;
static bool test_bad;
static char test_name[256];

static inline void test_close(void)
{
	if (test_name[0])
		printf("%s %d - %s\n", test_bad ? "not ok" : "ok", ++test_count, test_name);
	test_failures += test_bad;
	test_bad = false;
}

/* Begin a test of this name; the one before it ends. */
__attribute__((format(printf, 1, 2)))
static inline void test(const char *fmt, ...)
{
	va_list ap;

	test_close();
	va_start(ap, fmt);
	vsnprintf(test_name, sizeof test_name, fmt, ap);
	va_end(ap);
}

/* End the last test; what main returns. */
static inline int test_end(void)
{
	test_close();
	printf("1..%d\n", test_count);
	return test_failures > 0;
}

static inline bool test_check(bool good, const char *what, const char *file, int line)
{
	if (!good) {
		test_bad = true;
		printf("# %s:%d: %s\n", file, line, what);
	}
	return good;
}

static inline bool test_str(const char *a, const char *b, const char *file, int line)
{
	if (a && b && strcmp(a, b) == 0)
		return true;
	test_check(false, "strings differ", file, line);
	printf("#   is       %s\n#   expected %s\n", a ? a : "(null)", b ? b : "(null)");
	return false;
}

/* Both are true if the check holds. */
#define CHECK(cond) test_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_STR(is, expected) test_str((is), (expected), __FILE__, __LINE__)

#endif
