/* rows_test.c -- references of rows, the order of entities, and the balance. */
#include "balance.h"
#include "entities.h"
#include "rowref.h"

#include "test.h"

#include <stdlib.h>

static struct text of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* Does the reference come back as its entity and id? */
static bool comes_back(const char *entity, const char *id, const char *want)
{
	struct buf ref = BUF_INIT, back = BUF_INIT;

	rowref_write(&ref, of(entity), of(id));
	bool ok = strcmp(ref.s, want) == 0 && rowref_id((struct text){ ref.s, ref.len }, of(entity), &back) &&
	          text_is((struct text){ back.s, back.len }, id);

	buf_release(&ref);
	buf_release(&back);
	return ok;
}

static bool is_of(const char *ref, const char *entity)
{
	struct buf b = BUF_INIT;
	bool ok = rowref_id(of(ref), of(entity), &b);

	buf_release(&b);
	return ok;
}

/* "a>b b>c" in the order that entities_order gives: "c b a" */
static bool ordered(const char *links, const char *want)
{
	struct entities e = { .v = NULL };
	struct buf got = BUF_INIT;

	for (const char *p = links; *p; p += p[3] ? 4 : 3)
		entities_link(&e, entities_find(&e, (struct text){ p, 1 }), entities_find(&e, (struct text){ p + 2, 1 }));
	size_t *order = entities_order(&e);

	for (size_t i = 0; i < e.n; i++)
		buf_addf(&got, "%s%s", i ? " " : "", e.v[order[i]].name);
	bool ok = strcmp(got.s, want) == 0;

	if (!ok)
		printf("# %s: %s, not %s\n", links, got.s, want);
	free(order);
	buf_release(&got);
	entities_release(&e);
	return ok;
}

/* The digest of rows of one entity whose items are the bytes given, as hex. */
static bool sums(const unsigned char *a, const unsigned char *b, const char *want)
{
	struct balance sum = BALANCE_INIT;
	struct buf json = BUF_INIT;

	balance_add(&sum, TEXT("e"), a);
	balance_add(&sum, TEXT("e"), b);
	balance_json(&sum, &json);
	bool ok = strstr(json.s, want) && strstr(json.s, "\"count\":2");

	buf_release(&json);
	balance_release(&sum);
	return ok;
}

int main(void)
{
	unsigned char most[DIGEST_BYTES], one[DIGEST_BYTES] = { [DIGEST_BYTES - 1] = 1 };

	memset(most, 0xff, sizeof most);
	test("a reference holds entity and id, and gives them back");
	CHECK(comes_back("posts", "7", "posts/7"));
	CHECK(comes_back("posts", "a/b", "posts/a/b"));
	CHECK(comes_back("a/b", "50%", "a%2Fb/50%25"));
	CHECK(comes_back("posts", "a\nb\x7f", "posts/a%0Ab%7F"));
	CHECK(comes_back("posts", "\xc3\xbc", "posts/\xc3\xbc"));

	test("what is no reference of the entity is none");
	CHECK(!is_of("posts/7", "post") && !is_of("posts", "posts") && !is_of("posts/", "posts") && !is_of("/7", "posts"));
	CHECK(!is_of("posts/%4", "posts") && !is_of("posts/%zz", "posts") && !is_of("posts/%4a", "posts"));

	test("entities that others lead to come first, among equals the smaller name");
	CHECK(ordered("a>b b>c", "c b a"));
	CHECK(ordered("a>d b>d c>d", "d a b c"));
	CHECK(ordered("d>b d>c b>a c>a", "a b c d"));

	test("a circle begins with its smallest name, and what leads to it waits");
	CHECK(ordered("a>b b>c c>b", "b a c"));
	CHECK(ordered("z>z", "z"));
	CHECK(ordered("a>a a>b b>c c>b", "b a c"));

	test("digests are added as numbers of 256 bits");
	CHECK(sums(most, one, "\"digest\":\"0000000000000000000000000000000000000000000000000000000000000000\""));
	CHECK(sums(one, one, "\"digest\":\"0000000000000000000000000000000000000000000000000000000000000002\""));
	CHECK(sums(most, most, "\"digest\":\"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe\""));
	return test_end();
}
