/* transform.c -- see transform.h */
#include "transform.h"

#include "jqrun.h"
#include "patch.h"
#include "pointer.h"
#include "semver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { JQ_SECONDS = 10 };
static const size_t JQ_MEMORY = (size_t)2 << 30;

/* One way from a version to the target, found when the first document needs it. */
struct way {
	char *from;
	size_t *path; /* indexes into the set's hops; NULL: there is none */
	size_t n;
	char *name; /* "1.0.0..1.1.0 1.1.0..1.2.0" */
	struct jqprog *prog;
	bool reversible;
};

struct work {
	const struct set *set;
	const char *target;
	struct out *out;
	struct diag *d;
	struct way *way;
	size_t nway;
	/* reused from document to document */
	struct doc before, after, patch, undo;
	struct buf body, after_text, patch_text, undo_text, check, record, ref, version;
	struct jqrun_why why;
};

/* What the signal handler needs: set before a program runs, async-signal-safe to use. */
static struct {
	struct out *out;
	const char *ref, *way;
	size_t nref;
} dying;

static void put(const char *s, size_t n)
{
	ssize_t w = write(dying.out->fd, s, n);

	(void)w;
}

static void put_text(const char *s)
{
	put(s, strlen(s));
}

/*
 * A program ran away or killed libjq.  The records written so far are whole
 * lines; the fault is put together from parts that need no escaping.
 */
static void die_in_jq(int sig)
{
	const char *what = sig == SIGVTALRM ? "ran for more than 10 seconds" : "crashed libjq or ran out of memory";

	put(dying.out->b.s, dying.out->b.len);
	put_text("{\"code\":\"jq_died\",\"exit\":4,\"kind\":\"fault\",\"reason\":\"the program of ");
	put_text(dying.way);
	put_text(" ");
	put_text(what);
	put_text("\",\"ref\":");
	put(dying.ref, dying.nref);
	put_text(",\"tool\":\"mig-transform\"}\n");
	_exit(MIG_INVALID);
}

/* The strongest type among the hops: what removes outranks what adds. */
static const char *way_type(const struct work *w, const struct way *way)
{
	static const char *const order[] = { "cleanup", "schema", "data", "config", "profile", "index" };

	for (size_t o = 0; o < sizeof order / sizeof *order; o++)
		for (size_t i = 0; i < way->n; i++)
			if (strcmp(w->set->hop[way->path[i]].type, order[o]) == 0)
				return order[o];
	return "data";
}

static void add_texts(struct buf *b, char *const *list)
{
	buf_addch(b, '[');
	for (char *const *p = list; *p; p++) {
		if (p != list)
			buf_addch(b, ',');
		canon_string(b, *p, strlen(*p));
	}
	buf_addch(b, ']');
}

/* The levers of all hops, each once, in the order of the hops. */
static void add_levers(struct buf *b, const struct work *w, const struct way *way)
{
	struct buf seen = BUF_INIT; /* NUL-separated */

	buf_addch(&seen, '\0');
	buf_addch(b, '[');
	for (size_t i = 0, n = 0; i < way->n; i++)
		for (char **l = w->set->hop[way->path[i]].levers; *l; l++) {
			char *key = xasprintf("%c%s%c", 1, *l, 1);

			if (!memmem(seen.s, seen.len, key, strlen(key))) {
				buf_addstr(&seen, key);
				if (n++)
					buf_addch(b, ',');
				canon_string(b, *l, strlen(*l));
			}
			free(key);
		}
	buf_addch(b, ']');
	buf_release(&seen);
}

static char *way_note(const struct work *w, const struct way *way)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < way->n; i++) {
		const char *note = w->set->hop[way->path[i]].note;

		if (note)
			buf_addf(&b, "%s%s", b.len ? "; " : "", note);
	}
	if (!b.len)
		buf_addstr(&b, "the original bytes stay in the store; rollback restores them");
	return buf_steal(&b);
}

/*
 * The program failed to compile as a whole.  Compile each file by itself, so
 * that the message names the right one; keep the first finding if all pass.
 */
static void blame_program(struct work *w, const struct way *way)
{
	size_t first = w->d->n;

	for (size_t i = 0; i < way->n; i++) {
		const struct hop *h = &w->set->hop[way->path[i]];
		char *where = xasprintf("%s/up.jq", h->id);
		struct jqprog *p = jqrun_compile(w->set->lib, h->up, where, w->d);

		jqrun_free(p);
		free(where);
	}
	if (w->d->n == first) {
		struct jqprog *p;
		struct buf text = BUF_INIT;

		set_program(w->set, way->path, way->n, &text);
		p = jqrun_compile(w->set->lib, text.s, way->name, w->d);
		jqrun_free(p);
		buf_release(&text);
	}
}

