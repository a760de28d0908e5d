/* against.c -- see against.h */
#include "against.h"

#include "record.h"

#include <stdlib.h>

int against_read(struct against *a, const char *file, const struct buf *text, struct diag *d)
{
	struct doc doc = DOC_INIT;
	size_t at = 0, used;
	int rc = 0;

	a->file = file;
	while (rc == 0) {
		int more = doc_parse_next(&doc, text->s + at, text->len - at, RECORD_MAX_DEPTH, &used);
		uint32_t t;
		char want[HEX_SIZE], is[HEX_SIZE];

		if (more < 0)
			rc = diag_add(d, MIG_USAGE, "not_json", file, "invalid plan json: %s", doc.err.reason);
		if (more <= 0)
			break;
		at += used;
		t = doc_member(&doc, 0, "kind", 4);
		if (t == DOC_NONE || !doc_equals(&doc, t, "plan", 4))
			continue;
		if (!record_sum_holds(&doc, 0, "plan_hash", want, is)) {
			rc = diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", file,
			              "the plan was changed: expected_hash %s, actual_hash %s", want, is);
			break;
		}
		a->want = xrealloc(a->want, a->nwant + 1, sizeof *a->want);
		a->want[a->nwant++] = xstrdup(is);
	}
	doc_release(&doc);
	return rc;
}

void against_check(struct against *a, const char *hash, struct complaints *found)
{
	const char *want = a->seen < a->nwant ? a->want[a->seen] : NULL;
	struct complaint c = { .rule = "plan_hash_mismatch", .expected = want, .actual = hash };
	char *message;

	a->seen++;
	if (!a->file || (want && strcmp(want, hash) == 0))
		return;
	message = xasprintf("plan_hash_mismatch: expected_hash %s, actual_hash %s", want ? want : "none", hash);
	c.message = message;
	complain(found, &c);
	free(message);
}

void against_finish(const struct against *a, struct diag *d)
{
	if (a->seen < a->nwant)
		diag_add(d, MIG_INVALID, "plan_hash_mismatch", a->file, "holds %zu plans, %zu came", a->nwant, a->seen);
}

void against_release(struct against *a)
{
	for (size_t i = 0; i < a->nwant; i++)
		free(a->want[i]);
	free(a->want);
}
