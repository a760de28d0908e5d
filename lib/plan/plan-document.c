/* plan-document.c -- the checks and actions of a step of documents: see plan-read.h; mig-stream(5) shows them. */
#include "plan-read.h"

#include "patch.h"

/* The i-th element of the array at t; DOC_NONE past the end. */
static uint32_t element(const struct doc *d, uint32_t t, uint32_t i)
{
	uint32_t e = t + 1;

	if (i >= d->tok[t].n)
		return DOC_NONE;
	while (i--)
		e = d->tok[e].next;
	return e;
}

/* doc_says of an element, which may lack. */
static bool says(const struct doc *d, uint32_t obj, const char *name, const char *value)
{
	return obj != DOC_NONE && doc_says(d, obj, name, value);
}

/* {"check":"bytes","raw":H,"ref":R} */
static int read_bytes_check(const struct plan_reading *r, uint32_t list, struct step *s)
{
	static const struct member m[] = { { "check", IS_STR }, { "raw", IS_STR }, { "ref", IS_STR }, { NULL, 0 } };
	uint32_t t[3], e = element(r->doc, list, 0);

	if (r->doc->tok[list].n != 1 || !says(r->doc, e, "check", "bytes"))
		return plan_usage(r, "expected one \"bytes\" check");
	if (plan_shape(r, e, m, t, "bytes check") < 0)
		return -1;
	s->raw = plan_text(r->p, t[1]);
	return plan_is_hash(s->raw) && text_same(plan_text(r->p, t[2]), s->ref)
	               ? 0
	               : plan_usage(r, "\"bytes\" check: hash or ref is malformed");
}

/* {"check":"content","hash":H,"ref":R,"without":POINTER or null} */
static int read_content_check(const struct plan_reading *r, uint32_t list, struct step *s)
{
	static const struct member m[] = {
		{ "check", IS_STR }, { "hash", IS_STR }, { "ref", IS_STR }, { "without", IS_STR | IS_NULL }, { NULL, 0 }
	};
	uint32_t t[4], e = element(r->doc, list, 0);

	if (r->doc->tok[list].n != 1 || !says(r->doc, e, "check", "content"))
		return plan_usage(r, "expected one \"content\" check");
	if (plan_shape(r, e, m, t, "content check") < 0)
		return -1;
	s->after = plan_text(r->p, t[1]);
	s->without = plan_text(r->p, t[3]);
	return plan_is_hash(s->after) && text_same(plan_text(r->p, t[2]), s->ref)
	               ? 0
	               : plan_usage(r, "\"content\" check: hash or ref is malformed");
}

/* What a file's name may have in it: with a NUL it would end early, and be that of the document itself. */
static bool fits_name(struct text t)
{
	return !memchr(t.s, '/', t.n) && !memchr(t.s, '\0', t.n);
}

/* {"op":"backup","ref":R,"suffix":S}, or "unbackup"; a second backup's name has the version in it, too */
static int read_backup(const struct plan_reading *r, uint32_t a, struct step *s)
{
	static const struct member m[] = { { "op", IS_STR }, { "ref", IS_STR }, { "suffix", IS_STR }, { NULL, 0 } };
	uint32_t t[3];

	if (plan_shape(r, a, m, t, "backup action") < 0)
		return -1;
	s->backup_suffix = plan_text(r->p, t[2]);
	if (!s->backup_suffix.n || !fits_name(s->backup_suffix) || !fits_name(s->from_version) ||
	    !text_same(plan_text(r->p, t[1]), s->ref))
		return plan_usage(r, "backup action: ref, suffix or version is malformed");
	return 0;
}

/* {"changes":..,"checksum_after":"sha256:<after>","checksum_before":..,"from_version":..,"to_version":..} */
static int read_stamp_entry(const struct plan_reading *r, uint32_t entry, struct step *s)
{
	static const struct member m[] = { { "changes", IS_ARR },         { "checksum_after", IS_STR },
		                           { "checksum_before", IS_STR }, { "from_version", IS_STR },
		                           { "to_version", IS_STR },      { NULL, 0 } };
	static const char prefix[] = "sha256:";
	const size_t n = sizeof prefix - 1;
	uint32_t t[5];

	if (plan_shape(r, entry, m, t, "stamp entry") < 0)
		return -1;
	s->stamp_entry = entry;
	for (int i = 1; i <= 2; i++) {
		struct text sum = plan_text(r->p, t[i]);
		struct text hex = { sum.s + n, sum.n - n };

		if (sum.n != n + HEX_LEN || memcmp(sum.s, prefix, n) != 0 || !plan_is_hash(hex))
			return plan_usage(r, "stamp entry: a checksum is malformed");
		if (i == 1 && !text_same(hex, s->after))
			return plan_invalid(r, "bad_plan", "the history entry has another checksum than the step");
	}
	if (!text_same(plan_text(r->p, t[3]), s->from_version) || !text_same(plan_text(r->p, t[4]), s->to_version))
		return plan_invalid(r, "bad_plan", "the history entry has other versions than the step");
	return 0;
}

