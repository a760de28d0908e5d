/* transform.c -- see transform.h */
#include "transform.h"

#include "backups.h"
#include "detour.h"
#include "jqwatch.h"
#include "patch.h"
#include "pointer.h"
#include "redact-doc.h"
#include "rowref.h"
#include "semver.h"
#include "transform-rows.h"

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
	struct text *touched; /* what the patch may have changed: see read_patch */
	size_t ntouched, touchedcap;
	bool removes;
	struct buf after_text, patch_text, undo_text, check, record, ref, row, version;
	struct jqrun_why why;
};

/* Write the record in w->record after giving it its sum, in front of the member at offset at. */
static int put_summed(struct work *w, size_t at)
{
	rec_sum(&w->record, at);
	return stream_put(w->out, w->record.s, w->record.len);
}

static int put_reject(struct work *w, const struct record *r, const char *code, const char *reason)
{
	struct buf arena = BUF_INIT;

	buf_reserve(&arena, r->len); /* two texts are decoded into it, none may move */
	struct reject reject = {
		.tool = "mig-transform",
		.code = code,
		.reason = reason,
		.entity = record_text(r->doc, record_get(r, "entity"), &arena),
		.hash = record_text(r->doc, record_get(r, "hash"), &arena),
		.ref = { w->ref.s, w->ref.len },
	};

	buf_reset(&w->record);
	reject_write(&w->record, &reject);
	buf_release(&arena);
	return stream_put(w->out, w->record.s, w->record.len);
}

static int put_current(struct work *w, const struct record *r)
{
	struct rec rec;
	struct buf *b = &w->record;
	size_t n, at;
	const char *s;

	buf_reset(b);
	rec_open(&rec, b);
	s = doc_span(r->doc, record_get(r, "entity"), &n);
	rec_raw(&rec, "entity", s, n);
	s = doc_span(r->doc, record_get(r, "hash"), &n);
	rec_raw(&rec, "hash", s, n);
	rec_cstr(&rec, "kind", "current");
	s = doc_span(r->doc, record_get(r, "ref"), &n);
	rec_raw(&rec, "ref", s, n);
	at = b->len + 1;
	rec_cstr(&rec, "version", w->target);
	rec_close(&rec);
	return put_summed(w, at);
}

/* The way's runs of members stand where canonical order has them. */
static int put_change(struct work *w, const struct record *r, const struct way *way, const char *after_hash,
                      bool destructive)
{
	struct buf *b = &w->record;
	struct rec rec;
	size_t n, at;
	const char *s;

	buf_reset(b);
	rec_open(&rec, b);
	rec_cstr(&rec, "after", after_hash);
	if (w->set->backup_suffix)
		rec_cstr(&rec, "backup_suffix", w->set->backup_suffix);
	s = doc_span(r->doc, record_get(r, "hash"), &n);
	rec_raw(&rec, "before", s, n);
	buf_add(b, way->changes.s, way->changes.len);
	rec_bool(&rec, "destructive", destructive);
	buf_add(b, way->about.s, way->about.len);
	rec_raw(&rec, "patch", w->patch_text.s, w->patch_text.len);
	s = doc_span(r->doc, record_get(r, "raw"), &n);
	rec_raw(&rec, "raw", s, n);
	s = doc_span(r->doc, record_get(r, "ref"), &n);
	rec_raw(&rec, "ref", s, n);
	buf_add(b, way->set.s, way->set.len);
	at = b->len + 1;
	buf_add(b, way->target.s, way->target.len);
	rec_raw(&rec, "undo", w->undo_text.s, w->undo_text.len);
	rec_close(&rec);
	return put_summed(w, at);
}

/* The value at a pointer as its span in a canonical document; n == 0: none. */
static struct text value_at(const struct doc *d, const char *pointer)
{
	uint32_t t;
	size_t n;

	if (!pointer_find(d, 0, pointer, strlen(pointer), &t))
		return (struct text){ "", 0 };
	const char *s = doc_span(d, t, &n);

	return (struct text){ s, n };
}

static int indexed(struct work *w, struct doc *d, const struct buf *text, const char *ref)
{
	if (doc_parse(d, text->s, text->len, RECORD_MAX_DEPTH) == 0 && d->canonical)
		return 0;
	return diag_add(w->d, MIG_ERROR, "internal", ref, "what was written does not read back: %s", d->err.reason);
}

