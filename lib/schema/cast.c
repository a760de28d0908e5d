/* cast.c -- see cast.h */
#include "cast.h"

#include <stdlib.h>

enum family {
	F_TEXT,
	F_INT,
	F_NUMERIC,
	F_BOOL,
	F_DATE,
	F_TIME,
	F_STAMP,
	F_STAMPTZ,
	F_INTERVAL,
	F_JSON,
	F_ARRAY,
	F_UUID,
	F_OTHER
};

/* The longest name first where one begins with another. */
static const struct {
	const char *name;
	enum family family;
} families[] = {
	{ "VARCHAR", F_TEXT },      { "TEXT", F_TEXT },           { "CHAR", F_TEXT },       { "BIGINT", F_INT },
	{ "INTEGER", F_INT },       { "SMALLINT", F_INT },        { "NUMERIC", F_NUMERIC }, { "BOOLEAN", F_BOOL },
	{ "DATE", F_DATE },         { "TIMESTAMPTZ", F_STAMPTZ }, { "TIMESTAMP", F_STAMP }, { "TIME", F_TIME },
	{ "INTERVAL", F_INTERVAL }, { "JSONB", F_JSON },          { "UUID", F_UUID },
};

static enum family family_of(const char *type)
{
	size_t n = strlen(type);

	if (n > 2 && strcmp(type + n - 2, "[]") == 0)
		return F_ARRAY;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (strncmp(type, families[i].name, strlen(families[i].name)) == 0)
			return families[i].family;
	return F_OTHER;
}

/* The n-th number in a type's parentheses, or -1: NUMERIC(20,2). */
static long measure(const char *type, int n)
{
	const char *s = strchr(type, '(');

	for (; s && n > 0; n--)
		s = strchr(s + 1, ',');
	return s ? strtol(s + 1, NULL, 10) : -1;
}

static void same(struct cast *c, const char *v)
{
	buf_addstr(&c->value, v);
	c->plain = true;
}

static const char *int_range(const char *type)
{
	if (strcmp(type, "BIGINT") == 0)
		return "-9223372036854775808 AND 9223372036854775807";
	return strcmp(type, "SMALLINT") == 0 ? "-32768 AND 32767" : "-2147483648 AND 2147483647";
}

static const char pg_number[] = "'^\\s*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?\\s*$'";
static const char words_true[] = "'t', 'true', 'y', 'yes', 'on', '1'";
static const char words_bool[] = "'t', 'true', 'y', 'yes', 'on', '1', 'f', 'false', 'n', 'no', 'off', '0'";

/* A number that may have to lose digits behind the point. */
static void pg_numeric_fits(struct cast *c, const char *to, const char *v)
{
	long digits = measure(to, 0), scale = measure(to, 1);

	if (digits < 0)
		return;
	ddl_addf(&c->fits, "round(%s, %d) = %s AND abs(%s) < power(10::NUMERIC, %d)", v, (int)(scale < 0 ? 0 : scale),
	         v, v, (int)(digits - (scale < 0 ? 0 : scale)));
}

static int pg_to_text(struct cast *c, enum family f, const char *from, const char *to, const char *v)
{
	long now = measure(from, 0), room = measure(to, 0);

	if (f == F_TEXT && (room < 0 || (now >= 0 && now <= room))) {
		same(c, v);
	} else if (f == F_ARRAY && room < 0) { /* a single text became a list of one: back again */
		ddl_addf(&c->value, "CASE cardinality(%s) WHEN 1 THEN %s[1]::TEXT ELSE %s::TEXT END", v, v, v);
	} else if (room < 0) {
		ddl_addf(&c->value, "%s::TEXT", v);
	} else {
		ddl_addf(&c->value, "LEFT(%s::TEXT, %d)", v, (int)room);
		c->narrows = f == F_TEXT || f == F_JSON || f == F_ARRAY || f == F_OTHER || room < 64;
	}
	return 0;
}

static int pg_to_int(struct cast *c, enum family f, const char *to, const char *v)
{
	switch (f) {
	case F_TEXT:
		ddl_addf(&c->fits,
		         "CASE WHEN %s ~ '^\\s*[-+]?[0-9]{1,30}\\s*$' THEN %s::NUMERIC BETWEEN %s ELSE FALSE END", v, v,
		         int_range(to));
		break;
	case F_NUMERIC:
		ddl_addf(&c->fits, "%s = trunc(%s) AND %s BETWEEN %s", v, v, v, int_range(to));
		break;
	case F_INT:
		ddl_addf(&c->fits, "%s BETWEEN %s", v, int_range(to));
		break;
	case F_BOOL:
		ddl_addf(&c->value, "%s::INTEGER::%s", v, to);
		return 0;
	case F_INTERVAL:
		ddl_addf(&c->fits, "extract(epoch FROM %s) = trunc(extract(epoch FROM %s))", v, v);
		ddl_addf(&c->value, "extract(epoch FROM %s)::%s", v, to);
		return 0;
	default:
		return -1;
	}
	ddl_addf(&c->value, "%s::%s", v, to);
	return 0;
}

