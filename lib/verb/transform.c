/* transform.c -- see transform.h */
#include "transform.h"

#include "backups.h"
#include "detour.h"
#include "jqwatch.h"
#include "patch.h"
#include "pointer.h"
#include "promises.h"
#include "redact-doc.h"
#include "rowref.h"
#include "semver.h"
#include "transform-rows.h"
#include "transformed.h"

#include <stdlib.h>

enum { MAX_NAMED = 20 };

struct work {
	const struct set *set;
	const char *target;
	struct out *out;
	struct diag *d;
	struct ways ways;
	struct rowmaker rows;    /* of a records set */
	struct backups backups;  /* of a set of documents */
	struct detours *detours; /* NULL: one path will do */
	size_t differ;           /* documents on which the paths do not agree */
	/* reused from document to document */
	struct doc before, after, patch, undo;
	uint32_t history;     /* of before; DOC_NONE where there is none */
	struct promises promises;
	struct transformed made;
	struct buf after_text, patch_text, undo_text, check, ref, row, version;
	struct jqrun_why why;
};

static int put_reject(struct work *w, const struct record *r, const char *code, const char *reason)
{
	return transformed_reject(&w->made, r, (struct text){ w->ref.s, w->ref.len }, code, reason);
}

static int indexed(struct work *w, struct doc *d, const struct buf *text, const char *ref)
{
	if (doc_parse(d, text->s, text->len, RECORD_MAX_DEPTH) == 0 && d->canonical)
		return 0;
	return diag_add(w->d, MIG_ERROR, "internal", ref, "what was written does not read back: %s", d->err.reason);
}

/* Execute patch and undo and compare: rollback is proven here. */
static int prove(struct work *w, const char *ref)
{
	const struct {
		const struct doc *from, *ops, *to;
		const char *what;
	} ways[] = { { &w->before, &w->patch, &w->after, "patch" }, { &w->after, &w->undo, &w->before, "undo" } };

	for (size_t i = 0; i < 2; i++) {
		struct patch_list list = { .doc = ways[i].ops, .ops = 0 };
		const struct doc *to = ways[i].to;

		buf_reset(&w->check);
		if (patch_replay(ways[i].from, &list, 1, &w->check, ref, w->d) < 0)
			return -1;
		if (w->check.len != to->len || memcmp(w->check.s, to->text, to->len) != 0)
			return diag_add(w->d, MIG_ERROR, "internal", ref, "the %s does not do what it says",
			                ways[i].what);
	}
	return 0;
}

static enum jqrun_result take(struct work *w, struct jqprog *prog, const char *name, struct buf *out,
                              struct jqrun_why *why)
{
	return jqwatch_run(prog, name, &w->before, out, why);
}

static int found_differing(struct work *w, const char *ref, const char *difference)
{
	if (++w->differ <= MAX_NAMED)
		diag_add(w->d, MIG_INVALID, "paths_differ", ref, "%s", difference);
	return 1;
}

/* Take the document along all other paths: 0, 1 where one leads elsewhere, -1 where the run must end. */
static int check_detours(struct work *w, const struct way *way, enum jqrun_result result, const char *ref)
{
	struct detours *s = w->detours;
	const struct detour_list *l = detours_find(s, way, w->d);
	const struct detour_end end = { way->name, &w->after_text, result == JQ_OK ? NULL : &w->why };

	if (!l)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		enum jqrun_result other = take(w, l->list[i].prog, l->list[i].name, &s->text, &s->why);
		const struct detour_end there = { l->list[i].name, &s->text, other == JQ_OK ? NULL : &s->why };

		if (other == JQ_FAULT)
			return diag_add(w->d, MIG_INVALID, s->why.code, ref, "%s: %s", there.path, s->why.reason.s);
		buf_reset(&w->check);
		if (!detour_agrees(&end, &there, w->set->history, &w->check))
			return found_differing(w, ref, w->check.s);
	}
	return 0;
}

/* jq's own words do not say where; those of the set's predicates do. */
static int reject_made(struct work *w, const struct record *r, struct way *way)
{
	redact_doc(&w->why.reason, &w->before);
	if (strcmp(w->why.code, "jq_error") != 0)
		return put_reject(w, r, w->why.code, w->why.reason.s);
	char *reason = xasprintf("%s: %s", way_stop(&w->ways, way, &w->before), w->why.reason.s);
	int rc = put_reject(w, r, w->why.code, reason);

	free(reason);
	return rc;
}

static int run_all_paths(struct work *w, const struct way *way, enum jqrun_result result, const char *ref)
{
	if (result == JQ_FAULT)
		return diag_add(w->d, MIG_INVALID, w->why.code, ref, "%s: %s", way->name, w->why.reason.s);
	return w->detours ? check_detours(w, way, result, ref) : 0;
}

