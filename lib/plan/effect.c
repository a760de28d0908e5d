/* effect.c -- see effect.h */
#include "effect.h"

#include "patch.h"
#include "pointer.h"

void effect_release(struct effect *e)
{
	doc_release(&e->before);
	doc_release(&e->after);
	doc_release(&e->stamp);
	buf_release(&e->op);
}

static void content_hash(const struct doc *doc, struct text without, char hex[HEX_SIZE])
{
	uint32_t skip = DOC_NONE;

	if (!without.n || !pointer_find(doc, 0, without.s, without.n, &skip))
		skip = DOC_NONE;
	canon_hash(doc, 0, skip, hex);
}

bool effect_content(struct effect *e, const struct buf *bytes, struct text without, char hex[HEX_SIZE])
{
	/* an empty file has no bytes at all, not even a pad */
	if (!bytes->s || doc_parse(&e->before, bytes->s, bytes->len, DOC_MAX_DEPTH) < 0)
		return false;
	content_hash(&e->before, without, hex);
	return true;
}

/* The plan's entry with applied_at put among its members, in canonical order. */
static void write_entry(struct buf *out, const struct doc *plan, uint32_t entry, const char *applied_at)
{
	static const char name[] = "applied_at";
	struct doc_walk w;
	struct rec r;
	bool put = false;
	uint32_t key;

	rec_open(&r, out);
	for (doc_walk_init(&w, plan, entry); (key = doc_walk_next(&w));) {
		size_t n;
		const char *s = doc_span(plan, key, &n);

		if (!put && doc_compare_keys(s + 1, n - 2, name, sizeof name - 1) > 0) {
			rec_cstr(&r, name, applied_at);
			put = true;
		}
		buf_add(out, r.any ? "," : "", r.any ? 1 : 0);
		r.any = true;
		buf_add(out, s, n);
		buf_addch(out, ':');
		canon_value(out, plan, key + 1, DOC_NONE);
	}
	if (!put)
		rec_cstr(&r, name, applied_at);
	rec_close(&r);
}

/*
 * The stamp as a patch of the document before:
 *
 *	[{"op":"add","path":"/history/-","value":{"applied_at":..}}]     or, without a history,
 *	[{"op":"add","path":"/history","value":[{"applied_at":..}]}]
 */
static int make_stamp(struct effect *e, const struct plan *p, const struct step *s, const char *applied_at,
                      const char *where, struct diag *d)
{
	uint32_t t;
	bool found = pointer_find(&e->before, 0, s->without.s, s->without.n, &t);
	struct buf path = BUF_INIT;

	if (found && e->before.tok[t].type != DOC_ARRAY)
		return diag_add(d, MIG_INVALID, "history_not_array", where, "the history at %.*s is not an array",
		                (int)s->without.n, s->without.s);
	buf_addf(&path, "%.*s%s", (int)s->without.n, s->without.s, found ? "/-" : "");
	buf_reset(&e->op);
	buf_addstr(&e->op, "[{\"op\":\"add\",\"path\":");
	canon_string(&e->op, path.s, path.len);
	buf_addstr(&e->op, found ? ",\"value\":" : ",\"value\":[");
	write_entry(&e->op, p->doc, s->stamp_entry, applied_at);
	buf_addstr(&e->op, found ? "}]" : "]}]");
	buf_release(&path);
	if (doc_parse(&e->stamp, e->op.s, e->op.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "internal", where, "the stamp is not JSON: %s", e->stamp.err.reason);
	return 0;
}

int effect_forward(struct effect *e, const struct plan *p, const struct step *s, const struct buf *bytes,
                   const char *applied_at, struct buf *out, const char *where, struct diag *d)
{
	struct patch_list lists[2] = { { p->doc, s->patch }, { &e->stamp, 0 } };
	size_t at = out->len;
	char is[HEX_SIZE];

	if (!bytes->s || doc_parse(&e->before, bytes->s, bytes->len, DOC_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "not_json", where, "line %zu column %zu: %s", e->before.err.line,
		                e->before.err.column, bytes->s ? e->before.err.reason : "empty");
	if (s->stamp_entry && make_stamp(e, p, s, applied_at, where, d) < 0)
		return -1;
	if (patch_replay(&e->before, lists, s->stamp_entry ? 2 : 1, out, where, d) < 0)
		return -1;
	if (doc_parse(&e->after, out->s + at, out->len - at, DOC_MAX_DEPTH) == 0) {
		content_hash(&e->after, s->without, is);
		if (text_is(s->after, is))
			return 0;
		diag_add(d, MIG_INVALID, "postcondition_failed", where, "expected %.*s, actual %s", (int)s->after.n,
		         s->after.s, is);
	} else {
		diag_add(d, MIG_INVALID, "postcondition_failed", where, "the patched text is not JSON: %s",
		         e->after.err.reason);
	}
	buf_setlen(out, at);
	return -1;
}
