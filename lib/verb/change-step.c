/* change-step.c -- see change-step.h */
#include "change-step.h"

#include "plan.h"

void change_step_release(struct change_step *x)
{
	buf_release(&x->step_id);
	buf_release(&x->description);
	buf_release(&x->quoted);
}

static void add_span(struct rec *w, const char *name, const struct record *r, enum change_member m)
{
	size_t n;
	const char *s = doc_span(r->doc, r->at[m], &n);

	rec_raw(w, name, s, n);
}

static bool has(const struct record *r, enum change_member m)
{
	uint32_t t = r->at[m];

	return t != DOC_NONE && r->doc->tok[t].type != DOC_NULL;
}

/* [{"check":"bytes","raw":H,"ref":R}] */
static void add_bytes_check(struct buf *b, const struct record *r)
{
	struct rec w;

	buf_addch(b, '[');
	rec_open(&w, b);
	rec_cstr(&w, "check", "bytes");
	add_span(&w, "raw", r, CHANGE_RAW);
	add_span(&w, "ref", r, CHANGE_REF);
	rec_close(&w);
	buf_addch(b, ']');
}

/* [{"check":"content","hash":H,"ref":R,"without":P}] */
static void add_content_check(struct buf *b, const struct record *r)
{
	struct rec w;

	buf_addch(b, '[');
	rec_open(&w, b);
	rec_cstr(&w, "check", "content");
	add_span(&w, "hash", r, CHANGE_AFTER);
	add_span(&w, "ref", r, CHANGE_REF);
	add_span(&w, "without", r, CHANGE_HISTORY);
	rec_close(&w);
	buf_addch(b, ']');
}

static void add_backup(struct buf *b, const struct record *r, const char *op)
{
	struct rec w;

	rec_open(&w, b);
	rec_cstr(&w, "op", op);
	add_span(&w, "ref", r, CHANGE_REF);
	add_span(&w, "suffix", r, CHANGE_BACKUP_SUFFIX);
	rec_close(&w);
}

/* "sha256:" and a hash, as the history entries of manifests write it */
static void add_checksum(struct rec *w, const char *name, const struct record *r, enum change_member m)
{
	size_t n;
	const char *s = doc_span(r->doc, r->at[m], &n);

	rec_name(w, name);
	buf_addstr(w->b, "\"sha256:");
	buf_add(w->b, s + 1, n - 1);
}

static void add_actions(struct buf *b, const struct record *r)
{
	struct rec w, entry;

	buf_addch(b, '[');
	if (has(r, CHANGE_BACKUP_SUFFIX)) {
		add_backup(b, r, "backup");
		buf_addch(b, ',');
	}
	rec_open(&w, b);
	rec_cstr(&w, "op", "patch");
	add_span(&w, "patch", r, CHANGE_PATCH);
	add_span(&w, "ref", r, CHANGE_REF);
	rec_close(&w);
	if (has(r, CHANGE_HISTORY)) {
		buf_addch(b, ',');
		rec_open(&w, b);
		rec_name(&w, "entry");
		rec_open(&entry, b);
		add_span(&entry, "changes", r, CHANGE_CHANGES);
		add_checksum(&entry, "checksum_after", r, CHANGE_AFTER);
		add_checksum(&entry, "checksum_before", r, CHANGE_BEFORE);
		add_span(&entry, "from_version", r, CHANGE_FROM_VERSION);
		add_span(&entry, "to_version", r, CHANGE_TO_VERSION);
		rec_close(&entry);
		rec_cstr(&w, "op", "stamp");
		add_span(&w, "pointer", r, CHANGE_HISTORY);
		add_span(&w, "ref", r, CHANGE_REF);
		rec_close(&w);
	}
	buf_addch(b, ']');
}

static void add_restore(struct buf *b, const struct record *r)
{
	struct rec w;

	buf_addch(b, '[');
	rec_open(&w, b);
	rec_cstr(&w, "op", "restore");
	add_span(&w, "raw", r, CHANGE_RAW);
	add_span(&w, "ref", r, CHANGE_REF);
	rec_close(&w);
	if (has(r, CHANGE_BACKUP_SUFFIX)) {
		buf_addch(b, ',');
		add_backup(b, r, "unbackup");
	}
	buf_addch(b, ']');
}

static void name_step(struct change_step *x, const struct plan_ask *a, const struct record *r)
{
	buf_reset(&x->step_id);
	buf_reset(&x->description);
	doc_string(r->doc, r->at[CHANGE_REF], &x->step_id);
	buf_addch(&x->step_id, '@');
	doc_string(r->doc, r->at[CHANGE_FROM_VERSION], &x->step_id);
	buf_addstr(&x->step_id, "..");
	doc_string(r->doc, r->at[CHANGE_TO_VERSION], &x->step_id);
	doc_string(r->doc, r->at[CHANGE_ENTITY], &x->description);
	buf_addch(&x->description, ' ');
	doc_string(r->doc, r->at[CHANGE_FROM_VERSION], &x->description);
	buf_addstr(&x->description, " to ");
	doc_string(r->doc, r->at[CHANGE_TO_VERSION], &x->description);
	plan_key(text_cstr(a->env), text_cstr(a->tenant), text_cstr(a->project), text_cstr(a->migration_id),
	         (struct text){ x->step_id.s, x->step_id.len }, x->key);
}

/* Append the forward step, with an index of 0 that plan-parts sets. */
static void add_step(struct buf *b, const struct record *r, const struct change_step *n)
{
	struct rec w;

	rec_open(&w, b);
	rec_name(&w, "actions");
	add_actions(b, r);
	rec_str(&w, "description", (struct text){ n->description.s, n->description.len });
	rec_cstr(&w, "idempotency_key", n->key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	rec_name(&w, "postconditions");
	add_content_check(b, r);
	rec_name(&w, "preconditions");
	add_bytes_check(b, r);
	rec_str(&w, "step_id", (struct text){ n->step_id.s, n->step_id.len });
	add_span(&w, "type", r, CHANGE_TYPE);
	rec_close(&w);
}

static void add_rollback_entry(struct buf *b, const struct record *r, struct change_step *n)
{
	struct rec w, safety;

	rec_open(&w, b);
	rec_name(&w, "actions");
	add_restore(b, r);
	rec_name(&w, "data_safety");
	rec_open(&safety, b);
	add_span(&safety, "note", r, CHANGE_DATA_SAFETY);
	add_span(&safety, "reversible", r, CHANGE_REVERSIBLE);
	rec_close(&safety);
	rec_name(&w, "description");
	buf_addstr(b, "\"undo: ");
	buf_reset(&n->quoted);
	canon_string(&n->quoted, n->description.s, n->description.len);
	buf_add(b, n->quoted.s + 1, n->quoted.len - 1);
	rec_cstr(&w, "idempotency_key", n->key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	add_span(&w, "levers", r, CHANGE_LEVERS);
	rec_name(&w, "postconditions");
	add_bytes_check(b, r);
	rec_name(&w, "preconditions");
	add_content_check(b, r);
	add_span(&w, "previous_version", r, CHANGE_FROM_VERSION);
	rec_str(&w, "step_id", (struct text){ n->step_id.s, n->step_id.len });
	add_span(&w, "type", r, CHANGE_TYPE);
	add_span(&w, "undo", r, CHANGE_UNDO);
	rec_close(&w);
}

void change_step_write(struct change_step *x, const struct plan_ask *ask, const struct record *r, struct buf *out)
{
	name_step(x, ask, r);
	add_step(out, r, x);
	buf_addch(out, '\n'); /* canonical JSON has none: it parts the two */
	add_rollback_entry(out, r, x);
}
