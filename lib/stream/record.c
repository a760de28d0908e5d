/* record.c -- see record.h */
#include "record.h"

#include "redact.h"

#include <assert.h>
#include <stdlib.h>

/* {"digest":H,"kind":"end","records":3,"tool":"mig-extract"}, and so on for each kind */
static const struct member document_members[] = { { "body", IS_ANY },    { "entity", IS_STR }, { "hash", IS_STR },
	                                          { "kind", IS_STR },    { "raw", IS_STR },    { "ref", IS_STR },
	                                          { "version", IS_STR }, { NULL, 0 } };
static const struct member change_members[] = {
	[CHANGE_AFTER] = { "after", IS_STR | IS_NULL },
	[CHANGE_BACKUP_SUFFIX] = { "backup_suffix", IS_STR | MAY_LACK },
	[CHANGE_BEFORE] = { "before", IS_STR | IS_NULL },
	[CHANGE_CHANGES] = { "changes", IS_ARR },
	[CHANGE_DATA] = { "data", IS_OBJ | MAY_LACK },
	[CHANGE_DATA_SAFETY] = { "data_safety", IS_STR },
	[CHANGE_DESTRUCTIVE] = { "destructive", IS_BOOL },
	[CHANGE_DUPLICATES] = { "duplicates", IS_STR | MAY_LACK },
	[CHANGE_ENTITY] = { "entity", IS_STR },
	[CHANGE_FROM] = { "from", IS_OBJ | MAY_LACK },
	[CHANGE_FROM_VERSION] = { "from_version", IS_STR },
	[CHANGE_HISTORY] = { "history", IS_STR | IS_NULL },
	[CHANGE_HOPS] = { "hops", IS_ARR },
	[CHANGE_INVARIANTS] = { "invariants", IS_NUM | MAY_LACK },
	[CHANGE_KIND] = { "kind", IS_STR },
	[CHANGE_LEVERS] = { "levers", IS_ARR },
	[CHANGE_LINKS] = { "links", IS_OBJ | MAY_LACK },
	[CHANGE_OP] = { "op", IS_STR },
	[CHANGE_PATCH] = { "patch", IS_ARR },
	[CHANGE_RAW] = { "raw", IS_STR | IS_NULL },
	[CHANGE_REF] = { "ref", IS_STR },
	[CHANGE_REVERSIBLE] = { "reversible", IS_BOOL },
	[CHANGE_SET] = { "set", IS_OBJ },
	[CHANGE_SUM] = { "sum", IS_STR },
	[CHANGE_TO_VERSION] = { "to_version", IS_STR },
	[CHANGE_TYPE] = { "type", IS_STR },
	[CHANGE_UNDO] = { "undo", IS_ARR },
	[CHANGE_MEMBERS] = { NULL, 0 }
};
static const struct member current_members[] = { { "entity", IS_STR }, { "hash", IS_STR }, { "kind", IS_STR },
	                                         { "ref", IS_STR },    { "sum", IS_STR },  { "version", IS_STR },
	                                         { NULL, 0 } };
static const struct member reject_members[] = { { "code", IS_STR }, { "entity", IS_STR }, { "hash", IS_STR },
	                                        { "kind", IS_STR }, { "reason", IS_STR }, { "ref", IS_STR },
	                                        { "sum", IS_STR },  { "tool", IS_STR },   { NULL, 0 } };
static const struct member versions_members[] = {
	{ "entity", IS_STR },  { "kind", IS_STR },     { "latest", IS_STR | IS_NULL },
	{ "pending", IS_NUM }, { "records", IS_NUM },  { "rejects", IS_NUM },
	{ "set", IS_OBJ },     { "versions", IS_ARR }, { NULL, 0 }
};
static const struct member plan_members[] = { { "header", IS_OBJ },   { "kind", IS_STR },  { "plan_hash", IS_STR },
	                                      { "rollback", IS_ARR }, { "steps", IS_ARR }, { NULL, 0 } };
static const struct member permit_members[] = {
	{ "grant", IS_OBJ }, { "kind", IS_STR }, { "plan", IS_OBJ }, { NULL, 0 }
};
static const struct member outcome_members[] = { { "actor", IS_STR },
	                                         { "code", IS_STR },
	                                         { "dry_run", IS_BOOL },
	                                         { "duration_ms", IS_NUM },
	                                         { "findings", IS_ARR },
	                                         { "header", IS_OBJ },
	                                         { "kind", IS_STR },
	                                         { "ledger", IS_OBJ | IS_NULL },
	                                         { "ok", IS_BOOL },
	                                         { "plan_hash", IS_STR },
	                                         { "rollback", IS_OBJ | IS_NULL },
	                                         { "rows", IS_OBJ | MAY_LACK },
	                                         { "started_at", IS_STR },
	                                         { "steps", IS_ARR },
	                                         { "ticket", IS_STR | IS_NULL },
	                                         { NULL, 0 } };
