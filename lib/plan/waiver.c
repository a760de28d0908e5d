/* waiver.c -- see waiver.h */
#include "waiver.h"

#include <stdlib.h>

static struct text rule_of(const char *s)
{
	return (struct text){ s, strcspn(s, "=") };
}

static int compare_rules(const void *a, const void *b)
{
	struct text x = rule_of(*(char *const *)a), y = rule_of(*(char *const *)b);
	int c = memcmp(x.s, y.s, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static const char *fault_of(const char *s)
{
	struct text rule = rule_of(s);
	const char *reason = s + rule.n + (s[rule.n] == '=');

	if (!sqlrule_valid(rule) || !reason[strspn(reason, " \t")])
		return "is not RULE=REASON";
	return sqlrule_destroys(rule) ? "is lifted by --allow-destructive alone" : NULL;
}

static void put(char *const *sorted, size_t n, struct buf *out)
{
	struct rec w;

	buf_addch(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(out, ',');
		rec_open(&w, out);
		rec_cstr(&w, "reason", strchr(sorted[i], '=') + 1);
		rec_str(&w, "rule_id", rule_of(sorted[i]));
		rec_close(&w);
	}
	buf_addch(out, ']');
}

const char *waivers_json(char *const *list, struct buf *out, const char **bad)
{
	size_t n = 0;
	const char *fault = NULL;

	while (list[n])
		n++;
	char **sorted = xcalloc(n + 1, sizeof *sorted);

	memcpy(sorted, list, n * sizeof *sorted);
	for (size_t i = 0; i < n && !fault; i++)
		if ((fault = fault_of(*bad = list[i])))
			break;
	if (!fault)
		qsort(sorted, n, sizeof *sorted, compare_rules);
	for (size_t i = 1; i < n && !fault; i++)
		if (text_same(rule_of(sorted[i - 1]), rule_of(*bad = sorted[i])))
			fault = "is given twice";
	if (!fault)
		put(sorted, n, out);
	free(sorted);
	return fault;
}

bool waivers_hold(struct text array, struct text rule)
{
	/* canonical, rule_id last: a quote inside of a reason is escaped, so this is found nowhere else */
	char *member = xasprintf("\"rule_id\":\"%.*s\"}", (int)rule.n, rule.s);
	bool found = array.s && memmem(array.s, array.n, member, strlen(member));

	free(member);
	return found;
}
