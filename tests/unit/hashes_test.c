/* hashes_test.c -- hashes in the order they came. */
#include "hashes.h"

#include "test.h"

enum { MOST = 1000 };

static const char *spell(char hex[HEX_SIZE], size_t i)
{
	digest_hex(&i, sizeof i, hex);
	return hex;
}

int main(void)
{
	struct hashes h = HASHES_INIT;
	char hex[HEX_SIZE];

	test("nothing is found among no hashes");
	CHECK(hashes_find(&h, spell(hex, 0)) == HASHES_NONE);

	test("a hash is found at its place, however many come after it");
	for (size_t i = 0; i < MOST; i++)
		CHECK(hashes_add(&h, spell(hex, i)) == i && h.n == i + 1 && h.n <= h.cap);
	for (size_t i = 0; i < MOST; i++)
		CHECK(hashes_find(&h, spell(hex, i)) == (int64_t)i && strcmp(h.list[i], hex) == 0);
	CHECK(hashes_find(&h, spell(hex, MOST)) == HASHES_NONE);

	test("a hash that came again is found at its last place, and stands at both");
	CHECK(hashes_add(&h, spell(hex, 7)) == MOST && hashes_find(&h, hex) == MOST);
	CHECK(strcmp(h.list[7], hex) == 0 && strcmp(h.list[MOST], hex) == 0);
	for (size_t i = 0; i < MOST; i++) /* past the next growth */
		hashes_add(&h, spell(hex, MOST + 1 + i));
	CHECK(hashes_find(&h, spell(hex, 7)) == MOST && hashes_find(&h, spell(hex, 8)) == 8);
	hashes_release(&h);
	return test_end();
}
