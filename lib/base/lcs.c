/*
 * lcs.c -- see lcs.h
 *
 * Positions are points (x, y) between the elements of a and b; diagonal k
 * holds those with x - y = k.  Two searches run against each other, from the
 * beginning and from the end; where they meet, the problem is cut in two.
 */
#include "lcs.h"

#include "base.h"

#include <stdlib.h>

enum { MAX_WORK = 1 << 26 }; /* comparisons: well under a second */

struct lcs {
	const uint32_t *a, *b;
	int32_t *match;
	int32_t *fore, *aft; /* by diagonal: the furthest x that each search has reached */
	int64_t work;
	int32_t rounds;      /* that the search may last */
};

struct area {
	int32_t x0, x1, y0, y1;
};

/* The diagonals that a search has reached, and those that exist. */
struct reach {
	int32_t lo, hi, min, max;
};

/* One round further: a new diagonal at each side, or one less where the box ends. */
static void widen(struct reach *r, int32_t *v, int32_t unset)
{
	if (r->lo > r->min)
		v[--r->lo - 1] = unset;
	else
		r->lo++;
	if (r->hi < r->max)
		v[++r->hi + 1] = unset;
	else
		r->hi--;
}

static bool within(const struct reach *r, int32_t k)
{
	return r->lo <= k && k <= r->hi;
}

/* Where the two searches meet: 0 and the point, or -1. */
static int meet(struct lcs *l, struct area c, int32_t *mx, int32_t *my)
{
	int32_t *fore = l->fore, *aft = l->aft, start = c.x0 - c.y0, goal = c.x1 - c.y1;
	struct reach f = { start, start, c.x0 - c.y1, c.x1 - c.y0 };
	struct reach g = { goal, goal, f.min, f.max };
	bool odd = (start - goal) & 1;

	fore[start] = c.x0;
	aft[goal] = c.x1;
	for (int32_t round = 1; round <= l->rounds; round++) {
		widen(&f, fore, -1);
		for (int32_t k = f.hi; k >= f.lo; k -= 2) {
			int32_t x = fore[k - 1] < fore[k + 1] ? fore[k + 1] : fore[k - 1] + 1, from = x;

			while (x < c.x1 && x - k < c.y1 && l->a[x] == l->b[x - k])
				x++;
			fore[k] = x;
			l->work += x - from + 1;
			if (odd && within(&g, k) && aft[k] <= x) {
				*mx = x;
				*my = x - k;
				return 0;
			}
		}
		widen(&g, aft, INT32_MAX);
		for (int32_t k = g.hi; k >= g.lo; k -= 2) {
			int32_t x = aft[k - 1] < aft[k + 1] ? aft[k - 1] : aft[k + 1] - 1, from = x;

			while (x > c.x0 && x - k > c.y0 && l->a[x - 1] == l->b[x - k - 1])
				x--;
			aft[k] = x;
			l->work += from - x + 1;
			if (!odd && within(&f, k) && x <= fore[k]) {
				*mx = x;
				*my = x - k;
				return 0;
			}
		}
		if (l->work > MAX_WORK)
			return -1;
	}
	return -1;
}

static int solve(struct lcs *l, struct area c)
{
	for (;;) {
		int32_t x, y;

		for (; c.x0 < c.x1 && c.y0 < c.y1 && l->a[c.x0] == l->b[c.y0]; c.x0++, c.y0++)
			l->match[c.x0] = c.y0;
		for (; c.x0 < c.x1 && c.y0 < c.y1 && l->a[c.x1 - 1] == l->b[c.y1 - 1]; c.x1--, c.y1--)
			l->match[c.x1 - 1] = c.y1 - 1;
		if (c.x0 == c.x1 || c.y0 == c.y1)
			return 0;
		/* each half holds half of the differences, so the calls nest no deeper than their logarithm */
		if (meet(l, c, &x, &y) < 0 ||
		    solve(l, (struct area){ c.x0, x, c.y0, y }) < 0)
			return -1;
		c.x0 = x;
		c.y0 = y;
	}
}

int lcs_match(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb, uint32_t max, int32_t *match)
{
	size_t ndiag = (size_t)na + nb + 3;
	int32_t *room = xcalloc(2 * ndiag, sizeof *room);
	struct lcs l = {
		.a = a, .b = b, .match = match, .rounds = (int32_t)(max / 2 + 1),
		.fore = room + nb + 1, .aft = room + ndiag + nb + 1,
	};
	uint32_t left = na + nb;

	for (uint32_t i = 0; i < na; i++)
		match[i] = -1;
	int e = solve(&l, (struct area){ 0, (int32_t)na, 0, (int32_t)nb });

	for (uint32_t i = 0; i < na; i++)
		left -= match[i] < 0 ? 0 : 2;
	free(room);
	return e < 0 || left > max ? -1 : 0;
}