static int compile(struct work *w, struct way *way)
{
	struct buf text = BUF_INIT;
	struct diag quiet = DIAG_INIT;

	set_program(w->set, way->path, way->n, &text);
	way->prog = jqrun_compile(w->set->lib, text.s, way->name, &quiet);
	buf_release(&text);
	diag_release(&quiet);
	if (way->prog)
		return 0;
	blame_program(w, way);
	return -1;
}

static void name_way(struct work *w, struct way *way)
{
	struct buf name = BUF_INIT;

	way->reversible = true;
	for (size_t i = 0; i < way->n; i++) {
		const struct hop *h = &w->set->hop[way->path[i]];

		buf_addf(&name, "%s%s", i ? " " : "", h->id);
		way->reversible = way->reversible && h->reversible;
	}
	way->name = buf_steal(&name);
}

/* The way from a version; way->path is NULL where there is none.  NULL after a finding. */
static struct way *find_way(struct work *w, const char *from)
{
	for (size_t i = 0; i < w->nway; i++)
		if (strcmp(w->way[i].from, from) == 0)
			return &w->way[i];
	w->way = xrealloc(w->way, w->nway + 1, sizeof *w->way);
	struct way *way = &w->way[w->nway++];

	*way = (struct way){ .from = xstrdup(from) };
	way->path = set_path(w->set, from, w->target, &way->n);
	if (!way->path)
		return way;
	name_way(w, way);
	return compile(w, way) < 0 ? NULL : way;
}

static void release_ways(struct work *w)
{
	for (size_t i = 0; i < w->nway; i++) {
		free(w->way[i].from);
		free(w->way[i].path);
		free(w->way[i].name);
		jqrun_free(w->way[i].prog);
	}
	free(w->way);
}

/* Write the record in w->record after giving it its sum, in front of the member at offset at. */
static int put_summed(struct work *w, size_t at)
{
	rec_sum(&w->record, at);
	return stream_put(w->out, w->record.s, w->record.len);
}