static int pg_to_numeric(struct cast *c, enum family f, const char *to, const char *v)
{
	struct buf n = BUF_INIT;

	switch (f) {
	case F_INT:
	case F_NUMERIC:
		pg_numeric_fits(c, to, v);
		break;
	case F_TEXT:
		ddl_addf(&n, "%s::NUMERIC", v);
		pg_numeric_fits(c, to, n.s);
		buf_reset(&n);
		ddl_addf(&n, "CASE WHEN %s ~ %s THEN %s ELSE FALSE END", v, pg_number,
		         c->fits.len ? c->fits.s : "TRUE");
		buf_reset(&c->fits);
		buf_addstr(&c->fits, n.s);
		buf_release(&n);
		break;
	case F_BOOL:
		ddl_addf(&c->value, "%s::INTEGER::%s", v, to);
		return 0;
	default:
		return -1;
	}
	ddl_addf(&c->value, "%s::%s", v, to);
	return 0;
}

static int pg_to_bool(struct cast *c, enum family f, const char *v)
{
	if (f == F_INT || f == F_NUMERIC) {
		ddl_addf(&c->fits, "%s IN (0, 1)", v);
		ddl_addf(&c->value, "%s <> 0", v);
		return 0;
	}
	ddl_addf(&c->fits, "lower(btrim(%s)) IN (%s)", v, words_bool);
	ddl_addf(&c->value, "btrim(%s)::BOOLEAN", v);
	return f == F_TEXT ? 0 : -1;
}

static const char pg_date[] = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
static const char pg_clock[] = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?";
static const char pg_zone[] = "\\s*(Z|[-+][0-9]{2}(:?[0-9]{2})?)?";

static int pg_to_time(struct cast *c, enum family f, enum family t, const char *to, const char *v)
{
	if (f == F_TEXT) {
		if (t == F_DATE)
			ddl_addf(&c->fits, "%s ~ '^\\s*%s\\s*$'", v, pg_date);
		else if (t == F_TIME)
			ddl_addf(&c->fits, "%s ~ '^\\s*%s\\s*$'", v, pg_clock);
		else
			ddl_addf(&c->fits, "%s ~ '^\\s*%s([T ]%s%s)?\\s*$'", v, pg_date, pg_clock, pg_zone);
		ddl_addf(&c->value, "%s::%s", v, to);
		return 0;
	}
	if (f == F_DATE && t != F_TIME) {
		ddl_addf(&c->value, t == F_STAMPTZ ? "%s::TIMESTAMP AT TIME ZONE 'UTC'" : "%s::TIMESTAMP", v);
		return 0;
	}
	if (f != F_STAMP && f != F_STAMPTZ)
		return -1;
	if (t == F_STAMP || t == F_STAMPTZ) {
		ddl_addf(&c->value, "%s AT TIME ZONE 'UTC'", v);
		return 0;
	}
	c->narrows = true;
	ddl_addf(&c->value, f == F_STAMPTZ ? "(%s AT TIME ZONE 'UTC')::%s" : "%s::%s", v, to);
	return 0;
}

static int pg_find(struct cast *c, const char *from, const char *to, const char *v)
{
	enum family f = family_of(from), t = family_of(to);

	switch (t) {
	case F_TEXT:
		return pg_to_text(c, f, from, to, v);
	case F_INT:
		return pg_to_int(c, f, to, v);
	case F_NUMERIC:
		return pg_to_numeric(c, f, to, v);
	case F_BOOL:
		return pg_to_bool(c, f, v);
	case F_DATE:
	case F_TIME:
	case F_STAMP:
	case F_STAMPTZ:
		return pg_to_time(c, f, t, to, v);
	case F_INTERVAL:
		ddl_addf(&c->value, f == F_TEXT ? "%s::INTERVAL" : "make_interval(secs => %s)", v);
		return f == F_TEXT || f == F_INT || f == F_NUMERIC ? 0 : -1;
	case F_UUID:
		ddl_addf(&c->fits, "%s ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'", v);
		ddl_addf(&c->value, "%s::UUID", v);
		return f == F_TEXT ? 0 : -1;
	case F_JSON:
		ddl_addf(&c->value, f == F_TEXT ? "%s::JSONB" : "to_jsonb(%s)", v);
		return 0;
	case F_ARRAY:
		if (f == F_ARRAY)
			ddl_addf(&c->value, "%s::%s", v, to);
		else /* what was a list before is spelled as one */
			ddl_addf(&c->value,
			         "CASE WHEN %s ~ '^[{].*[}]$' THEN %s::%s WHEN %s IS NOT NULL THEN ARRAY[%s]::%s END",
			         v, v, to, v, v, to);
		return f == F_ARRAY || f == F_TEXT ? 0 : -1;
	case F_OTHER:
		break;
	}
	return -1;
}

