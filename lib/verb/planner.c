/* planner.c -- see planner.h */
#include "planner.h"

#include "plan.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the plans say of the whole stream. */
struct planning {
	const struct plan_ask *ask;
	struct out *out;
	struct diag *d;
	struct tally seen;  /* of the input */
	const char *digest; /* its verified end's */
	int64_t changes, current, rejects;
	struct spool *steps; /* blobs: a step's text, NUL, its rollback entry's text; both without index */
	struct spool *reject_lines;
	struct rowplan *rows;
	struct buf last_ref, ref;
	struct buf set;        /* the "set" member, the same in every change */
	struct buf totals;     /* header.rows */
	int64_t index, of;     /* which of the records of one row came last */
	/* where each plan ends, as a number of steps */
	uint64_t *cut;
	size_t ncut, cutcap;
	struct buf text, steps_text, entries; /* of the plan being written */
	size_t *entry;
	uint64_t steps_here; /* of the plan being filled */
	size_t bytes_here;
};

static int compare(struct text a, const struct buf *b)
{
	int c = memcmp(a.s, b->s ? b->s : "", a.n < b->len ? a.n : b->len);

	return c ? c : (a.n > b->len) - (a.n < b->len);
}

static int wrong(struct planning *p, struct text ref, const char *rule, const char *what)
{
	char *where = xmemdup(ref.s, ref.n);

	diag_add(p->d, MIG_INVALID, rule, where, "%s", what);
	free(where);
	return -1;
}

static int check_sum(struct planning *p, const struct record *r)
{
	char want[HEX_SIZE], is[HEX_SIZE];

	if (record_sum_holds(r->doc, 0, "sum", want, is))
		return 0;
	char *where = record_dup(r->doc, record_get(r, "ref"));

	diag_add(p->d, MIG_INVALID, "sum_mismatch", where, "the record was edited: its sum says %s, it has %s", want,
	         is);
	free(where);
	return -1;
}

/* Count one object of mig-extract's stream, which comes after the one before. */
static int count_object(struct planning *p, const struct doc *d, uint32_t ref_tok, uint32_t hash)
{
	buf_reset(&p->ref);
	struct text ref = record_text(d, ref_tok, &p->ref);

	if (p->index != p->of)
		return wrong(p, ref, "row_incomplete", "comes before all records of the row ahead of it have come");
	if (p->seen.n && compare(ref, &p->last_ref) <= 0)
		return wrong(p, ref, "ref_order", "out of order, or a second time");
	buf_reset(&p->last_ref);
	buf_add(&p->last_ref, ref.s, ref.n);
	struct text h = { "", 0 };

	if (d->tok[hash].type == DOC_STRING)
		h = record_text(d, hash, &p->ref);
	tally_object(&p->seen, ref, h);
	return 0;
}

static int count(struct planning *p, const struct record *r, const char *hash_member)
{
	return check_sum(p, r) < 0 ? -1
	                           : count_object(p, r->doc, record_get(r, "ref"), record_get(r, hash_member));
}

