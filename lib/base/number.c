/* number.c -- see number.h */
#include "number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Doubles are told apart by decimals of at most 767 digits; what follows those
 * can only say "a little more", which one digit says as well.
 */
enum { MAX_DIGITS = 800 };

/* 0.00125 is { n = 3, point = -2, "125" }: 0.125 times 10^-2.  Zero has no digits. */
struct decimal {
	bool negative;
	int n;
	int64_t point;
	char digit[MAX_DIGITS + 16]; /* no zero first or last; room for an exponent behind */
};

static size_t put_int(int64_t v, char *out)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char s[20], *p = s + sizeof s;
	size_t sign = v < 0;

	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	size_t n = (size_t)(s + sizeof s - p);

	out[0] = '-';
	memcpy(out + sign, p, n);
	return n + sign;
}

static int64_t read_exponent(const char *s, const char *end)
{
	bool negative = *s == '-';
	int64_t e = 0;

	for (s += *s == '-' || *s == '+'; s < end; s++)
		if (e < INT64_C(100000000000)) /* a text is shorter than 4 GiB: more changes nothing */
			e = e * 10 + (*s - '0');
	return negative ? -e : e;
}

static void decimal_read(struct decimal *x, const char *s, size_t n)
{
	const char *end = s + n;
	bool fraction = false, more = false;

	x->negative = *s == '-';
	x->n = 0;
	x->point = 0;
	for (s += x->negative; s < end && (*s | 0x20) != 'e'; s++) {
		if (*s == '.') {
			fraction = true;
		} else if (x->n == 0 && *s == '0') {
			x->point -= fraction;
		} else {
			x->point += !fraction;
			if (x->n < MAX_DIGITS)
				x->digit[x->n++] = *s;
			else
				more |= *s != '0';
		}
	}
	if (more)
		x->digit[x->n++] = '1';
	while (x->n > 0 && x->digit[x->n - 1] == '0')
		x->n--;
	if (s < end)
		x->point += read_exponent(s + 1, end);
}

static double decimal_value(struct decimal *x)
{
	double v;

	if (x->n == 0 || x->point < -330) {
		v = 0;
	} else if (x->point > 310) {
		v = HUGE_VAL;
	} else { /* digits and an exponent, no point: every locale's strtod agrees */
		x->digit[x->n] = 'e';
		x->digit[x->n + 1 + put_int(x->point - x->n, x->digit + x->n + 1)] = '\0';
		v = strtod(x->digit, NULL);
	}
	return x->negative ? -v : v;
}

/*
 * Number::toString's layout:
 *   digits 125, point 5    12500           point in 1..21, digits all before it
 *               point 1    1.25            point in 1..21
 *               point -2   0.00125         point in -5..0
 *               point 22   1.25e+21        all others
 */
static size_t decimal_print(const struct decimal *x, char out[NUMBER_SIZE])
{
	int n = x->n, point = (int)x->point;
	char *p = out;

	if (n == 0) {
		*p = '0';
		return 1;
	}
	if (x->negative)
		*p++ = '-';
	if (point > 21 || point < -5) {
		*p++ = x->digit[0];
		if (n > 1)
			*p++ = '.';
		memcpy(p, x->digit + 1, (size_t)n - 1);
		p += n - 1;
		*p++ = 'e';
		if (point > 0)
			*p++ = '+';
		return (size_t)(p - out) + put_int(point - 1, p);
	}
	if (point <= 0) {
		memcpy(p, "0.00000", 7);
		p += 2 - point;
		memcpy(p, x->digit, (size_t)n);
		return (size_t)(p + n - out);
	}
	if (n <= point) {
		memcpy(p, x->digit, (size_t)n);
		memset(p + n, '0', (size_t)(point - n));
		return (size_t)(p + point - out);
	}
	memcpy(p, x->digit, (size_t)point);
	p[point] = '.';
	memcpy(p + point + 1, x->digit + point, (size_t)(n - point));
	return (size_t)(p + n + 1 - out);
}

/* 125 times 10^-2: how candidates for the shortest digits are handled. */
struct candidate {
	uint64_t c;
	int exp;
};

static void decimal_of(struct decimal *x, struct candidate k)
{
	x->n = (int)put_int((int64_t)k.c, x->digit);
	x->point = x->n + k.exp;
	while (x->n > 1 && x->digit[x->n - 1] == '0')
		x->n--;
}

/* v rounded to n decimal digits, exactly, half to even. */
static struct candidate round_to(double v, int n)
{
	char s[48];
	const char *p = s;
	struct candidate k = { 0, 0 };

