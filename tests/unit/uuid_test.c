/* uuid_test.c -- UUIDs: read, spelled, made from names. */
#include "uuid.h"

#include "test.h"

static bool reads(const char *s, unsigned char id[UUID_BYTES])
{
	return uuid_read((struct text){ s, strlen(s) }, id);
}

static bool names(const char *space, const char *name, const char *want)
{
	unsigned char s[UUID_BYTES], id[UUID_BYTES];
	char spelled[UUID_SIZE];

	if (!reads(space, s))
		return false;
	uuid_v5(s, (struct text){ name, strlen(name) }, id);
	uuid_write(id, spelled);
	return strcmp(spelled, want) == 0;
}

int main(void)
{
	static const char dns[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", url[] = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
	static const char *const bad[] = { "", "6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810-9dad-11d1-80b4-00c04fd430c8a",
		                           "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
		                           "6ba7b8109-dad-11d1-80b4-00c04fd430c8", "{ba7b810-9dad-11d1-80b4-00c04fd430c8",
		                           "6ba7b810-9dad-11d1-80b4_00c04fd430c8" };
	unsigned char id[UUID_BYTES];
	char spelled[UUID_SIZE];

	test("what is not exactly a UUID is refused");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK(!reads(bad[i], id)))
			printf("# %s\n", bad[i]);

	test("either case is read, lower case is written");
	CHECK(reads("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", id));
	uuid_write(id, spelled);
	CHECK(strcmp(spelled, dns) == 0);

	test("names give the UUIDs that others make of them");
	CHECK(names(dns, "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d"));
	CHECK(names(dns, "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"));
	CHECK(names(url, "http://www.ietf.org/rfc/rfc4122.txt", "d0690b3c-b29d-52e7-81b0-d573b503f2d4"));
	return test_end();
}
