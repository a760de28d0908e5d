/* digitruns.c -- see digitruns.h */
#include "digitruns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_behind(int64_t v, const char *after)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, v);
	return strcmp(text, after) > 0;
}

/* Leave out the front of a range, whose texts ascend. */
static bool cut(struct digitrun *r, const char *after)
{
	uint64_t low = 0, n = (uint64_t)r->most - (uint64_t)r->least + 1, high = n;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		int64_t v = r->down ? (int64_t)((uint64_t)r->most - mid) : (int64_t)((uint64_t)r->least + mid);

		if (is_behind(v, after))
			high = mid;
		else
			low = mid + 1;
	}
	if (low == n)
		return false;
	if (r->down)
		r->most = (int64_t)((uint64_t)r->most - low);
	else
		r->least = (int64_t)((uint64_t)r->least + low);
	return true;
}

static size_t add(struct digitrun r, int64_t least, int64_t most, const char *after, struct digitrun *to)
{
	r.least = r.least > least ? r.least : least;
	r.most = r.most < most ? r.most : most;
	if (r.least > r.most || !cut(&r, after))
		return 0;
	*to = r;
	return 1;
}

size_t digitruns(int64_t least, int64_t most, const char *after, struct digitrun run[DIGITRUNS])
{
	size_t n = 0;
	int64_t from = 0, to = 9;

	for (int digits = 1; digits <= 19; digits++) {
		bool last = digits == 19;

		n += add((struct digitrun){ from, to, false }, least, most, after, &run[n]);
		n += add((struct digitrun){ last ? INT64_MIN : -to, digits == 1 ? -1 : -from, true }, least, most,
		         after, &run[n]);
		from = digits == 1 ? 10 : from * (last ? 1 : 10);
		to = digits == 18 ? INT64_MAX : last ? to : to * 10 + 9;
	}
	return n;
}
