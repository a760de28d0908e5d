/* backoff_test.c -- pauses: they double, end somewhere, and are not all the same. */
#include "backoff.h"

#include "test.h"

#include <limits.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void)
{
	static const int64_t longest[] = { 200, 400, 800, 1600, 3200, 5000, 5000 };
	bool differ = false;

	test("EK-51 a pause doubles with each attempt and has an upper end");
	for (unsigned a = 0; a < sizeof longest / sizeof *longest; a++)
		for (int i = 0; i < 200; i++) {
			int64_t ms = backoff_ms(a);

			CHECK(ms >= longest[a] / 2 && ms <= longest[a]);
		}
	CHECK(backoff_ms(UINT_MAX) <= 5000 && backoff_ms(UINT_MAX) >= 2500);

	test("EK-51 two pauses are seldom the same");
	for (int i = 0; i < 50; i++)
		differ = differ || backoff_ms(4) != backoff_ms(4);
	CHECK(differ);

	test("who waits has waited");
	int64_t start = now_ms();

	backoff_wait(30);
	CHECK(now_ms() - start >= 29);
	return test_end();
}
