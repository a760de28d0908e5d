/* import-name.c -- see import-name.h */
#include "import-name.h"

#include "buf.h"
#include "utf8.h"

#include <stdlib.h>

static const char digits[] = "0123456789";

int import_tool_of(const char *name)
{
	static const char *const names[IMPORT_NTOOLS] = { "flyway", "golang-migrate", "dbmate", "goose" };

	for (int i = 0; i < IMPORT_NTOOLS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

void import_name_release(struct import_name *n)
{
	free(n->version);
	free(n->title);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* "add__users" of n bytes is "add users". */
static char *title_of(const char *s, size_t n)
{
	struct buf b = BUF_INIT;

	buf_reserve(&b, n);
	buf_setlen(&b, 0);
	for (size_t i = 0; i < n; i++) {
		bool gap = s[i] == '_' || s[i] == '-' || s[i] == ' ';

		if (!gap)
			buf_addch(&b, s[i]);
		else if (b.len && b.s[b.len - 1] != ' ')
			buf_addch(&b, ' ');
	}
	while (b.len && b.s[b.len - 1] == ' ')
		buf_setlen(&b, b.len - 1);
	return buf_steal(&b);
}

/*
 * "1", "001_2" and "1.2.0" as a semantic version, *n set to the bytes read; NULL,
 * with *problem, where there are none, too many, or none but zeros.
 */
static char *version_of(const char *s, const char *seps, size_t *n, const char **problem)
{
	struct buf b = BUF_INIT;
	const char *p = s;
	bool any = false;
	int count = 0;

	*problem = "no version number in its name";
	for (; strspn(p, digits) && count <= 3; count++) {
		size_t len = strspn(p, digits), zeros = strspn(p, "0");

		zeros -= zeros == len;
		if (len - zeros > 18)
			*problem = "a number of more than 18 digits";
		if (len - zeros > 18 || count == 3)
			break;
		any = any || p[zeros] != '0';
		buf_addf(&b, "%s%.*s", count ? "." : "", (int)(len - zeros), p + zeros);
		p += len;
		if (!*p || !strchr(seps, *p) || !strspn(p + 1, digits)) {
			count++;
			break;
		}
		p++;
	}
	*n = (size_t)(p - s);
	bool whole = count >= 1 && count <= 3 && !strspn(p, digits);

	for (int i = count; whole && i < 3; i++)
		buf_addstr(&b, ".0");
	if (whole && any)
		return buf_steal(&b);
	if (whole)
		*problem = "version 0 is where a set begins";
	else if (count == 3)
		*problem = "more than three numbers in its version";
	buf_release(&b);
	return NULL;
}

/* These return what is wrong with the name, or NULL. */
static const char *flyway(struct import_name *n, const char *file)
{
	size_t len = strlen(file) - 4, used = 0;
	const char *sep = strstr(file, "__"), *problem;
	char first = file[0];

	if ((first != 'V' && first != 'U' && first != 'R') || !sep)
		return "not V1__title.sql, U1__title.sql or R__title.sql";
	n->title = title_of(sep + 2, len - (size_t)(sep + 2 - file));
	n->part = first == 'V' ? IMPORT_UP : first == 'U' ? IMPORT_DOWN : IMPORT_REPEATABLE;
	if (first == 'R')
		return sep == file + 1 ? NULL : "a repeatable migration has no version";
	n->version = version_of(file + 1, "._", &used, &problem);
	if (!n->version)
		return problem;
	return file + 1 + used == sep ? NULL : "its version is more than numbers";
}

/* 000001_title.sql, where suffix is ".sql", ".up.sql" or ".down.sql" */
static const char *numbered(struct import_name *n, const char *file, const char *suffix, enum import_part part)
{
	size_t used, len = strlen(file) - strlen(suffix);
	const char *problem;

	n->part = part;
	n->version = version_of(file, "", &used, &problem);
	if (!n->version)
		return problem;
	if (used < len && file[used] != '_')
		return "no underscore behind its number";
	n->title = title_of(file + used, len - used);
	return NULL;
}

static const char *golang(struct import_name *n, const char *file)
{
	if (ends_with(file, ".up.sql"))
		return numbered(n, file, ".up.sql", IMPORT_UP);
	if (ends_with(file, ".down.sql"))
		return numbered(n, file, ".down.sql", IMPORT_DOWN);
	return "neither .up.sql nor .down.sql";
}

static const char *read_name(struct import_name *n, enum import_tool tool, const char *file)
{
	if (tool == IMPORT_GOOSE && ends_with(file, ".go") && strspn(file, digits))
		return "a program, not SQL";
	if (!ends_with(file, ".sql"))
		return NULL;
	if (!utf8_valid(file, strlen(file)))
		return "its name is not UTF-8";
	if (tool == IMPORT_FLYWAY)
		return flyway(n, file);
	return tool == IMPORT_GOLANG ? golang(n, file) : numbered(n, file, ".sql", IMPORT_BOTH);
}

void import_name_read(struct import_name *n, enum import_tool tool, const char *file)
{
	*n = (struct import_name){ .part = IMPORT_OTHER };
	const char *problem = read_name(n, tool, file);

	if (!problem)
		return;
	import_name_release(n);
	*n = (struct import_name){ .part = IMPORT_BAD, .problem = problem };
}