/* Digits with an optional sign, in 64 bits. */
static void sqlite_int_fits(struct buf *b, const char *v)
{
	ddl_addf(b,
	         "typeof(%s) = 'integer' OR (ltrim(trim(%s), '+-') <> '' "
	         "AND ltrim(trim(%s), '+-') NOT GLOB '*[^0-9]*' AND "
	         "length(trim(%s)) - length(ltrim(trim(%s), '+-')) <= 1 AND length(ltrim(trim(%s), '+-0')) <= 18)",
	         v, v, v, v, v, v);
}

static int sqlite_to_number(struct cast *c, enum family f, enum family t, const char *v)
{
	if (f == F_BOOL || f == F_INTERVAL || f == F_INT || (f == F_NUMERIC && t == F_NUMERIC)) {
		same(c, v);
		return 0;
	}
	if (f == F_NUMERIC) {
		ddl_addf(&c->fits, "%s = CAST(%s AS INTEGER)", v, v);
	} else if (f == F_TEXT) {
		sqlite_int_fits(&c->fits, v);
		if (t == F_NUMERIC)
			ddl_addf(&c->fits,
			         " OR CASE WHEN json_valid(trim(%s)) THEN "
			         "json_type(trim(%s)) IN ('integer', 'real') ELSE 0 END",
			         v, v);
	} else {
		return -1;
	}
	ddl_addf(&c->value, "CAST(trim(%s) AS %s)", v, t == F_NUMERIC ? "NUMERIC" : "INTEGER");
	return 0;
}

static int sqlite_to_bool(struct cast *c, enum family f, const char *v)
{
	if (f == F_INT || f == F_NUMERIC) {
		ddl_addf(&c->fits, "%s IN (0, 1)", v);
		same(c, v);
		return 0;
	}
	ddl_addf(&c->fits, "lower(trim(%s)) IN (%s)", v, words_bool);
	ddl_addf(&c->value, "CASE WHEN %s IS NOT NULL THEN lower(trim(%s)) IN (%s) END", v, v, words_true);
	return f == F_TEXT ? 0 : -1;
}

static int sqlite_to_time(struct cast *c, enum family f, enum family t, const char *v)
{
	bool day = f == F_DATE || f == F_STAMP || f == F_STAMPTZ;

	if (f == F_TEXT) {
		ddl_addf(&c->fits, "%s(%s) IS NOT NULL", t == F_DATE ? "date" : t == F_TIME ? "time" : "datetime", v);
		same(c, v);
		return 0;
	}
	if (!day)
		return -1;
	if (f != F_DATE && (t == F_DATE || t == F_TIME)) {
		c->narrows = true;
		ddl_addf(&c->value, "%s(%s)", t == F_DATE ? "date" : "time", v);
		return 0;
	}
	if (t == F_TIME)
		return -1;
	same(c, v);
	return 0;
}

static int sqlite_find(struct cast *c, const char *from, const char *to, const char *v)
{
	enum family f = family_of(from), t = family_of(to);

	switch (t) {
	case F_TEXT:
		if (f == F_BOOL)
			ddl_addf(&c->value, "CASE %s WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", v);
		else if (f == F_INT || f == F_NUMERIC || f == F_INTERVAL)
			ddl_addf(&c->value, "CAST(%s AS TEXT)", v);
		else if (f == F_ARRAY)
			ddl_addf(&c->value,
			         "CASE WHEN json_array_length(%s) = 1 THEN json_extract(%s, '$[0]') ELSE %s END", v, v,
			         v);
		else
			same(c, v);
		return 0;
	case F_INT:
	case F_NUMERIC:
		return sqlite_to_number(c, f, t, v);
	case F_BOOL:
		return sqlite_to_bool(c, f, v);
	case F_DATE:
	case F_TIME:
	case F_STAMP:
	case F_STAMPTZ:
		return sqlite_to_time(c, f, t, v);
	case F_INTERVAL:
		return sqlite_to_number(c, f, F_INT, v);
	case F_UUID:
		ddl_addf(&c->fits, "length(%s) = 36", v);
		same(c, v);
		return f == F_TEXT ? 0 : -1;
	case F_JSON:
		if (f == F_TEXT)
			ddl_addf(&c->fits, "json_valid(%s)", v);
		same(c, v);
		return 0;
	case F_ARRAY:
		if (f == F_ARRAY)
			same(c, v);
		else
			ddl_addf(
				&c->value,
				"CASE WHEN json_valid(%s) AND json_type(%s) = 'array' THEN %s "
			         "WHEN %s IS NOT NULL THEN json_array(%s) END",
				v, v, v, v, v);
		return f == F_ARRAY || f == F_TEXT ? 0 : -1;
	case F_OTHER:
		break;
	}
	return -1;
}

int cast_find(struct cast *c, const char *from, const char *to, const char *expr, enum dialect dialect)
{
	*c = (struct cast)CAST_INIT;
	if (strcmp(from, to) == 0) {
		same(c, expr);
		return 0;
	}
	return dialect == DIALECT_POSTGRESQL ? pg_find(c, from, to, expr) : sqlite_find(c, from, to, expr);
}

void cast_release(struct cast *c)
{
	buf_release(&c->value);
	buf_release(&c->fits);
}
