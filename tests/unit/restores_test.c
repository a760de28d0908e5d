/* restores_test.c -- what rollback plans put back, in turn. */
#include "restores.h"
#include "test.h"

static struct text hash_of(char digit, char *room)
{
	memset(room, digit, HEX_LEN);
	room[HEX_LEN] = '\0';
	return (struct text){ room, HEX_LEN };
}

/* A plan that restores these documents ("ab": a and b), each to the bytes whose hash is 64 times digit. */
static void add(struct restores *r, uint32_t place, const char *refs, char digit)
{
	struct step steps[4];
	struct plan p = PLAN_INIT;
	char raw[HEX_SIZE];

	memset(steps, 0, sizeof steps);
	p.step = steps;
	for (; refs[p.nstep]; p.nstep++) {
		steps[p.nstep].restore = true;
		steps[p.nstep].ref = (struct text){ refs + p.nstep, 1 };
		steps[p.nstep].raw = hash_of(digit, raw);
	}
	restores_add(r, place, &p);
}

static void in_turn(void)
{
	struct restores r = { .n = 0 };
	char raw[HEX_SIZE], want[HEX_SIZE];

	test("CH-22 a document that several plans restore");
	add(&r, 0, "ba", '3');
	add(&r, 1, "c", '3');
	add(&r, 2, "a", '2');
	add(&r, 3, "ac", '1');
	restores_sort(&r);
	CHECK(!restores_before(&r, TEXT("a"), 0, raw));
	CHECK(restores_before(&r, TEXT("a"), 2, raw) && strcmp(raw, hash_of('3', want).s) == 0);
	CHECK(restores_before(&r, TEXT("a"), 3, raw) && strcmp(raw, hash_of('2', want).s) == 0);
	CHECK(restores_before(&r, TEXT("c"), 3, raw) && strcmp(raw, hash_of('3', want).s) == 0);
	CHECK(!restores_before(&r, TEXT("c"), 1, raw));
	CHECK(!restores_before(&r, TEXT("d"), 3, raw));
	CHECK(restores_later(&r, TEXT("a"), 0, hash_of('2', want).s));
	CHECK(restores_later(&r, TEXT("a"), 0, hash_of('1', want).s));
	CHECK(!restores_later(&r, TEXT("a"), 0, hash_of('3', want).s));
	CHECK(!restores_later(&r, TEXT("a"), 3, hash_of('1', want).s));
	CHECK(!restores_later(&r, TEXT("b"), 0, hash_of('1', want).s));
	CHECK(restores_later(&r, TEXT("c"), 1, hash_of('1', want).s));
	restores_release(&r);
}

static void nothing(void)
{
	struct restores r = { .n = 0 };
	char raw[HEX_SIZE], want[HEX_SIZE];

	test("no plan restores anything");
	restores_sort(&r);
	CHECK(!restores_before(&r, TEXT("a"), 1, raw));
	CHECK(!restores_later(&r, TEXT("a"), 0, hash_of('0', want).s));
	restores_release(&r);
}

int main(void)
{
	in_turn();
	nothing();
	return test_end();
}