static const struct member verdict_members[] = {
	{ "code", IS_STR },
	{ "evidence", IS_OBJ | MAY_LACK },
	{ "findings", IS_ARR },
	{ "kind", IS_STR },
	{ "ledger", IS_OBJ | MAY_LACK },
	{ "ok", IS_BOOL },
	{ "plan_hash", IS_STR | IS_NULL },
	{ "rollback", IS_OBJ | IS_NULL },
	{ NULL, 0 }
};
static const struct member entry_members[] = {
	{ "actor", IS_STR },
	{ "backups", IS_ARR | MAY_LACK },
	{ "before", IS_STR | MAY_LACK },
	{ "bytes", IS_NUM | MAY_LACK },
	{ "code", IS_STR | MAY_LACK },
	{ "duration_ms", IS_NUM | MAY_LACK },
	{ "env", IS_STR | IS_NULL },
	{ "event", IS_STR },
	{ "findings", IS_NUM | MAY_LACK },
	{ "hash", IS_STR },
	{ "kept", IS_STR | MAY_LACK },
	{ "kind", IS_STR },
	{ "migration_id", IS_STR | IS_NULL },
	{ "nonce", IS_STR | IS_NULL | MAY_LACK },
	{ "objects", IS_NUM | MAY_LACK },
	{ "plan_hash", IS_STR | IS_NULL },
	{ "plans", IS_ARR | MAY_LACK },
	{ "prev", IS_STR },
	{ "project", IS_STR | IS_NULL },
	{ "reason", IS_STR | IS_NULL },
	{ "ref", IS_STR | MAY_LACK },
	{ "seq", IS_NUM },
	{ "target_version", IS_STR | IS_NULL },
	{ "tenant", IS_STR | IS_NULL },
	{ "ticket", IS_STR | IS_NULL },
	{ "time", IS_STR },
	{ "undoes", IS_STR | MAY_LACK },
	{ "user", IS_STR },
	{ "written", IS_ARR | MAY_LACK },
	{ NULL, 0 }
};
static const struct member step_members[] = { { "from_version", IS_STR }, { "kind", IS_STR },
	                                      { "plan_hash", IS_STR },    { "ref", IS_STR },
	                                      { "step_id", IS_STR },      { "to_version", IS_STR },
	                                      { NULL, 0 } };
static const struct member schema_members[] = { { "applied", IS_ARR },   { "dialect", IS_STR },
	                                        { "estimates", IS_OBJ }, { "hash", IS_STR },
	                                        { "kind", IS_STR },      { "live", IS_OBJ },
	                                        { "recorded", IS_OBJ | IS_NULL }, { NULL, 0 } };
static const struct member snapshot_members[] = {
	{ "after", IS_STR | MAY_LACK },
	{ "app", IS_STR | IS_NULL },
	{ "descriptor", IS_OBJ | IS_NULL },
	{ "env", IS_STR | IS_NULL },
	{ "kind", IS_STR },
	{ "query_hash", IS_STR | IS_NULL },
	{ "source", IS_STR },
	{ "sum", IS_STR },
	{ "tenant", IS_STR | IS_NULL },
	{ NULL, 0 }
};
static const struct member end_members[] = {
	{ "digest", IS_STR }, { "kind", IS_STR }, { "records", IS_NUM }, { "tool", IS_STR }, { NULL, 0 }
};
static const struct member fault_members[] = { { "code", IS_STR },   { "exit", IS_NUM },           { "kind", IS_STR },
	                                       { "reason", IS_STR }, { "ref", IS_STR | MAY_LACK }, { "tool", IS_STR },
	                                       { NULL, 0 } };

static_assert(sizeof entry_members <= (RECORD_MEMBERS + 1) * sizeof *entry_members,
              "the longest table fits a record");

static const struct {
	const char *name;
	const struct member *members;
} kinds[] = {
	[KIND_DOCUMENT] = { "document", document_members }, [KIND_CHANGE] = { "change", change_members },
	[KIND_CURRENT] = { "current", current_members },    [KIND_REJECT] = { "reject", reject_members },
	[KIND_VERSIONS] = { "versions", versions_members }, [KIND_PLAN] = { "plan", plan_members },
	[KIND_PERMIT] = { "permit", permit_members },       [KIND_OUTCOME] = { "outcome", outcome_members },
	[KIND_VERDICT] = { "verdict", verdict_members },    [KIND_ENTRY] = { "entry", entry_members },
	[KIND_STEP] = { "step", step_members },             [KIND_SCHEMA] = { "schema", schema_members },
	[KIND_END] = { "end", end_members },                [KIND_FAULT] = { "fault", fault_members },
	[KIND_SNAPSHOT] = { "snapshot", snapshot_members },
};

