/* moment.c -- see moment.h */
#include "moment.h"

#include <stdio.h>
#include <time.h>

enum { DAY = 86400, NANO_DIGITS = 9 };

/* The number in the n digits at s, or -1. */
static int digits(const char *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + s[i] - '0';
	}
	return v;
}

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int days_in(int y, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && leap(y));
}

/* Days from 1970-01-01; the year is counted from March, so that the leap day comes last. */
static int64_t day_number(int y, int month, int day)
{
	y += 399 + (month > 2); /* never negative; 400 years are 146097 days */
	month = (month + 9) % 12;
	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * month + 2) / 5 + day - 1 - 719468 - 146097;
}

/* What follows the seconds: "Z" or ".5Z". */
static bool fraction(const char *s, size_t n, int64_t *nanos)
{
	size_t i = 0;

	*nanos = 0;
	if (n && s[0] == '.') {
		for (i = 1; i < n && i <= NANO_DIGITS && s[i] >= '0' && s[i] <= '9'; i++)
			*nanos = *nanos * 10 + s[i] - '0';
		if (i == 1)
			return false;
		for (size_t k = i; k <= NANO_DIGITS; k++)
			*nanos *= 10;
	}
	return i + 1 == n && s[i] == 'Z';
}

/* 2026-01-31T12:00:00Z */
bool moment_read(struct text t, struct moment *m)
{
	static const char mould[] = "dddd-dd-ddTdd:dd:dd";
	const size_t whole = sizeof mould - 1;

	if (t.n <= whole)
		return false;
	for (size_t i = 0; i < whole; i++)
		if (mould[i] == 'd' ? t.s[i] < '0' || t.s[i] > '9' : t.s[i] != mould[i])
			return false;
	int y = digits(t.s, 4), month = digits(t.s + 5, 2), day = digits(t.s + 8, 2);
	int hour = digits(t.s + 11, 2), minute = digits(t.s + 14, 2), second = digits(t.s + 17, 2);

	if (month < 1 || month > 12 || day < 1 || day > days_in(y, month) || hour > 23 || minute > 59 || second > 59)
		return false;
	m->seconds = day_number(y, month, day) * DAY + hour * 3600 + minute * 60 + second;
	return fraction(t.s + whole, t.n - whole, &m->nanos);
}

bool moment_front(const char *s)
{
	char whole[] = "2000-01-01T00:00:00Z"; /* what a front stands for, but for its own characters */
	size_t n = strlen(s);
	struct moment m;

	if (n < 4 || n >= sizeof whole || (whole[n] && !strchr("-T:Z", whole[n])))
		return false;
	memcpy(whole, s, n);
	return moment_read((struct text){ whole, sizeof whole - 1 }, &m);
}

int moment_compare(struct moment a, struct moment b)
{
	if (a.seconds != b.seconds)
		return a.seconds < b.seconds ? -1 : 1;
	return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}

void moment_write(int64_t seconds, char out[MOMENT_SIZE])
{
	const time_t t = (time_t)seconds;
	struct tm tm;
	char text[80]; /* what a year of ten digits would need */

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		gmtime_r(&(time_t){ 253402300799 }, &tm);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	         tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(out, text, MOMENT_SIZE);
	out[MOMENT_SIZE - 1] = '\0';
}

struct moment moment_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct moment){ .seconds = t.tv_sec, .nanos = t.tv_nsec };
}

int64_t moment_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t moment_since(int64_t ticks)
{
	int64_t ms = moment_ticks() - ticks;

	return ms > 0 ? ms : 1;
}