/*
 * What the first hop is given is of the same shape as what every hop gives:
 *
 *	{"data":{"title":"Hello","user":7},"entity":"posts","id":"3"}
 */
static int make_row(struct work *w, const struct record *r, const char *ref)
{
	struct text body = { w->before.text, w->before.len }, whole = { w->ref.s, w->ref.len };
	struct buf arena = BUF_INIT, id = BUF_INIT;
	struct rec rec;
	size_t n;
	const char *s = doc_span(r->doc, record_get(r, "entity"), &n);

	if (!rowref_id(whole, record_text(r->doc, record_get(r, "entity"), &arena), &id))
		buf_add(&id, whole.s, whole.n);
	buf_reset(&w->row);
	rec_open(&rec, &w->row);
	rec_raw(&rec, "data", body.s, body.n);
	rec_raw(&rec, "entity", s, n);
	rec_str(&rec, "id", (struct text){ id.s, id.len });
	rec_close(&rec);
	buf_release(&arena);
	buf_release(&id);
	return indexed(w, &w->before, &w->row, ref);
}

/* A row: as many records as the program gives. */
static int make_records(struct work *w, const struct record *r, struct way *way, const char *ref)
{
	if (make_row(w, r, ref) < 0)
		return -1;
	enum jqrun_result result = take(w, way->prog, way->name, &w->after_text, &w->why);
	int apart = run_all_paths(w, way, result, ref);
	const char *code;

	if (apart)
		return apart < 0 ? -1 : 0;
	if (result == JQ_REJECT)
		return reject_made(w, r, way);
	if (indexed(w, &w->after, &w->after_text, ref) < 0)
		return -1;
	if ((code = rowmaker_take(&w->rows, r, way, &w->after))) {
		redact_doc(&w->rows.work.reason, &w->before);
		return put_reject(w, r, code, w->rows.work.reason.s);
	}
	return w->rows.lines.len ? out_write(w->out, w->rows.lines.s, w->rows.lines.len)
	                         : transformed_current(&w->made, r);
}

static int migrate(struct work *w, const struct record *r, struct way *way, const char *ref, size_t max)
{
	const struct set *set = w->set;
	char hash[HEX_SIZE];
	const char *code;
	uint32_t skip = DOC_NONE;

	if ((code = promises_before(&w->promises, set, &w->before, w->history)))
		return put_reject(w, r, code, w->promises.reason.s);
	enum jqrun_result result = take(w, way->prog, way->name, &w->after_text, &w->why);
	int apart = run_all_paths(w, way, result, ref);

	if (apart)
		return apart < 0 ? -1 : 0;
	if (result == JQ_REJECT)
		return reject_made(w, r, way);
	if (indexed(w, &w->after, &w->after_text, ref) < 0)
		return -1;
	buf_reset(&w->patch_text);
	buf_reset(&w->undo_text);
	patch_diff(&w->before, &w->after, &w->patch_text, &w->undo_text);
	if (indexed(w, &w->patch, &w->patch_text, ref) < 0 || indexed(w, &w->undo, &w->undo_text, ref) < 0)
		return -1;
	if ((code = promises_kept(&w->promises, set, &w->before, &w->patch, &w->after)))
		return put_reject(w, r, code, w->promises.reason.s);
	if (prove(w, ref) < 0 || backups_check(&w->backups, (struct text){ w->ref.s, w->ref.len }, w->d) < 0)
		return -1;
	if (w->patch_text.len + w->undo_text.len > max / 4)
		return put_reject(w, r, "too_large", "the change is larger than a quarter of MIG_MAX_RECORD");
	if (set->history)
		pointer_find(&w->after, 0, set->history, strlen(set->history), &skip);
	canon_hash(&w->after, 0, skip, hash);
	const struct transformed_change change = { .after = hash,
		                                   .patch = { w->patch_text.s, w->patch_text.len },
		                                   .undo = { w->undo_text.s, w->undo_text.len },
		                                   .destructive = w->promises.removes ||
		                                                  strcmp(way->type, "cleanup") == 0 };

	return transformed_change(&w->made, r, way, &change);
}

/* Take the body out of its record, so that it can be run, diffed and patched as a document; check its hash. */
static int take_body(struct work *w, const struct record *r, const char *ref)
{
	const char *pointer = w->set->history;
	char is[HEX_SIZE];

	doc_part(&w->before, r->doc, record_get(r, "body"));
	w->history = DOC_NONE;
	if (pointer)
		pointer_find(&w->before, 0, pointer, strlen(pointer), &w->history);
	canon_hash(&w->before, 0, w->history, is);
	if (doc_equals(r->doc, record_get(r, "hash"), is, HEX_LEN))
		return 0;
	return diag_add(w->d, MIG_INVALID, "hash_mismatch", ref, "the record's hash is not that of its body, %s", is);
}