/* Count a row by the first of its records; the others follow, each once. */
static int count_row(struct planning *p, const struct record *r, uint32_t from)
{
	static const struct member m[] = { { "entity", IS_STR }, { "hash", IS_STR }, { "index", IS_NUM },
		                           { "of", IS_NUM },     { "ref", IS_STR },  { NULL, 0 } };
	const struct doc *d = r->doc;
	uint32_t t[5];
	int64_t index, of;

	if (check_sum(p, r) < 0 || shape_check(d, from, m, t, "from", NULL, p->d) < 0)
		return -1;
	buf_reset(&p->ref);
	if (!doc_int(d, t[2], &index) || !doc_int(d, t[3], &of) || index < 1 || index > of)
		return wrong(p, record_text(d, t[4], &p->ref), "row_incomplete", "index and of are no counts");
	if (index == 1) {
		if (count_object(p, d, t[4], t[1]) < 0)
			return -1;
		p->changes++;
	} else if (index != p->index + 1 || of != p->of || !p->seen.n ||
	           compare(record_text(d, t[4], &p->ref), &p->last_ref) != 0) {
		buf_reset(&p->ref);
		return wrong(p, record_text(d, t[4], &p->ref), "row_incomplete",
		             "a record of the row is missing, or comes a second time");
	}
	p->index = index;
	p->of = of;
	return 0;
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

/* The parts of a step that its rollback entry repeats. */
struct naming {
	struct buf step_id, description;
	char key[HEX_SIZE];
	struct text type;
};

static void name_step(struct naming *n, struct planning *p, const struct record *r)
{
	buf_reset(&n->step_id);
	buf_reset(&n->description);
	doc_string(r->doc, r->at[CHANGE_REF], &n->step_id);
	buf_addch(&n->step_id, '@');
	doc_string(r->doc, r->at[CHANGE_FROM_VERSION], &n->step_id);
	buf_addstr(&n->step_id, "..");
	doc_string(r->doc, r->at[CHANGE_TO_VERSION], &n->step_id);
	doc_string(r->doc, r->at[CHANGE_ENTITY], &n->description);
	buf_addch(&n->description, ' ');
	doc_string(r->doc, r->at[CHANGE_FROM_VERSION], &n->description);
	buf_addstr(&n->description, " to ");
	doc_string(r->doc, r->at[CHANGE_TO_VERSION], &n->description);
	plan_key(text_cstr(p->ask->env), text_cstr(p->ask->tenant), text_cstr(p->ask->project),
	         text_cstr(p->ask->migration_id), (struct text){ n->step_id.s, n->step_id.len }, n->key);
}

/* Append the forward step, with an index of 0 that put_plan sets. */
static void add_step(struct buf *b, const struct record *r, const struct naming *n)
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

static void add_rollback_entry(struct buf *b, const struct record *r, const struct naming *n)
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
	struct buf quoted = BUF_INIT;

	canon_string(&quoted, n->description.s, n->description.len);
	buf_add(b, quoted.s + 1, quoted.len - 1);
	buf_release(&quoted);
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

/* Where the last plan ends when it is closed here. */
static void cut(struct planning *p)
{
	if (p->steps_here == 0)
		return;
	if (p->ncut == p->cutcap) {
		p->cutcap = p->cutcap ? p->cutcap * 2 : 16;
		p->cut = xrealloc(p->cut, p->cutcap, sizeof *p->cut);
	}
	p->cut[p->ncut++] = p->steps_here;
	p->steps_here = 0;
	p->bytes_here = 0;
}

static int refuse(struct planning *p, const char *rule, const char *what)
{
	return diag_add(p->d, MIG_INVALID, rule, p->last_ref.s, "%s", what);
}

/* A change must be of the one set, lead to the target, and be of a known type. */
static int check_change(struct planning *p, const struct record *r)
{
	size_t n;
	uint32_t type = r->at[CHANGE_TYPE];
	const char *set = doc_span(r->doc, r->at[CHANGE_SET], &n);

	if (!p->set.len)
		buf_add(&p->set, set, n);
	else if (p->set.len != n || memcmp(p->set.s, set, n) != 0)
		return refuse(p, "foreign_set", "the change comes from another migration set than the ones before");
	if (!doc_equals(r->doc, r->at[CHANGE_TO_VERSION], p->ask->target_version, strlen(p->ask->target_version)))
		return refuse(p, "foreign_target", "the change leads to another version than --target-version");
	bool row = r->at[CHANGE_FROM] != DOC_NONE;
	uint32_t op = r->at[CHANGE_OP];

	if (row ? !doc_equals(r->doc, op, "put", 3) && !doc_equals(r->doc, op, "delete", 6)
	        : !doc_equals(r->doc, op, "patch", 5))
		return refuse(p, "unknown_op", "the change's op is not known here");
	if (row ? p->steps->n > 0 : p->rows->any)
		return refuse(p, "mixed_changes", "documents and rows are not planned together");
	struct buf arena = BUF_INIT;
	int known = step_type_of(record_text(r->doc, type, &arena));

	buf_release(&arena);
	return known < 0 ? refuse(p, "step_type", "the change's type is not one of the six") : 0;
}

/* Take a step and its rollback entry into the plan that is being filled. */
static int add_blob(void *arg, const struct buf *blob)
{
	struct planning *p = arg;
	uint64_t max = p->rows->any ? PLAN_BATCH : (uint64_t)p->ask->batch;

	if (p->steps_here && (p->steps_here == max || p->bytes_here + blob->len > PLAN_BYTES))
		cut(p);
	p->steps_here++;
	p->bytes_here += blob->len;
	return spool_add(p->steps, blob->s, blob->len, p->d);
}

static int add_change(struct planning *p, const struct record *r, struct naming *n, struct buf *blob)
{
	if (check_change(p, r) < 0)
		return -1;
	name_step(n, p, r);
	buf_reset(blob);
	add_step(blob, r, n);
	buf_addch(blob, '\n'); /* canonical JSON has none: it parts the two */
	add_rollback_entry(blob, r, n);
	p->changes++;
	return add_blob(p, blob);
}

static int add_row(struct planning *p, const struct record *r, uint32_t from, const char *where)
{
	if (count_row(p, r, from) < 0 || check_change(p, r) < 0)
		return -1;
	return rowplan_add(p->rows, r, where, p->d);
}

/* Append a spooled text with its index in the place that the NUL keeps. */
static void add_indexed(struct buf *b, const char *s, size_t n, uint64_t index)
{
	const char *nul = memchr(s, '\0', n);

	buf_add(b, s, (size_t)(nul - s));
	buf_addf(b, "%" PRIu64, index);
	buf_add(b, nul + 1, n - (size_t)(nul - s) - 1);
}

static void add_header(struct planning *p, struct buf *b, size_t part)
{
	const struct plan_ask *a = p->ask;
	struct rec w, in;

	rec_open(&w, b);
	if (p->rows->any)
		rec_cstr(&w, "dialect", "rows");
	rec_cstr(&w, "env", a->env);
	rec_int(&w, "format", 1);
	rec_cstr(&w, "migration_id", a->migration_id);
	rec_cstr(&w, "mode", "forward");
	rec_name(&w, "part");
	rec_open(&in, b);
	rec_int(&in, "index", (int64_t)part + 1);
	rec_int(&in, "of", (int64_t)p->ncut);
	rec_close(&in);
	if (p->rows->any)
		rec_raw(&w, "rows", p->totals.s, p->totals.len);
	rec_name(&w, "scope");
	rec_open(&in, b);
	if (a->project)
		rec_cstr(&in, "project", a->project);
	if (a->tenant)
		rec_cstr(&in, "tenant", a->tenant);
	rec_close(&in);
	rec_raw(&w, "set", p->set.s, p->set.len);
	rec_name(&w, "snapshot");
	rec_open(&in, b);
	rec_int(&in, "changes", p->changes);
	rec_int(&in, "current", p->current);
	rec_cstr(&in, "digest", p->digest);
	rec_int(&in, "records", (int64_t)p->seen.n);
	rec_int(&in, "rejects", p->rejects);
	rec_close(&in);
	rec_cstr(&w, "target_version", a->target_version);
	rec_cstr(&w, "tool_version", MIG_VERSION);
	rec_close(&w);
}

/* Append the steps of one plan to p->text; its rollback entries go to p->entries, each beginning at p->entry[i]. */
static int collect(struct planning *p, uint64_t n)
{
	const char *s, *lf;
	size_t len;

	buf_reset(&p->entries);
	for (uint64_t i = 0; i < n; i++) {
		int rc = spool_next(p->steps, &s, &len, p->d);

		if (rc <= 0)
			return -1;
		lf = memchr(s, '\n', len);
		buf_addch(&p->steps_text, i ? ',' : '[');
		add_indexed(&p->steps_text, s, (size_t)(lf - s), i + 1);
		p->entry[i] = p->entries.len;
		add_indexed(&p->entries, lf + 1, len - (size_t)(lf - s) - 1, n - i);
	}
	p->entry[n] = p->entries.len;
	buf_addch(&p->steps_text, ']');
	return 0;
}

/* The rollback entries stand in reverse: the last step's comes first. */
static int put_plan(struct planning *p, size_t part, struct tally *t)
{
	struct buf *b = &p->text;
	uint64_t n = p->cut[part];
	size_t at;

	buf_reset(&p->steps_text);
	if (collect(p, n) < 0)
		return -1;
	buf_reset(b);
	buf_addstr(b, "{\"header\":");
	add_header(p, b, part);
	buf_addstr(b, ",\"kind\":\"plan\",");
	at = b->len;
	buf_addstr(b, "\"rollback\":");
	for (uint64_t i = n; i-- > 0;) {
		buf_addch(b, i + 1 == n ? '[' : ',');
		buf_add(b, p->entries.s + p->entry[i], p->entry[i + 1] - p->entry[i]);
	}
	buf_addstr(b, "],\"steps\":");
	buf_add(b, p->steps_text.s, p->steps_text.len);
	buf_addch(b, '}');
	return plan_put(p->out, b, at, t);
}

static int put_spooled(struct spool *s, struct out *out, struct diag *d)
{
	const char *line;
	size_t n;
	int rc;

	if (spool_rewind(s, d) < 0)
		return -1;
	while ((rc = spool_next(s, &line, &n, d)) > 0)
		if (stream_put(out, line, n) < 0)
			return -1;
	return rc;
}

static int put_plans(struct planning *p)
{
	struct tally t;
	char hex[HEX_SIZE];
	int rc = spool_rewind(p->steps, p->d);

	tally_init(&t);
	p->entry = xcalloc((size_t)(p->rows->any ? PLAN_BATCH : p->ask->batch) + 1, sizeof *p->entry);
	for (size_t part = 0; part < p->ncut && rc >= 0; part++)
		rc = put_plan(p, part, &t);
	uint64_t n = t.n;

	tally_hex(&t, hex);
	if (rc >= 0)
		rc = stream_put_end(p->out, "mig-plan", n, hex);
	tally_release(&t);
	free(p->entry);
	return rc < 0 ? -1 : 0;
}

/* Take in the whole stream; 0 once its end has verified, or it had a fault. */
static int take_in(struct planning *p, struct stream *in)
{
	struct naming name = { .key = "" };
	struct buf blob = BUF_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, p->d)) > 0) {
		if (in->fault)
			rc = r.kind == KIND_FAULT ? stream_put(p->out, r.line, r.len) : 0;
		else if (r.kind == KIND_CHANGE && r.at[CHANGE_FROM] != DOC_NONE)
			rc = add_row(p, &r, r.at[CHANGE_FROM], in->where);
		else if (r.kind == KIND_CHANGE)
			rc = count(p, &r, "before") < 0 ? -1 : add_change(p, &r, &name, &blob);
		else if (r.kind == KIND_CURRENT)
			rc = count(p, &r, "hash") < 0 ? -1 : (p->current++, 0);
		else if (r.kind == KIND_REJECT)
			rc = count(p, &r, "hash") < 0
			             ? -1
			             : (p->rejects++, spool_add(p->reject_lines, r.line, r.len, p->d));
		else if (r.kind == KIND_SNAPSHOT) /* where rows came from is no part of a plan */
			rc = stream_check_sum(in, &r, p->d);
		else if (r.kind != KIND_END)
			rc = diag_add(p->d, MIG_USAGE, "unexpected_kind", in->where,
			              "%s: not a change, current or reject record%s", kind_name(r.kind),
			              r.kind == KIND_DOCUMENT ? ": mig-transform comes before mig-plan" : "");
		if (rc < 0)
			break;
	}
	if (rc == 0 && !in->fault && p->index != p->of)
		rc = refuse(p, "row_incomplete", "records of the row are missing");
	buf_release(&name.step_id);
	buf_release(&name.description);
	buf_release(&blob);
	return rc;
}