static int put_reject(struct work *w, const struct record *r, const char *code, const char *reason)
{
	struct buf arena = BUF_INIT;
	struct reject reject = {
		.tool = "mig-transform",
		.code = code,
		.reason = reason,
		.entity = { w->set->entity, strlen(w->set->entity) },
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
	rec_cstr(&rec, "entity", w->set->entity);
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

static int put_change(struct work *w, const struct record *r, const struct way *way, const char *after_hash,
                      bool destructive)
{
	const struct set *set = w->set;
	struct rec rec, in;
	struct buf *b = &w->record;
	size_t n, at;
	const char *s;
	char *note = way_note(w, way);

	buf_reset(b);
	rec_open(&rec, b);
	rec_cstr(&rec, "after", after_hash);
	if (set->backup_suffix)
		rec_cstr(&rec, "backup_suffix", set->backup_suffix);
	s = doc_span(r->doc, record_get(r, "hash"), &n);
	rec_raw(&rec, "before", s, n);
	rec_name(&rec, "changes");
	for (size_t i = 0; i < way->n; i++) {
		buf_addch(b, i ? ',' : '[');
		add_texts(b, set->hop[way->path[i]].changes);
	}
	buf_addch(b, ']');
	rec_cstr(&rec, "data_safety", note);
	rec_bool(&rec, "destructive", destructive);
	rec_cstr(&rec, "entity", set->entity);
	rec_cstr(&rec, "from_version", way->from);
	rec_cstr(&rec, "history", set->history);
	rec_name(&rec, "hops");
	for (size_t i = 0; i < way->n; i++) {
		buf_addch(b, i ? ',' : '[');
		canon_string(b, set->hop[way->path[i]].id, strlen(set->hop[way->path[i]].id));
	}
	buf_addch(b, ']');
	rec_cstr(&rec, "kind", "change");
	rec_name(&rec, "levers");
	add_levers(b, w, way);
	rec_cstr(&rec, "op", "patch");
	rec_raw(&rec, "patch", w->patch_text.s, w->patch_text.len);
	s = doc_span(r->doc, record_get(r, "raw"), &n);
	rec_raw(&rec, "raw", s, n);
	s = doc_span(r->doc, record_get(r, "ref"), &n);
	rec_raw(&rec, "ref", s, n);
	rec_bool(&rec, "reversible", way->reversible);
	rec_name(&rec, "set");
	rec_open(&in, b);
	rec_cstr(&in, "hash", set->hash);
	rec_cstr(&in, "id", set->id);
	rec_close(&in);
	at = b->len + 1;
	rec_cstr(&rec, "to_version", w->target);
	rec_cstr(&rec, "type", way_type(w, way));
	rec_raw(&rec, "undo", w->undo_text.s, w->undo_text.len);
	rec_close(&rec);
	free(note);
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

/* Check the set's promises between before and after: NULL, or the reject's code with *reason. */
static const char *broken_promise(struct work *w, const char **reason)
{
	const struct set *set = w->set;

	for (char **p = set->immutable; *p; p++) {
		struct text was = value_at(&w->before, *p);

		if (was.n && !text_same(was, value_at(&w->after, *p))) {
			*reason = because(w, *p, "must not change");
			return "immutable_changed";
		}
	}
	for (char **p = set->required; *p; p++)
		if (value_at(&w->after, *p).n == 0) {
			*reason = because(w, *p, "is required, the program removed it");
			return "required_missing";
		}
	if (set->history && !text_same(value_at(&w->before, set->history), value_at(&w->after, set->history))) {
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
		char *path = record_dup(p, doc_member(p, t, "path", 4));
		bool fine = adds_member(w, doc_member(p, t, "op", 2), path) || strcmp(path, w->set->version) == 0;
		const char *why = fine ? NULL : because(w, path, "is altered or removed, but the set is additive");

		free(path);
		if (why)
			return why;
	}
	return NULL;
}

/* Execute patch and undo and compare: rollback is proven here. */
static int prove(struct work *w, const char *ref)
{
	const struct {
		struct doc *from, *ops;
		const struct buf *want;
		const char *what;
	} ways[] = { { &w->before, &w->patch, &w->after_text, "patch" }, { &w->after, &w->undo, &w->body, "undo" } };

	for (size_t i = 0; i < 2; i++) {
		struct patch_list list = { .doc = ways[i].ops, .ops = 0 };

		buf_reset(&w->check);
		if (patch_splice(ways[i].from, &list, 1, &w->check, ref, w->d) < 0)
			return -1;
		if (w->check.len != ways[i].want->len || memcmp(w->check.s, ways[i].want->s, w->check.len) != 0)
			return diag_add(w->d, MIG_ERROR, "internal", ref, "the %s does not do what it says",
			                ways[i].what);
	}
	return 0;
}

static int migrate(struct work *w, const struct record *r, struct way *way, const char *ref, size_t max)
{
	const struct set *set = w->set;
	struct text history;
	char hash[HEX_SIZE];
	const char *code, *reason;
	uint32_t skip = DOC_NONE;
	bool removes = false;

	for (char **p = set->required; *p; p++)
		if (value_at(&w->before, *p).n == 0)
			return put_reject(w, r, "required_missing", because(w, *p, "is required"));
	history = set->history ? value_at(&w->before, set->history) : (struct text){ "[", 1 };
	if (history.n && *history.s != '[')
		return put_reject(w, r, "bad_history", because(w, set->history, "is not an array"));
	dying.way = way->name;
	dying.ref = doc_span(r->doc, record_get(r, "ref"), &dying.nref);
	jqrun_alarm(JQ_SECONDS);
	buf_reset(&w->after_text);
	enum jqrun_result result = jqrun_value(way->prog, &w->before, 0, &w->after_text, &w->why);

	jqrun_alarm(0);
	if (result == JQ_FAULT)
		return diag_add(w->d, MIG_INVALID, w->why.code, ref, "%s: %s", way->name, w->why.reason.s);
	if (result == JQ_REJECT)
		return put_reject(w, r, w->why.code, w->why.reason.s);
	if (indexed(w, &w->after, &w->after_text, ref) < 0)
		return -1;
	if ((code = broken_promise(w, &reason)))
		return put_reject(w, r, code, reason);
	buf_reset(&w->patch_text);
	buf_reset(&w->undo_text);
	patch_diff(&w->before, &w->after, &w->patch_text, &w->undo_text);
	if (indexed(w, &w->patch, &w->patch_text, ref) < 0 || indexed(w, &w->undo, &w->undo_text, ref) < 0)
		return -1;
	if (set->additive && (reason = not_additive(w)))
		return put_reject(w, r, "not_additive", reason);
	if (prove(w, ref) < 0)
		return -1;
	if (w->patch_text.len + w->undo_text.len > max / 4)
		return put_reject(w, r, "too_large", "the change is larger than a quarter of MIG_MAX_RECORD");
	for (uint32_t t = 1; t < w->patch.tok[0].next; t = w->patch.tok[t].next)
		removes = removes || doc_equals(&w->patch, doc_member(&w->patch, t, "op", 2), "remove", 6);
	if (set->history)
		pointer_find(&w->after, 0, set->history, strlen(set->history), &skip);
	canon_hash(&w->after, 0, skip, hash);
	return put_change(w, r, way, hash, removes || strcmp(way_type(w, way), "cleanup") == 0);
}

/* Copy the body out of its record, so that it can be run, diffed and patched as a document; check its hash. */
static int take_body(struct work *w, const struct record *r, const char *ref)
{
	size_t n;
	const char *s = doc_span(r->doc, record_get(r, "body"), &n);
	uint32_t hash = record_get(r, "hash"), skip = DOC_NONE;
	const char *pointer = w->set->history;
	char is[HEX_SIZE];

	buf_reset(&w->body);
	buf_add(&w->body, s, n);
	if (indexed(w, &w->before, &w->body, ref) < 0)
		return -1;
	if (pointer)
		pointer_find(&w->before, 0, pointer, strlen(pointer), &skip);
	canon_hash(&w->before, 0, skip, is);
	if (doc_equals(r->doc, hash, is, HEX_LEN))
		return 0;
	return diag_add(w->d, MIG_INVALID, "hash_mismatch", ref, "the record's hash is not that of its body, %s", is);
}

/* The document's own version, as the set finds it, must be what the record says. */
static int check_version(struct work *w, const char *version, const char *ref)
{
	uint32_t t;
	char *own = NULL;
	int rc = 0;

	if (pointer_find(&w->before, 0, w->set->version, strlen(w->set->version), &t))
		own = record_dup(&w->before, t);
	else if (w->set->version_default)
		own = xstrdup(w->set->version_default);
	if (!own || strcmp(own, version) != 0)
		rc = diag_add(w->d, MIG_INVALID, "version_mismatch", ref, "Expected schema_version %s, got %s", version,
		              own ? own : "none");
	free(own);
	return rc;
}

static int transform_document(struct work *w, const struct record *r, size_t max)
{
	struct way *way;

	if (!doc_equals(r->doc, record_get(r, "entity"), w->set->entity, strlen(w->set->entity)))
		return diag_add(w->d, MIG_INVALID, "foreign_entity", NULL,
		                "a document of another entity than the set's %s", w->set->entity);
	buf_reset(&w->ref);
	buf_reset(&w->version);
	doc_string(r->doc, record_get(r, "ref"), &w->ref);
	doc_string(r->doc, record_get(r, "version"), &w->version);
	const char *ref = w->ref.s, *version = w->version.s ? w->version.s : "";

	if (take_body(w, r, ref) < 0 || check_version(w, version, ref) < 0)
		return -1;
	if (strcmp(version, w->target) == 0)
		return put_current(w, r);
	if (!(way = find_way(w, version)))
		return -1;
	if (!way->path) {
		char *reason = xasprintf("No migration path from %s to %s", version, w->target);
		int rc = put_reject(w, r, "no_path", reason);

		free(reason);
		return rc;
	}
	return migrate(w, r, way, ref, max);
}

static void work_release(struct work *w)
{
	struct buf *bufs[] = { &w->body,   &w->after_text, &w->patch_text, &w->undo_text, &w->check,
		               &w->record, &w->ref,        &w->version,    &w->why.reason };
	struct doc *docs[] = { &w->before, &w->after, &w->patch, &w->undo };

	release_ways(w);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	for (size_t i = 0; i < sizeof docs / sizeof *docs; i++)
		doc_release(docs[i]);
}

int transform_run(const struct set *set, const char *target, struct stream *in, struct out *out, struct diag *d)
{
	struct work w = { .set = set, .target = target, .out = out, .d = d };
	struct record r;
	int rc;

	in->partial = true;
	dying.out = out;
	jqrun_guard(die_in_jq, JQ_MEMORY);
	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_DOCUMENT && !in->fault)
			rc = transform_document(&w, &r, in->lines.max);
		else
			rc = stream_put(out, r.line, r.len);
		if (rc < 0)
			break;
	}
	work_release(&w);
	return rc;
}