const char *kind_name(enum kind k)
{
	return kinds[k].name ? kinds[k].name : "an unknown kind";
}

/* How many characters of a foreign name a message shows. */
static int shown(size_t n)
{
	return n < 60 ? (int)n : 60;
}

/* Say which member of what is wrong: s is unknown, or expected is missing because something later came. */
static int misfit(const struct doc *doc, uint32_t key, const struct member *expected, const char *what,
                  const char *where, struct diag *d)
{
	size_t n;
	const char *s = doc_span(doc, key, &n);

	for (const struct member *m = expected; m->name; m++)
		if (doc_equals(doc, key, m->name, strlen(m->name)))
			return diag_add(d, MIG_USAGE, "bad_record", where, "%s has no \"%s\"", what, expected->name);
	return diag_add(d, MIG_USAGE, "bad_record", where, "%s has an unknown member %.*s", what, shown(n), s);
}

/* Is that the key's name?  Names are short: finding out how long one is costs as much as comparing it. */
static bool is_named(const struct doc *doc, uint32_t key, const char *name)
{
	const struct tok *k = &doc->tok[key];
	const char *s = doc->text + k->off + 1;
	size_t n = k->len - 2;

	if (k->flags & DOC_ESCAPED)
		return doc_equals(doc, key, name, strlen(name));
	return *s == *name && strncmp(s, name, n) == 0 && name[n] == '\0';
}

int shape_check(const struct doc *doc, uint32_t obj, const struct member *m, uint32_t *tok, const char *what,
                const char *where, struct diag *d)
{
	struct doc_walk w;
	uint32_t key;
	size_t i = 0;

	if (doc->tok[obj].type != DOC_OBJECT)
		return diag_add(d, MIG_USAGE, "bad_record", where, "%s is not an object", what);
	for (doc_walk_init(&w, doc, obj); (key = doc_walk_next(&w)); i++) {
		for (; m[i].name && !is_named(doc, key, m[i].name); i++) {
			if (!(m[i].is & MAY_LACK))
				return misfit(doc, key, &m[i], what, where, d);
			if (tok)
				tok[i] = DOC_NONE;
		}
		if (!m[i].name)
			return misfit(doc, key, &m[i], what, where, d);
		if (!(m[i].is & 1 << doc->tok[key + 1].type))
			return diag_add(d, MIG_USAGE, "bad_record", where, "%s: \"%s\" has the wrong type", what,
			                m[i].name);
		if (tok)
			tok[i] = key + 1;
	}
	for (; m[i].name; i++) {
		if (!(m[i].is & MAY_LACK))
			return diag_add(d, MIG_USAGE, "bad_record", where, "%s has no \"%s\"", what, m[i].name);
		if (tok)
			tok[i] = DOC_NONE;
	}
	return 0;
}

int record_check(struct record *r, const char *where, struct diag *d)
{
	const struct doc *doc = r->doc;
	uint32_t t = doc_member(doc, 0, "kind", 4);

	if (doc->tok[0].type != DOC_OBJECT)
		return diag_add(d, MIG_USAGE, "bad_record", where, "not a record: not an object");
	if (t == DOC_NONE || doc->tok[t].type != DOC_STRING)
		return diag_add(d, MIG_USAGE, "bad_record", where, "not a record: no \"kind\"");
	r->kind = KIND_OTHER;
	for (size_t k = KIND_OTHER + 1; k < sizeof kinds / sizeof *kinds; k++)
		if (doc_equals(doc, t, kinds[k].name, strlen(kinds[k].name)))
			r->kind = (enum kind)k;
	if (r->kind == KIND_OTHER)
		return 0;
	return shape_check(doc, 0, kinds[r->kind].members, r->at, kinds[r->kind].name, where, d);
}

struct text record_text(const struct doc *d, uint32_t t, struct buf *arena)
{
	if (!(d->tok[t].flags & DOC_ESCAPED))
		return (struct text){ d->text + d->tok[t].off + 1, d->tok[t].len - 2 };
	size_t at = arena->len;

	doc_string(d, t, arena);
	return (struct text){ arena->s + at, arena->len - at };
}

bool record_is_hash(const struct doc *d, uint32_t t)
{
	size_t n;
	const char *s = doc_span(d, t, &n);

	return n == HEX_LEN + 2 && strspn(s + 1, "0123456789abcdef") == HEX_LEN;
}

char *record_dup(const struct doc *d, uint32_t t)
{
	struct buf b = BUF_INIT;

	if (t == DOC_NONE || d->tok[t].type != DOC_STRING)
		return NULL;
	doc_string(d, t, &b);
	return buf_steal(&b);
}

void record_sum(const struct doc *d, uint32_t root, const char *name, char hex[HEX_SIZE])
{
	canon_hash(d, root, doc_member(d, root, name, strlen(name)), hex);
}