/* "/a is required": what a reject says; the text lives until the next one. */
static const char *because(struct work *w, const char *pointer, const char *what)
{
	buf_reset(&w->check);
	buf_addf(&w->check, "%s %s", pointer, what);
	return w->check.s;
}

/* Is the last reference token an element's, whose coming and going shifts its neighbours? */
static bool is_element(struct text last)
{
	for (size_t i = 0; i < last.n; i++)
		if ((last.s[i] < '0' || last.s[i] > '9') && last.s[i] != '-')
			return false;
	return true;
}

/*
 * Keep a path of the patch: the pointers above and below it may have another
 * value now.  "/a/b" is kept as it is, "/a/3" as "/a".
 */
static void touch(struct work *w, uint32_t t)
{
	struct text path = { "", 0 };

	if (t == DOC_NONE)
		return;
	if (!(w->patch.tok[t].flags & DOC_ESCAPED)) { /* else it stays "", the pointer of everything */
		path = record_text(&w->patch, t, NULL);
		const char *slash = memrchr(path.s, '/', path.n);
		size_t up = slash ? (size_t)(slash - path.s) : path.n;

		if (slash && is_element((struct text){ slash + 1, path.n - up - 1 }))
			path.n = up;
	}
	if (w->ntouched == w->touchedcap) {
		w->touchedcap = w->touchedcap * 2 + 16;
		w->touched = xrealloc(w->touched, w->touchedcap, sizeof *w->touched);
	}
	w->touched[w->ntouched++] = path;
}

static void read_patch(struct work *w)
{
	const struct doc *p = &w->patch;

	w->ntouched = 0;
	w->removes = false;
	for (uint32_t t = 1; t < p->tok[0].next; t = p->tok[t].next) {
		touch(w, doc_member(p, t, "path", 4));
		touch(w, doc_member(p, t, "from", 4));
		w->removes = w->removes || doc_equals(p, doc_member(p, t, "op", 2), "remove", 6);
	}
}

/* May the value at the pointer be another one after the patch?  Most are not, and need no look. */
static bool is_touched(const struct work *w, const char *pointer)
{
	struct text p = { pointer, strlen(pointer) };

	for (size_t i = 0; i < w->ntouched; i++) {
		struct text q = w->touched[i];
		size_t n = p.n < q.n ? p.n : q.n;

		if (memcmp(p.s, q.s, n) == 0 && (p.n == q.n || (p.n > n ? p.s[n] : q.s[n]) == '/'))
			return true;
	}
	return false;
}

/* Check the set's promises between before and after: NULL, or the reject's code with *reason. */
static const char *broken_promise(struct work *w, const char **reason)
{
	const struct set *set = w->set;

	for (char **p = set->immutable; *p; p++) {
		struct text was = is_touched(w, *p) ? value_at(&w->before, *p) : (struct text){ "", 0 };

		if (was.n && !text_same(was, value_at(&w->after, *p))) {
			*reason = because(w, *p, "must not change");
			return "immutable_changed";
		}
	}
	for (char **p = set->required; *p; p++)
		if (is_touched(w, *p) && value_at(&w->after, *p).n == 0) {
			*reason = because(w, *p, "is required, the program removed it");
			return "required_missing";
		}
	if (set->history && is_touched(w, set->history) &&
	    !text_same(value_at(&w->before, set->history), value_at(&w->after, set->history))) {
		*reason = because(w, set->history, "is the history: only mig-apply writes it");
		return "history_changed";
	}
	return NULL;
}

/* Does an operation only add a member?  An element added to an array would alter a value that was there. */
static bool adds_member(struct work *w, uint32_t op, const char *path)
{
	const char *slash = strrchr(path, '/');
	uint32_t parent;

	if (!doc_equals(&w->patch, op, "add", 3) || !slash)
		return false;
	return !pointer_find(&w->before, 0, path, (size_t)(slash - path), &parent) ||
	       w->before.tok[parent].type == DOC_OBJECT;
}

/* What an additive set's patch does beside adding, or NULL. */
static const char *not_additive(struct work *w)
{
	const struct doc *p = &w->patch;

	for (uint32_t t = 1; t < p->tok[0].next; t = p->tok[t].next) {
		uint32_t moved = doc_member(p, t, "from", 4); /* a move takes away what was there */
		char *path = record_dup(p, moved == DOC_NONE ? doc_member(p, t, "path", 4) : moved);
		bool fine = adds_member(w, doc_member(p, t, "op", 2), path) || strcmp(path, w->set->version) == 0;
		const char *why = fine ? NULL : because(w, path, "is altered or removed, but the set is additive");

		free(path);
		if (why)
			return why;
	}
	return NULL;
}

