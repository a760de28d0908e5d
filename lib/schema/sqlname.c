/* sqlname.c -- see sqlname.h */
#include "sqlname.h"

#include "base.h"
#include "digest.h"

#include <stdlib.h>

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_gap(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '-';
}

bool sqlname_plain(struct text name)
{
	if (name.n == 0 || !is_lower(name.s[0]))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!is_lower(name.s[i]) && !is_digit(name.s[i]) && name.s[i] != '_')
			return false;
	return true;
}

bool sqlname_table(struct text name)
{
	if (name.n == 0 || (!is_lower(name.s[0]) && !is_upper(name.s[0])))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!is_lower(name.s[i]) && !is_upper(name.s[i]) && !is_digit(name.s[i]) && name.s[i] != '_' &&
		    !is_gap(name.s[i]))
			return false;
	return true;
}

char *sqlname_snake(struct text name)
{
	struct buf b = BUF_INIT;

	buf_reserve(&b, name.n);
	while (name.n && is_gap(name.s[name.n - 1]))
		name.n--;
	for (size_t i = 0; i < name.n; i++) {
		if (is_upper(name.s[i]))
			buf_addch(&b, (char)(name.s[i] - 'A' + 'a'));
		else if (!is_gap(name.s[i]))
			buf_addch(&b, name.s[i]);
		else if (i > 0 && !is_gap(name.s[i - 1]))
			buf_addch(&b, '_');
	}
	return buf_steal(&b);
}

/* PostgreSQL's appendix C, "reserved" and "reserved (can be function or type)", and what SQLite adds; sorted. */
static const char *const words[] = {
	"add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
	"between", "binary", "both", "case", "cast", "check", "collate", "collation", "column", "commit",
	"concurrently", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
	"current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable", "delete",
	"desc", "distinct", "do", "drop", "else", "end", "escape", "except", "exists", "false", "fetch", "for",
	"foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in", "index", "initially", "inner",
	"insert", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit",
	"localtime", "localtimestamp", "natural", "not", "nothing", "notnull", "null", "offset", "on", "only", "or",
	"order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
	"session_user", "set", "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to",
	"trailing", "transaction", "true", "union", "unique", "update", "user", "using", "values", "variadic",
	"verbose", "when", "where", "window", "with",
};

static int compare_word(const void *name, const void *word)
{
	return strcmp(name, *(const char *const *)word);
}

bool sqlname_reserved(const char *name)
{
	return bsearch(name, words, sizeof words / sizeof *words, sizeof *words, compare_word) != NULL;
}

bool sqlname_protected(const char *name)
{
	static const char *const prefixes[] = { "auth_", "mig_", "pg_", "sqlite_", "system_" };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

char *sqlname_fit(struct buf *b, size_t max)
{
	char hex[HEX_SIZE];

	if (b->len > max) {
		digest_hex(b->s, b->len, hex);
		buf_setlen(b, max - 9);
		buf_addch(b, '_');
		buf_add(b, hex, 8);
	}
	return buf_steal(b);
}

static bool ends(const char *s, size_t n, const char *with)
{
	size_t m = strlen(with);

	return n > m && memcmp(s + n - m, with, m) == 0;
}

char *sqlname_singular(const char *name)
{
	size_t n = strlen(name);

	if (ends(name, n, "ies") && n > 4)
		return xasprintf("%.*sy", (int)n - 3, name);
	if (ends(name, n, "sses") || ends(name, n, "xes") || ends(name, n, "ches") || ends(name, n, "shes"))
		return xmemdup(name, n - 2);
	if (ends(name, n, "s") && !ends(name, n, "ss") && !ends(name, n, "us") && !ends(name, n, "is"))
		return xmemdup(name, n - 1);
	return xstrdup(name);
}
