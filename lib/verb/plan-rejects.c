/* plan-rejects.c -- see plan-rejects.h */
#include "plan-rejects.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SHOWN_REJECTS = 20 };

int plan_rejects_put(struct spool *lines, struct out *out, struct diag *d)
{
	const char *line;
	size_t n;
	int rc;

	if (spool_rewind(lines, d) < 0)
		return -1;
	while ((rc = spool_next(lines, &line, &n, d)) > 0)
		if (stream_put(out, line, n) < 0)
			return -1;
	return rc;
}

static void name_reject(const struct doc *reject, struct diag *d)
{
	char *ref = record_dup(reject, doc_member(reject, 0, "ref", 3));
	char *code = record_dup(reject, doc_member(reject, 0, "code", 4));
	char *reason = record_dup(reject, doc_member(reject, 0, "reason", 6));

	diag_add(d, MIG_INVALID, code, ref, "%s", reason);
	free(ref);
	free(code);
	free(reason);
}

void plan_rejects_name(struct spool *lines, int64_t n, int64_t max, struct diag *d)
{
	const char *line;
	size_t len;
	struct doc doc = DOC_INIT;
	int shown = 0;

	/* how many there are is why it stops, so that comes first */
	diag_hint(d, "read them with mig-report; --max-rejects %" PRId64 " goes on without them", n);
	diag_add(d, MIG_INVALID, "too_many_rejects", NULL, "%" PRId64 " rejected, %" PRId64 " allowed", n, max);
	if (spool_rewind(lines, d) < 0)
		return;
	while (shown < SHOWN_REJECTS && spool_next(lines, &line, &len, d) > 0) {
		if (doc_parse(&doc, line, len, RECORD_MAX_DEPTH) < 0)
			continue;
		name_reject(&doc, d);
		shown++;
	}
	if (n > shown)
		diag_warn(d, "more", NULL, "and %" PRId64 " more rejects", n - shown);
	doc_release(&doc);
}

void plan_rejects_left(int64_t n, int64_t max, struct diag *d)
{
	diag_warn(d, "rejected", NULL, "%" PRId64 " rejected, %" PRId64 " allowed: they are not in the plan", n, max);
}