/* Is mig-apply able to append its entry: to a list that is there, or to one that it makes a member of an object? */
static bool history_has_place(const struct work *w)
{
	const char *history = w->set->history, *last = history ? strrchr(history, '/') : NULL;
	uint32_t parent;

	if (!history || w->history != DOC_NONE)
		return true;
	return pointer_find(&w->after, 0, history, (size_t)(last - history), &parent) &&
	       w->after.tok[parent].type == DOC_OBJECT;
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
		if (patch_splice(ways[i].from, &list, 1, &w->check, ref, w->d) < 0)
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

static int reject_made(struct work *w, const struct record *r)
{
	redact_doc(&w->why.reason, &w->before);
	return put_reject(w, r, w->why.code, w->why.reason.s);
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
		return reject_made(w, r);
	if (indexed(w, &w->after, &w->after_text, ref) < 0)
		return -1;
	if ((code = rowmaker_take(&w->rows, r, way, &w->after))) {
		redact_doc(&w->rows.work.reason, &w->before);
		return put_reject(w, r, code, w->rows.work.reason.s);
	}
	return w->rows.lines.len ? out_write(w->out, w->rows.lines.s, w->rows.lines.len) : put_current(w, r);
}

static int migrate(struct work *w, const struct record *r, struct way *way, const char *ref, size_t max)
{
	const struct set *set = w->set;
	char hash[HEX_SIZE];
	const char *code, *reason;
	uint32_t skip = DOC_NONE;

	for (char **p = set->required; *p; p++)
		if (value_at(&w->before, *p).n == 0)
			return put_reject(w, r, "required_missing", because(w, *p, "is required"));
	if (w->history != DOC_NONE && w->before.tok[w->history].type != DOC_ARRAY)
		return put_reject(w, r, "bad_history", because(w, set->history, "is not an array"));
	enum jqrun_result result = take(w, way->prog, way->name, &w->after_text, &w->why);
	int apart = run_all_paths(w, way, result, ref);

	if (apart)
		return apart < 0 ? -1 : 0;
	if (result == JQ_REJECT)
		return reject_made(w, r);
	if (indexed(w, &w->after, &w->after_text, ref) < 0)
		return -1;
	buf_reset(&w->patch_text);
	buf_reset(&w->undo_text);
	patch_diff(&w->before, &w->after, &w->patch_text, &w->undo_text);
	if (indexed(w, &w->patch, &w->patch_text, ref) < 0 || indexed(w, &w->undo, &w->undo_text, ref) < 0)
		return -1;
	read_patch(w);
	if ((code = broken_promise(w, &reason)))
		return put_reject(w, r, code, reason);
	if (set->additive && (reason = not_additive(w)))
		return put_reject(w, r, "not_additive", reason);
	if (!history_has_place(w))
		return put_reject(w, r, "bad_history", because(w, set->history, "has no object to stand in"));
	if (prove(w, ref) < 0 || backups_check(&w->backups, (struct text){ w->ref.s, w->ref.len }, w->d) < 0)
		return -1;
	if (w->patch_text.len + w->undo_text.len > max / 4)
		return put_reject(w, r, "too_large", "the change is larger than a quarter of MIG_MAX_RECORD");
	if (set->history)
		pointer_find(&w->after, 0, set->history, strlen(set->history), &skip);
	canon_hash(&w->after, 0, skip, hash);
	return put_change(w, r, way, hash, w->removes || strcmp(way->type, "cleanup") == 0);
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
		return put_current(w, r);
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
		               &w->record, &w->ref,        &w->row,        &w->version,
		               &w->why.reason };
	struct doc *docs[] = { &w->before, &w->after, &w->patch, &w->undo };

	ways_release(&w->ways);
	backups_release(&w->backups);
	rowmaker_release(&w->rows);
	free(w->touched);
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
	struct work w = { .set = set, .target = ask->target, .out = out, .d = d, .ways = WAYS_INIT(set, ask->target),
		          .rows = ROWMAKER_INIT(set, in->lines.max / 4) };
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