/* The set that was given must be the one that the rows were made by; one with invariants must be given. */
static int check_set(struct planning *p)
{
	const struct set *s = p->ask->set;
	struct buf is = BUF_INIT;
	struct rec w;

	if (!s && p->rows->invariants) {
		diag_hint(p->d, "mig-plan --set DIR, the set that mig-transform was given");
		return diag_add(p->d, MIG_PRECONDITION, "missing_invariants", NULL,
		                "the set of these rows has %" PRId64 " invariants, which only its folder tells",
		                p->rows->invariants);
	}
	if (!s || !p->seen.n)
		return 0;
	rec_open(&w, &is);
	rec_cstr(&w, "hash", s->hash);
	rec_cstr(&w, "id", s->id);
	rec_close(&w);
	bool same = text_same((struct text){ is.s, is.len }, (struct text){ p->set.s, p->set.len });

	buf_release(&is);
	return same ? 0
	            : refuse(p, "foreign_set", "--set: the rows were made by another set, or by another state of it");
}

/* The rows of the stream as steps; nothing to do for documents, whose steps were made one by one. */
static int make_batches(struct planning *p)
{
	const struct plan_ask *a = p->ask;
	const struct rowplan_ask ask = { .env = text_cstr(a->env),
		                         .tenant = text_cstr(a->tenant),
		                         .project = text_cstr(a->project),
		                         .migration_id = text_cstr(a->migration_id),
		                         .target = a->target_version,
		                         .batch = a->batch };

	if (p->rows->any && check_set(p) < 0)
		return -1;
	if (p->rows->any && rowplan_finish(p->rows, &ask, add_blob, p, p->d) < 0)
		return -1;
	cut(p);
	const struct buf *held = a->set ? &a->set->invariants : NULL;

	rowplan_totals(p->rows, (struct text){ held && held->len ? held->s : NULL, held ? held->len : 0 },
	               &p->totals);
	return 0;
}

