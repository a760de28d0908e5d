/* sqlfinding.c -- see sqlfinding.h */
#include "sqlfinding.h"

static const char *const severities[SQL_NSEVERITIES] = { "safe", "review", "warning", "critical" };

const char *sqlseverity_name(enum sqlseverity s)
{
	return severities[s];
}

void sqlseverity_counts(struct rec *w, const uint64_t n[SQL_NSEVERITIES])
{
	static const enum sqlseverity by_name[] = { SQL_CRITICAL, SQL_REVIEW, SQL_SAFE, SQL_WARNING };
	struct rec in;

	rec_name(w, "severities");
	rec_open(&in, w->b);
	for (size_t i = 0; i < SQL_NSEVERITIES; i++)
		rec_int(&in, severities[by_name[i]], (int64_t)n[by_name[i]]);
	rec_close(&in);
}

bool sqlrule_valid(struct text rule)
{
	if (!rule.n || rule.s[0] < 'a' || rule.s[0] > 'z')
		return false;
	for (size_t i = 1; i < rule.n; i++) {
		char c = rule.s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

bool sqlrule_destroys(struct text rule)
{
	static const char *const rules[] = { "delete_all",  "disable_rls", "drop_column", "drop_database",
		                             "drop_option", "drop_policy", "drop_schema", "drop_table",
		                             "narrowing",   "truncate" };

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (text_is(rule, rules[i]))
			return true;
	return false;
}

bool sqlfinding_destroys(const struct sqlfinding *f)
{
	return f->severity == SQL_CRITICAL && sqlrule_destroys(f->rule);
}

bool sqlfinding_review(const struct sqlfinding *f)
{
	return (f->severity == SQL_REVIEW || f->severity == SQL_CRITICAL) && !sqlrule_destroys(f->rule);
}

static struct text inside(const struct doc *doc, uint32_t t)
{
	size_t n;
	const char *s = doc_span(doc, t, &n);

	return (struct text){ s + 1, n - 2 };
}

void sqlfinding_get(struct sqlfinding *f, const struct doc *doc, uint32_t t)
{
	uint32_t rows = doc_member(doc, t, "rows", 4), severity = doc_member(doc, t, "severity", 8);

	*f = (struct sqlfinding){ .rule = inside(doc, doc_member(doc, t, "rule_id", 7)),
		                  .message = doc_member(doc, t, "message", 7) };
	f->counted = doc_int(doc, rows, &f->rows);
	for (int i = 0; i < SQL_NSEVERITIES; i++)
		if (doc_equals(doc, severity, severities[i], strlen(severities[i])))
			f->severity = (enum sqlseverity)i;
}

static bool known_severity(const struct doc *doc, uint32_t t)
{
	for (int i = 0; i < SQL_NSEVERITIES; i++)
		if (doc_equals(doc, t, severities[i], strlen(severities[i])))
			return true;
	return false;
}

int sqlfinding_read(struct sqlfinding *f, const struct doc *doc, uint32_t t, const char *where, struct diag *d)
{
	static const struct member m[] = { { "message", IS_STR },
		                           { "rows", IS_NUM | IS_NULL },
		                           { "rule_id", IS_STR },
		                           { "severity", IS_STR },
		                           { NULL, 0 } };
	uint32_t u[4];

	if (shape_check(doc, t, m, u, "finding", where, d) < 0)
		return -1;
	if (!known_severity(doc, u[3]))
		return diag_add(d, MIG_USAGE, "bad_plan", where,
		                "finding: severity is not one of safe, review, warning, critical");
	sqlfinding_get(f, doc, t);
	if (!sqlrule_valid(f->rule))
		return diag_add(d, MIG_USAGE, "bad_plan", where, "finding: rule_id is not ^[a-z][a-z0-9_]*$");
	if (doc->tok[u[1]].type == DOC_NUMBER && (!f->counted || f->rows < 0))
		return diag_add(d, MIG_USAGE, "bad_plan", where, "finding: rows is not a number of rows");
	return 0;
}