bool record_sum_holds(const struct doc *d, uint32_t root, const char *name, char want[HEX_SIZE], char is[HEX_SIZE])
{
	uint32_t t = doc_member(d, root, name, strlen(name));

	want[0] = '\0';
	if (t != DOC_NONE && d->tok[t].type == DOC_STRING && d->tok[t].len == HEX_LEN + 2) {
		memcpy(want, d->text + d->tok[t].off + 1, HEX_LEN);
		want[HEX_LEN] = '\0';
	}
	record_sum(d, root, name, is);
	return strcmp(want, is) == 0;
}

bool record_source(const struct record *r, uint32_t *ref, uint32_t *hash)
{
	uint32_t from = r->kind == KIND_CHANGE ? record_get(r, "from") : DOC_NONE;

	if (from == DOC_NONE) {
		*ref = record_get(r, "ref");
		*hash = record_get(r, r->kind == KIND_CHANGE ? "before" : "hash");
		return true;
	}
	uint32_t index = doc_member(r->doc, from, "index", 5);
	int64_t i;

	*ref = doc_member(r->doc, from, "ref", 3);
	*hash = doc_member(r->doc, from, "hash", 4);
	/* mig-plan says what is wrong with it */
	if (*ref == DOC_NONE || r->doc->tok[*ref].type != DOC_STRING || *hash == DOC_NONE)
		*ref = *hash = record_get(r, "ref");
	return index != DOC_NONE && doc_int(r->doc, index, &i) && i == 1;
}

void rec_open(struct rec *w, struct buf *b)
{
	*w = (struct rec){ .b = b };
	buf_addch(b, '{');
}

void rec_name(struct rec *w, const char *name)
{
#ifdef MIG_SAN
	if (w->last && strcmp(w->last, name) >= 0)
		abort();
	w->last = name;
#endif
	struct buf *b = w->b;
	size_t n = strlen(name);

	if (b->cap < b->len + n + 4 + BUF_PAD)
		buf_reserve(b, n + 4);
	char *to = b->s + b->len;

	if (w->any)
		*to++ = ',';
	w->any = true;
	*to++ = '"';
	memcpy(to, name, n);
	memcpy(to + n, "\":", 2);
	buf_setlen(b, (size_t)(to + n + 2 - b->s));
}

void rec_str(struct rec *w, const char *name, struct text v)
{
	rec_name(w, name);
	if (v.s)
		canon_string(w->b, v.s, v.n);
	else
		buf_add(w->b, "null", 4);
}

void rec_cstr(struct rec *w, const char *name, const char *v)
{
	rec_str(w, name, (struct text){ v, v ? strlen(v) : 0 });
}

void rec_raw(struct rec *w, const char *name, const char *json, size_t n)
{
	rec_name(w, name);
	buf_add(w->b, json, n);
}

void rec_int(struct rec *w, const char *name, int64_t v)
{
	rec_name(w, name);
	canon_int(w->b, v);
}

void rec_bool(struct rec *w, const char *name, bool v)
{
	rec_raw(w, name, v ? "true" : "false", v ? 4 : 5);
}

void rec_null(struct rec *w, const char *name)
{
	rec_raw(w, name, "null", 4);
}

void rec_close(struct rec *w)
{
	buf_addch(w->b, '}');
}

void rec_sum(struct buf *b, size_t at)
{
	static const struct text head = { "\"sum\":\"", 7 }, tail = { "\",", 2 };
	const size_t n = head.n + HEX_LEN + tail.n;
	char hex[HEX_SIZE];

	digest_hex(b->s, b->len, hex);
	buf_reserve(b, n);

	char *to = b->s + at;

	memmove(to + n, to, b->len - at);
	memcpy(to, head.s, head.n);
	memcpy(to + head.n, hex, HEX_LEN);
	memcpy(to + head.n + HEX_LEN, tail.s, tail.n);
	buf_setlen(b, b->len + n);
}

void reject_write(struct buf *out, const struct reject *r)
{
	struct buf b = BUF_INIT, reason = BUF_INIT;
	struct rec w;

	redact_text(&reason, r->reason, strlen(r->reason));
	rec_open(&w, &b);
	rec_cstr(&w, "code", r->code);
	rec_str(&w, "entity", r->entity);
	rec_str(&w, "hash", r->hash);
	rec_cstr(&w, "kind", "reject");
	rec_str(&w, "reason", (struct text){ reason.s, reason.len });
	rec_str(&w, "ref", r->ref);
	size_t at = b.len + 1;

	rec_cstr(&w, "tool", r->tool);
	rec_close(&w);
	rec_sum(&b, at);
	buf_add(out, b.s, b.len);
	buf_release(&b);
	buf_release(&reason);
}