	snprintf(s, sizeof s, "%.*e", n - 1, v);
	for (; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9') /* the point is the locale's */
			k.c = k.c * 10 + (uint64_t)(*p - '0');
	k.exp = (int)strtol(p + 1, NULL, 10) - (n - 1);
	return k;
}

static bool reads_as(struct candidate k, double v)
{
	char s[48];
	size_t n = put_int((int64_t)k.c, s);

	s[n++] = 'e';
	s[n + put_int(k.exp, s + n)] = '\0';
	return strtod(s, NULL) == v;
}

/*
 * Does k, a rounding of v's 17 digits d, read back as v?  It does within half
 * the distance to the next double; as d itself is off by up to a half, what is
 * close to that border is left to strtod.  Below a power of two the distance
 * is half as long.  v is a normal number.
 */
static bool near_enough(struct candidate d, struct candidate k, double v)
{
	uint64_t bits, scaled = d.exp == k.exp - 1 ? k.c * 10 : k.c * 100;
	double up, diff = (double)(scaled > d.c ? scaled - d.c : d.c - scaled);

	memcpy(&bits, &v, sizeof bits);
	bits++;
	memcpy(&up, &bits, sizeof up);
	if (isfinite(up)) {
		double half = (up - v) / v * (double)d.c / 2;

		if (diff - 1 > half)
			return false;
		if (diff + 1 < half / 2)
			return true;
	}
	return reads_as(k, v);
}

/*
 * The shortest digits that read back as v, and the closest to v among those
 * of that length.  17 always do.  Two decimals of at most 15 digits never read
 * as the same double, so a rounding to 15 that reads back is the only one,
 * however many zeros it ends in.  Of 16 digits, the neighbours on both sides
 * are tried: below a power of two the closer one may be too far.
 */
static struct candidate shortest(double v)
{
	struct candidate d = round_to(v, 17);
	struct candidate k = { (d.c + 50) / 100, d.exp + 2 };

	if (near_enough(d, k, v))
		return k;
	if (d.c % 10 == 5) /* which is closer, the 17th digit cannot say */
		k.c = round_to(v, 16).c;
	else
		k.c = (d.c + 5) / 10;
	k.exp = d.exp + 1;
	if (near_enough(d, k, v))
		return k;
	k.c = k.c * 10 > d.c ? k.c - 1 : k.c + 1;
	return near_enough(d, k, v) ? k : d;
}

/*
 * Subnormal numbers have fewer digits, and neighbours at equal distances: the
 * first length that reads back.
 */
static struct candidate shortest_tiny(double v)
{
	struct candidate k = round_to(v, 1);

	for (int n = 2; n <= 17 && !reads_as(k, v); n++)
		k = round_to(v, n);
	return k;
}

size_t number_print(double v, char out[NUMBER_SIZE])
{
	struct decimal x;

	if (v > -1e15 && v < 1e15 && v == (double)(int64_t)v)
		return put_int((int64_t)v, out);
	x.negative = v < 0;
	v = fabs(v);
	decimal_of(&x, v < DBL_MIN ? shortest_tiny(v) : shortest(v));
	return decimal_print(&x, out);
}

size_t number_print_int(int64_t v, char out[NUMBER_SIZE])
{
	return put_int(v, out);
}

size_t number_canonical(const char *s, size_t n, char out[NUMBER_SIZE])
{
	struct decimal x;
	int64_t i;

	if (number_int(s, n, &i))
		return put_int(i, out);
	decimal_read(&x, s, n);
	/* at most 15 digits survive a double: they are the shortest, only their layout may change */
	if (x.n <= 15 && x.point > -300 && x.point <= 308)
		return decimal_print(&x, out);
	double v = decimal_value(&x);

	return isfinite(v) ? number_print(v, out) : 0;
}

double number_value(const char *s, size_t n)
{
	struct decimal x;
	int64_t i;

	if (n <= 15 && number_int(s, n, &i) && i)
		return (double)i;
	decimal_read(&x, s, n);
	return decimal_value(&x);
}

bool number_int(const char *s, size_t n, int64_t *v)
{
	bool negative = *s == '-';
	uint64_t u = 0, max = (uint64_t)INT64_MAX + negative;

	if (n - negative > 19)
		return false;
	for (size_t i = negative; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		u = u * 10 + (uint64_t)(s[i] - '0'); /* 19 digits fit 64 unsigned bits */
	}
	if (u > max)
		return false;
	*v = negative ? (int64_t)-u : (int64_t)u;
	return true;
}