/* The document's own version, as the set finds it, must be what the record says. */
static int check_version(struct work *w, const char *version, const char *ref)
{
	const char *otherwise = w->set->version_default;
	uint32_t t = DOC_NONE;
	bool has = w->set->version && pointer_find(&w->before, 0, w->set->version, strlen(w->set->version), &t);

	if (has ? doc_equals(&w->before, t, version, strlen(version)) : otherwise && strcmp(otherwise, version) == 0)
		return 0;
	char *own = has ? record_dup(&w->before, t) : otherwise ? xstrdup(otherwise) : NULL;

	diag_add(w->d, MIG_INVALID, "version_mismatch", ref, "Expected schema_version %s, got %s", version,
	         own ? own : "none");
	free(own);
	return -1;
}

/* The version that a row stands at: what its record says, or, where that is none (0.0.0), what the set says. */
static const char *row_version(const struct work *w)
{
	const char *own = w->version.s ? w->version.s : "", *otherwise = w->set->version_default;

	return otherwise && (!semver_valid(own) || strcmp(own, "0.0.0") == 0) ? otherwise : own;
}

static int transform_document(struct work *w, const struct record *r, size_t max)
{
	const struct set *set = w->set;
	struct way *way;

	if (set->entity && !doc_equals(r->doc, record_get(r, "entity"), set->entity, strlen(set->entity)))
		return diag_add(w->d, MIG_INVALID, "foreign_entity", NULL,
		                "a document of another entity than the set's %s", set->entity);
	buf_reset(&w->ref);
	buf_reset(&w->version);
	doc_string(r->doc, record_get(r, "ref"), &w->ref);
	if (r->doc->tok[record_get(r, "version")].type == DOC_STRING)
		doc_string(r->doc, record_get(r, "version"), &w->version);
	const char *ref = w->ref.s, *version = set->targets ? row_version(w) : w->version.s ? w->version.s : "";

	if (take_body(w, r, ref) < 0 || ((!set->targets || set->version) && check_version(w, version, ref) < 0))
		return -1;
	if (strcmp(version, w->target) == 0)
		return transformed_current(&w->made, r);
	if (!(way = ways_find(&w->ways, version, w->d)))
		return -1;
	if (!way->path) {
		char *reason = xasprintf("No migration path from %s to %s", *version ? version : "none",
		                         w->target);
		int rc = put_reject(w, r, "no_path", reason);

		free(reason);
		return rc;
	}
	size_t n;
	const char *spelled = doc_span(r->doc, record_get(r, "ref"), &n);

	jqwatch_document(spelled, n);
	return set->targets ? make_records(w, r, way, ref) : migrate(w, r, way, ref, max);
}

static void work_release(struct work *w)
{
	struct buf *bufs[] = { &w->after_text, &w->patch_text, &w->undo_text, &w->check,
		               &w->ref,        &w->row,        &w->version,   &w->why.reason,
		               &w->made.record };
	struct doc *docs[] = { &w->before, &w->after, &w->patch, &w->undo };

	ways_release(&w->ways);
	backups_release(&w->backups);
	rowmaker_release(&w->rows);
	promises_release(&w->promises);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	for (size_t i = 0; i < sizeof docs / sizeof *docs; i++)
		doc_release(docs[i]);
}

/* A stream with documents on which the paths differ has no end: its fault takes that place. */
static int pass_on(struct work *w, const struct record *r)
{
	return r->kind == KIND_END && w->differ ? 0 : stream_put(w->out, r->line, r->len);
}

static int finish(struct work *w, int rc)
{
	if (w->differ > MAX_NAMED)
		diag_warn(w->d, "more", NULL, "and %zu more documents on which the paths differ",
		          w->differ - MAX_NAMED);
	return w->differ ? -1 : rc;
}

int transform_run(const struct transform_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	const struct set *set = ask->set;
	struct detours detours = DETOURS_INIT(set, ask->target);
	struct work w = { .set = set,
		          .target = ask->target,
		          .out = out,
		          .d = d,
		          .ways = WAYS_INIT(set, ask->target),
		          .rows = ROWMAKER_INIT(set, in->lines.max / 4),
		          .promises = PROMISES_INIT,
		          .made = { .set = set, .target = ask->target, .out = out } };
	struct record r;
	int rc;

	w.detours = ask->check_paths ? &detours : NULL;
	in->partial = true;
	backups_init(&w.backups, set);
	jqwatch_begin(out);
	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_DOCUMENT && !in->fault)
			rc = transform_document(&w, &r, in->lines.max);
		else
			rc = pass_on(&w, &r);
		if (rc < 0)
			break;
	}
	rc = finish(&w, rc);
	work_release(&w);
	detours_release(&detours);
	return rc;
}