/* [{"op":"backup",..}?, {"op":"patch","patch":[..],"ref":R}, {"entry":{..},"op":"stamp","pointer":P,"ref":R}?] */
static int read_forward_actions(const struct plan_reading *r, uint32_t list, struct step *s)
{
	static const struct member patch[] = { { "op", IS_STR }, { "patch", IS_ARR }, { "ref", IS_STR }, { NULL, 0 } };
	static const struct member stamp[] = {
		{ "entry", IS_OBJ }, { "op", IS_STR }, { "pointer", IS_STR }, { "ref", IS_STR }, { NULL, 0 }
	};
	const struct doc *d = r->doc;
	uint32_t t[4], i = 0, n = d->tok[list].n, a = element(d, list, 0);

	if (says(d, a, "op", "backup")) {
		if (read_backup(r, a, s) < 0)
			return -1;
		a = element(d, list, ++i);
	}
	if (!says(d, a, "op", "patch"))
		return plan_usage(r, "expected a \"patch\" action");
	if (plan_shape(r, a, patch, t, "patch action") < 0)
		return -1;
	s->patch = t[1];
	if (!text_same(plan_text(r->p, t[2]), s->ref))
		return plan_usage(r, "patch action: another ref than the step's");
	if (!patch_is_diff(d, s->patch))
		return plan_invalid(r, "bad_plan", "an operation of the patch is not add, remove, replace or move");
	a = element(d, list, ++i);
	if (s->without.s && says(d, a, "op", "stamp")) {
		if (plan_shape(r, a, stamp, t, "stamp action") < 0 || read_stamp_entry(r, t[0], s) < 0)
			return -1;
		if (!text_same(plan_text(r->p, t[3]), s->ref) || !text_same(plan_text(r->p, t[2]), s->without))
			return plan_usage(r, "stamp action: another ref or pointer than the step's");
		i++;
	} else if (s->without.s) {
		return plan_usage(r, "a history pointer without a \"stamp\" action");
	}
	return i == n ? 0 : plan_usage(r, "too many actions");
}

/* [{"op":"restore","raw":H,"ref":R}, {"op":"unbackup",..}?] */
static int read_restore_actions(const struct plan_reading *r, uint32_t list, struct step *s)
{
	static const struct member m[] = { { "op", IS_STR }, { "raw", IS_STR }, { "ref", IS_STR }, { NULL, 0 } };
	const struct doc *d = r->doc;
	uint32_t t[3], a = element(d, list, 0), b = element(d, list, 1);

	if (!says(d, a, "op", "restore") || d->tok[list].n > 2)
		return plan_usage(r, "expected a \"restore\" action");
	if (plan_shape(r, a, m, t, "restore action") < 0)
		return -1;
	s->restore = true;
	if (!text_same(plan_text(r->p, t[1]), s->raw) || !text_same(plan_text(r->p, t[2]), s->ref))
		return plan_usage(r, "restore action: another hash or ref than the step's");
	if (b == DOC_NONE)
		return 0;
	return says(d, b, "op", "unbackup") ? read_backup(r, b, s) : plan_usage(r, "expected an \"unbackup\" action");
}

int plan_document_step(const struct plan_reading *r, bool entry, uint32_t actions, uint32_t pre, uint32_t post,
                       struct step *s)
{
	if (entry && !patch_is_diff(r->doc, s->undo))
		return plan_invalid(r, "bad_plan", "an operation of undo is not add, remove, replace or move");
	if (entry)
		return read_content_check(r, pre, s) < 0 || read_bytes_check(r, post, s) < 0
		               ? -1
		               : read_restore_actions(r, actions, s);
	return read_bytes_check(r, pre, s) < 0 || read_content_check(r, post, s) < 0
	               ? -1
	               : read_forward_actions(r, actions, s);
}