static int write_out(struct planning *p)
{
	if (put_spooled(p->reject_lines, p->out, p->d) < 0)
		return -1;
	if (p->rejects > p->ask->max_rejects)
		return -1;
	return make_batches(p) < 0 ? -1 : put_plans(p);
}

/* How many there are is why it stops, so that comes first; then why each of the first was one. */
static void name_rejects(struct planning *p)
{
	const char *line;
	size_t n;
	struct doc doc = DOC_INIT;
	int shown = 0;

	if (p->rejects <= p->ask->max_rejects)
		return;
	diag_hint(p->d, "read them with mig-report; --max-rejects %" PRId64 " goes on without them", p->rejects);
	diag_add(p->d, MIG_INVALID, "too_many_rejects", NULL, "%" PRId64 " rejected, %" PRId64 " allowed", p->rejects,
	         p->ask->max_rejects);
	if (spool_rewind(p->reject_lines, p->d) < 0)
		return;
	while (shown < 20 && spool_next(p->reject_lines, &line, &n, p->d) > 0) {
		if (doc_parse(&doc, line, n, RECORD_MAX_DEPTH) < 0)
			continue;
		char *ref = record_dup(&doc, doc_member(&doc, 0, "ref", 3));
		char *code = record_dup(&doc, doc_member(&doc, 0, "code", 4));
		char *reason = record_dup(&doc, doc_member(&doc, 0, "reason", 6));

		diag_add(p->d, MIG_INVALID, code, ref, "%s", reason);
		shown++;
		free(ref);
		free(code);
		free(reason);
	}
	if (p->rejects > shown)
		diag_warn(p->d, "more", NULL, "and %" PRId64 " more rejects", p->rejects - shown);
	doc_release(&doc);
}

int planner_run(const struct plan_ask *ask, struct spool *steps, struct spool *rejects, struct rowplan *rows,
                struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = {
		.ask = ask, .out = out, .d = d, .steps = steps, .reject_lines = rejects, .rows = rows
	};

	tally_init(&p.seen);
	int rc = take_in(&p, in);

	if (rc == 0 && !in->fault) {
		p.digest = in->end_digest;
		if ((rc = stream_verify_end(in, &p.seen, d)) == 0) {
			name_rejects(&p);
			rc = write_out(&p);
		}
	}
	tally_release(&p.seen);
	buf_release(&p.last_ref);
	buf_release(&p.ref);
	buf_release(&p.totals);
	buf_release(&p.set);
	buf_release(&p.text);
	buf_release(&p.steps_text);
	buf_release(&p.entries);
	free(p.cut);
	return rc;
}
