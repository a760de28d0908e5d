/* plan.c -- see plan.h */
#include "plan.h"

#include "number.h"

#include <stdlib.h>

static const char *const types[STEP_NTYPES] = { "schema", "data", "config", "profile", "index", "cleanup" };

const char *step_type_name(enum step_type t)
{
	return types[t];
}

int step_type_of(struct text name)
{
	for (int t = 0; t < STEP_NTYPES; t++)
		if (text_is(name, types[t]))
			return t;
	return -1;
}

/* What is being read, for the messages. */
struct reading {
	struct plan *p;
	const char *where;
	struct diag *d;
	const char *what; /* "step 3" */
};

struct text plan_text(struct plan *p, uint32_t t)
{
	struct buf b = BUF_INIT;
	struct text v;

	if (t == DOC_NONE || p->doc->tok[t].type != DOC_STRING)
		return (struct text){ NULL, 0 };
	v = record_text(p->doc, t, &b);
	if (b.s) { /* it was escaped: the plan owns the characters */
		if (p->nowned == p->ownedcap) {
			p->ownedcap = p->ownedcap ? p->ownedcap * 2 : 16;
			p->owned = xrealloc(p->owned, p->ownedcap, sizeof *p->owned);
		}
		p->owned[p->nowned++] = b.s;
	}
	return v;
}

static struct text get(struct reading *r, uint32_t t)
{
	return plan_text(r->p, t);
}

static int usage(struct reading *r, const char *what)
{
	return diag_add(r->d, MIG_USAGE, "bad_plan", r->where, "%s: %s", r->what, what);
}

static int invalid(struct reading *r, const char *rule, const char *what)
{
	return diag_add(r->d, MIG_INVALID, rule, r->where, "%s: %s", r->what, what);
}

static int shape(struct reading *r, uint32_t t, const struct member *m, uint32_t *tok, const char *what)
{
	return shape_check(r->p->doc, t, m, tok, what, r->where, r->d);
}

static bool is_hex(struct text t)
{
	unsigned bad = 0;

	if (t.n != HEX_LEN)
		return false;
	/* without branches: nothing foretells which digit comes next */
	for (size_t i = 0; i < HEX_LEN; i++) {
		unsigned char c = (unsigned char)t.s[i];

		bad |= ((unsigned char)(c - '0') > 9) & ((unsigned char)(c - 'a') > 5);
	}
	return !bad;
}

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

/* The same of an element, which may lack. */
static bool says(const struct doc *d, uint32_t obj, const char *name, const char *value)
{
	return obj != DOC_NONE && doc_says(d, obj, name, value);
}

/* {"check":"bytes","raw":H,"ref":R} */
static int read_bytes_check(struct reading *r, uint32_t list, struct text ref, struct text *raw)
{
	static const struct member m[] = { { "check", IS_STR }, { "raw", IS_STR }, { "ref", IS_STR }, { NULL, 0 } };
	uint32_t t[3], e = element(r->p->doc, list, 0);

	if (r->p->doc->tok[list].n != 1 || !says(r->p->doc, e, "check", "bytes"))
		return usage(r, "expected one \"bytes\" check");
	if (shape(r, e, m, t, "bytes check") < 0)
		return -1;
	*raw = get(r, t[1]);
	return is_hex(*raw) && text_same(get(r, t[2]), ref) ? 0 : usage(r, "\"bytes\" check: hash or ref is malformed");
}

/* {"check":"content","hash":H,"ref":R,"without":POINTER or null} */
static int read_content_check(struct reading *r, uint32_t list, struct text ref, struct step *s)
{
	static const struct member m[] = {
		{ "check", IS_STR }, { "hash", IS_STR }, { "ref", IS_STR }, { "without", IS_STR | IS_NULL }, { NULL, 0 }
	};
	uint32_t t[4], e = element(r->p->doc, list, 0);

	if (r->p->doc->tok[list].n != 1 || !says(r->p->doc, e, "check", "content"))
		return usage(r, "expected one \"content\" check");
	if (shape(r, e, m, t, "content check") < 0)
		return -1;
	s->after = get(r, t[1]);
	s->without = get(r, t[3]);
	return is_hex(s->after) && text_same(get(r, t[2]), ref)
	               ? 0
	               : usage(r, "\"content\" check: hash or ref is malformed");
}

/* {"op":"backup","ref":R,"suffix":S}, or "unbackup" */
static int read_backup(struct reading *r, uint32_t a, struct text ref, struct step *s)
{
	static const struct member m[] = { { "op", IS_STR }, { "ref", IS_STR }, { "suffix", IS_STR }, { NULL, 0 } };
	uint32_t t[3];

	if (shape(r, a, m, t, "backup action") < 0)
		return -1;
	s->backup_suffix = get(r, t[2]);
	if (!s->backup_suffix.n || memchr(s->backup_suffix.s, '/', s->backup_suffix.n) || !text_same(get(r, t[1]), ref))
		return usage(r, "backup action: ref or suffix is malformed");
	return 0;
}

/* {"changes":..,"checksum_after":"sha256:<after>","checksum_before":..,"from_version":..,"to_version":..} */
static int read_stamp_entry(struct reading *r, uint32_t entry, struct step *s)
{
	static const struct member m[] = { { "changes", IS_ARR },         { "checksum_after", IS_STR },
		                           { "checksum_before", IS_STR }, { "from_version", IS_STR },
		                           { "to_version", IS_STR },      { NULL, 0 } };
	static const char prefix[] = "sha256:";
	const size_t n = sizeof prefix - 1;
	uint32_t t[5];

	if (shape(r, entry, m, t, "stamp entry") < 0)
		return -1;
	s->stamp_entry = entry;
	for (int i = 1; i <= 2; i++) {
		struct text sum = get(r, t[i]);
		struct text hex = { sum.s + n, sum.n - n };

		if (sum.n != n + HEX_LEN || memcmp(sum.s, prefix, n) != 0 || !is_hex(hex))
			return usage(r, "stamp entry: a checksum is malformed");
		if (i == 1 && !text_same(hex, s->after))
			return invalid(r, "bad_plan", "the history entry has another checksum than the step");
	}
	if (!text_same(get(r, t[3]), s->from_version) || !text_same(get(r, t[4]), s->to_version))
		return invalid(r, "bad_plan", "the history entry has other versions than the step");
	return 0;
}

/* [{"op":"backup",..}?, {"op":"patch","patch":[..],"ref":R}, {"entry":{..},"op":"stamp","pointer":P,"ref":R}?] */
static int read_forward_actions(struct reading *r, uint32_t list, struct step *s)
{
	static const struct member patch[] = { { "op", IS_STR }, { "patch", IS_ARR }, { "ref", IS_STR }, { NULL, 0 } };
	static const struct member stamp[] = {
		{ "entry", IS_OBJ }, { "op", IS_STR }, { "pointer", IS_STR }, { "ref", IS_STR }, { NULL, 0 }
	};
	const struct doc *d = r->p->doc;
	uint32_t t[4], i = 0, n = d->tok[list].n, a = element(d, list, 0);

	if (says(d, a, "op", "backup")) {
		if (read_backup(r, a, s->ref, s) < 0)
			return -1;
		a = element(d, list, ++i);
	}
	if (!says(d, a, "op", "patch"))
		return usage(r, "expected a \"patch\" action");
	if (shape(r, a, patch, t, "patch action") < 0)
		return -1;
	s->patch = t[1];
	if (!text_same(get(r, t[2]), s->ref))
		return usage(r, "patch action: another ref than the step's");
	a = element(d, list, ++i);
	if (s->without.s && says(d, a, "op", "stamp")) {
		if (shape(r, a, stamp, t, "stamp action") < 0 || read_stamp_entry(r, t[0], s) < 0)
			return -1;
		if (!text_same(get(r, t[3]), s->ref) || !text_same(get(r, t[2]), s->without))
			return usage(r, "stamp action: another ref or pointer than the step's");
		i++;
	} else if (s->without.s) {
		return usage(r, "a history pointer without a \"stamp\" action");
	}
	return i == n ? 0 : usage(r, "too many actions");
}

/* [{"op":"restore","raw":H,"ref":R}, {"op":"unbackup",..}?] */
static int read_restore_actions(struct reading *r, uint32_t list, struct step *s)
{
	static const struct member m[] = { { "op", IS_STR }, { "raw", IS_STR }, { "ref", IS_STR }, { NULL, 0 } };
	const struct doc *d = r->p->doc;
	uint32_t t[3], a = element(d, list, 0), b = element(d, list, 1);

	if (!says(d, a, "op", "restore") || d->tok[list].n > 2)
		return usage(r, "expected a \"restore\" action");
	if (shape(r, a, m, t, "restore action") < 0)
		return -1;
	s->restore = true;
	if (!text_same(get(r, t[1]), s->raw) || !text_same(get(r, t[2]), s->ref))
		return usage(r, "restore action: another hash or ref than the step's");
	if (b == DOC_NONE)
		return 0;
	return says(d, b, "op", "unbackup") ? read_backup(r, b, s->ref, s)
	                                    : usage(r, "expected an \"unbackup\" action");
}

/* Split <ref>@<from>..<to>. */
static int read_step_id(struct reading *r, struct step *s)
{
	struct text id = s->step_id;
	const char *at = memrchr(id.s, '@', id.n);
	const char *dots = at ? memmem(at, (size_t)(id.s + id.n - at), "..", 2) : NULL;

	if (!dots || at == id.s)
		return usage(r, "step_id is not <ref>@<from>..<to>");
	s->ref = (struct text){ id.s, (size_t)(at - id.s) };
	s->from_version = (struct text){ at + 1, (size_t)(dots - at - 1) };
	s->to_version = (struct text){ dots + 2, (size_t)(id.s + id.n - dots - 2) };
	return 0;
}

void plan_key(struct text env, struct text tenant, struct text project, struct text migration_id, struct text step_id,
              char hex[HEX_SIZE])
{
	struct buf b = BUF_INIT;
	const struct text parts[] = { env, tenant, project, migration_id, step_id };

	buf_reserve(&b, env.n + tenant.n + project.n + migration_id.n + step_id.n + 32);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		buf_addch(&b, i ? ',' : '[');
		if (parts[i].s)
			canon_string(&b, parts[i].s, parts[i].n);
		else
			buf_add(&b, "null", 4);
	}
	buf_addch(&b, ']');
	digest_hex(b.s, b.len, hex);
	buf_release(&b);
}

/* The members that steps and rollback entries share, and the entries' own (lacking in a forward step). */
enum {
	S_ACTIONS,
	S_SAFETY,
	S_DESCRIPTION,
	S_KEY,
	S_INDEX,
	S_LEVERS,
	S_POST,
	S_PRE,
	S_PREVIOUS,
	S_ID,
	S_TYPE,
	S_UNDO,
	S_N
};

static const struct member step_members[] = { { "actions", IS_ARR },
	                                      { "data_safety", IS_OBJ | MAY_LACK },
	                                      { "description", IS_STR },
	                                      { "idempotency_key", IS_STR },
	                                      { "index", IS_NUM },
	                                      { "levers", IS_ARR | MAY_LACK },
	                                      { "postconditions", IS_ARR },
	                                      { "preconditions", IS_ARR },
	                                      { "previous_version", IS_STR | MAY_LACK },
	                                      { "step_id", IS_STR },
	                                      { "type", IS_STR },
	                                      { "undo", IS_ARR | MAY_LACK },
	                                      { NULL, 0 } };

static int read_entry_members(struct reading *r, const uint32_t *t, struct step *s)
{
	static const struct member safety[] = { { "note", IS_STR }, { "reversible", IS_BOOL }, { NULL, 0 } };
	uint32_t u[2];

	if (!t[S_SAFETY] || !t[S_LEVERS] || !t[S_PREVIOUS] || !t[S_UNDO])
		return usage(r, "a rollback entry needs data_safety, levers, previous_version and undo");
	if (shape(r, t[S_SAFETY], safety, u, "data_safety") < 0)
		return -1;
	s->note = get(r, u[0]);
	s->reversible = r->p->doc->tok[u[1]].type == DOC_TRUE;
	s->levers = t[S_LEVERS];
	s->undo = t[S_UNDO];
	s->previous_version = get(r, t[S_PREVIOUS]);
	if (!text_same(s->previous_version, s->from_version))
		return invalid(r, "bad_plan", "previous_version is not the version before the step");
	if (plan_of_rows(r->p))
		return rows_read_entry(&s->rows, r->p->doc, s->ref, t[S_ACTIONS], t[S_PRE], t[S_POST], r->what,
		                       r->where, r->d);
	if (read_content_check(r, t[S_PRE], s->ref, s) < 0 || read_bytes_check(r, t[S_POST], s->ref, &s->raw) < 0)
		return -1;
	return read_restore_actions(r, t[S_ACTIONS], s);
}

static int read_forward_members(struct reading *r, const uint32_t *t, struct step *s)
{
	if (t[S_SAFETY] || t[S_LEVERS] || t[S_PREVIOUS] || t[S_UNDO])
		return usage(r, "a forward step has no data_safety, levers, previous_version or undo");
	s->reversible = true; /* its rollback entry knows better: see pair_up */
	if (plan_of_rows(r->p))
		return rows_read_step(&s->rows, r->p->doc, s->ref, t[S_ACTIONS], t[S_PRE], t[S_POST], r->p->known,
		                      r->what, r->where, r->d);
	if (read_bytes_check(r, t[S_PRE], s->ref, &s->raw) < 0 || read_content_check(r, t[S_POST], s->ref, s) < 0)
		return -1;
	return read_forward_actions(r, t[S_ACTIONS], s);
}

/* Most entries repeat the key of the step that they undo, which was computed a moment ago. */
static bool repeats_key(const struct plan *p, const struct step *entry)
{
	if (p->rollback_mode || (uint64_t)entry->index > p->nstep)
		return false;
	const struct step *s = &p->step[p->nstep - (size_t)entry->index];

	return text_same(s->step_id, entry->step_id) && text_same(s->key, entry->key);
}

static int check_key(struct reading *r, const struct step *s)
{
	const struct plan *p = r->p;
	char key[HEX_SIZE];

	plan_key(p->env, p->tenant, p->project, p->migration_id, s->step_id, key);
	return text_is(s->key, key) ? 0
	                            : invalid(r, "idempotency_key",
	                                      "idempotency_key is not that of its env, scope, migration and step_id");
}

static int read_step(struct reading *r, uint32_t tok, int64_t index, bool entry, struct step *s)
{
	uint32_t t[S_N];
	struct plan *p = r->p;

	*s = (struct step){ .tok = tok };
	if (plan_of_sql(p) || plan_of_descriptor(p))
		return plan_sql_step(p, s, index, entry, r->what, r->where, r->d);
	if (shape(r, tok, step_members, t, r->what) < 0)
		return -1;
	if (!doc_int(p->doc, t[S_INDEX], &s->index) || s->index != index)
		return invalid(r, "bad_plan", "index is not its place in the list, counted from 1");
	s->step_id = get(r, t[S_ID]);
	s->description = get(r, t[S_DESCRIPTION]);
	s->key = get(r, t[S_KEY]);
	int type = step_type_of(get(r, t[S_TYPE]));

	if (type < 0)
		return invalid(r, "step_type", "type is not one of schema, data, config, profile, index, cleanup");
	s->type = (enum step_type)type;
	if (read_step_id(r, s) < 0)
		return -1;
	if (!p->known && !(entry && repeats_key(p, s)) && check_key(r, s) < 0)
		return -1;
	return entry ? read_entry_members(r, t, s) : read_forward_members(r, t, s);
}

static int read_steps(struct reading *r, uint32_t list, bool entries, struct step **out, size_t *n, size_t *cap,
                      const char *name)
{
	const struct doc *d = r->p->doc;
	char what[24 + NUMBER_SIZE];
	char *number = stpcpy(stpcpy(what, name), " ");

	*n = 0;
	if (*cap < d->tok[list].n) {
		*cap = d->tok[list].n;
		*out = xrealloc(*out, *cap, sizeof **out);
	}
	r->what = what;
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		number[number_print_int((int64_t)*n + 1, number)] = '\0';
		if (read_step(r, t, (int64_t)*n + 1, entries, &(*out)[*n]) < 0)
			return -1;
		++*n;
	}
	r->what = "plan";
	return 0;
}

static int compare_refs(struct text a, struct text b)
{
	int c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Which comes first: batches by their numbers, which are texts only up to 99999. */
static int compare_steps(const struct step *a, const struct step *b)
{
	return a->rows.any ? (a->rows.number > b->rows.number) - (a->rows.number < b->rows.number)
	                   : compare_refs(a->ref, b->ref);
}

/* What deletes is undone by putting back, and the other way round: only that does not destroy. */
static bool is_inverse(const struct plan *p, const struct step *s, const struct step *u)
{
	if (!text_same(s->step_id, u->step_id))
		return false;
	if (s->rows.any)
		return s->type == (s->rows.deletes ? STEP_CLEANUP : STEP_DATA) &&
		       u->type == (s->rows.deletes ? STEP_DATA : STEP_CLEANUP) &&
		       rows_inverse(p->doc, &s->rows, &u->rows);
	return s->type == u->type && text_same(s->raw, u->raw) && text_same(s->after, u->after) &&
	       text_same(s->without, u->without) && text_same(s->backup_suffix, u->backup_suffix);
}

/* Each entry undoes the step at the other end of the list, and steps are in order of their refs. */
static int pair_up(struct reading *r)
{
	struct plan *p = r->p;

	for (size_t i = 0; i < p->nstep; i++)
		if (!text_same(p->step[i].to_version, p->target_version))
			return invalid(r, "bad_plan", "a step leads to another version than target_version");
	for (size_t i = 1; i < p->nstep; i++)
		if (compare_steps(&p->step[i - 1], &p->step[i]) * (p->rollback_mode ? -1 : 1) >= 0)
			return invalid(r, "bad_plan", "its steps are not in the order of their refs, each once");
	if (p->rollback_mode)
		return p->nundo == 0 ? 0 : invalid(r, "bad_plan", "a rollback plan has no rollback of its own");
	if (p->nundo != p->nstep)
		return invalid(r, "rollback_incomplete", "it has not one rollback entry a step");
	for (size_t i = 0; i < p->nstep; i++) {
		struct step *s = &p->step[i];
		const struct step *u = &p->undo[p->nstep - 1 - i];

		if (!is_inverse(p, s, u))
			return invalid(r, "rollback_incomplete", "a rollback entry is not the inverse of its step");
		s->reversible = u->reversible;
	}
	return 0;
}

static int read_counts(struct reading *r, uint32_t snapshot, uint32_t part)
{
	static const struct member snap[] = { { "changes", IS_NUM }, { "current", IS_NUM }, { "digest", IS_STR },
		                              { "records", IS_NUM }, { "rejects", IS_NUM }, { NULL, 0 } };
	static const struct member parts[] = { { "index", IS_NUM }, { "of", IS_NUM }, { NULL, 0 } };
	struct plan *p = r->p;
	const struct doc *d = p->doc;
	uint32_t t[5], u[2];

	if (shape(r, snapshot, snap, t, "snapshot") < 0 || shape(r, part, parts, u, "part") < 0)
		return -1;
	p->digest = get(r, t[2]);
	if (!is_hex(p->digest) || !doc_int(d, t[0], &p->changes) || !doc_int(d, t[1], &p->current) ||
	    !doc_int(d, t[3], &p->records) || !doc_int(d, t[4], &p->rejects) || !doc_int(d, u[0], &p->part) ||
	    !doc_int(d, u[1], &p->parts))
		return usage(r, "snapshot or part is malformed");
	/* elsewhere changes are steps, and records the tables or the like that are there */
	bool counts_all = !plan_of_sql(p) && !plan_of_descriptor(p);

	if ((counts_all && p->changes + p->current + p->rejects != p->records) || p->part < 1 ||
	    p->part > p->parts)
		return invalid(r, "conservation",
		               "snapshot: changes, current and rejects do not add up to its records");
	return 0;
}

/* {"id":"expand","index":1,"kind":"expand","of":7,"strategy":H} */
static int read_phase(struct reading *r, uint32_t phase)
{
	static const struct member m[] = { { "id", IS_STR }, { "index", IS_NUM },    { "kind", IS_STR },
		                           { "of", IS_NUM }, { "strategy", IS_STR }, { NULL, 0 } };
	struct plan *p = r->p;
	struct plan_phase *x = &p->phase;
	uint32_t t[5];

	*x = (struct plan_phase){ .index = 0 };
	if (phase == DOC_NONE)
		return 0;
	if (p->rollback_mode)
		return usage(r, "a rollback plan is no phase");
	if (shape(r, phase, m, t, "phase") < 0)
		return -1;
	x->id = get(r, t[0]);
	x->kind = get(r, t[2]);
	x->strategy = get(r, t[4]);
	return doc_int(p->doc, t[1], &x->index) && doc_int(p->doc, t[3], &x->of) && x->index >= 1 &&
	                       x->index <= x->of && is_hex(x->strategy) && x->id.n
	               ? 0
	               : usage(r, "phase is malformed");
}

static int read_dialect(struct reading *r, uint32_t rows)
{
	struct plan *p = r->p;

	if (p->dialect.s && !plan_of_sql(p) && !plan_of_rows(p) && !plan_of_descriptor(p))
		return usage(r, "dialect is not one of sqlite, postgresql, rows, descriptor");
	if (plan_of_rows(p) != (rows != DOC_NONE))
		return usage(r, "\"rows\" stands in a plan of rows, and only there");
	return plan_of_rows(p) ? rows_read_totals(&p->rows, p->doc, rows, r->where, r->d) : 0;
}

static int read_header(struct reading *r, uint32_t header)
{
	static const struct member m[] = { { "dialect", IS_STR | MAY_LACK },
		                           { "env", IS_STR },
		                           { "format", IS_NUM },
		                           { "migration_id", IS_STR },
		                           { "mode", IS_STR },
		                           { "part", IS_OBJ },
		                           { "phase", IS_OBJ | MAY_LACK },
		                           { "reason", IS_STR | MAY_LACK },
		                           { "rows", IS_OBJ | MAY_LACK },
		                           { "scope", IS_OBJ },
		                           { "set", IS_OBJ },
		                           { "snapshot", IS_OBJ },
		                           { "target_version", IS_STR },
		                           { "tool_version", IS_STR },
		                           { "undoes", IS_STR | MAY_LACK },
		                           { NULL, 0 } };
	static const struct member scope[] = { { "project", IS_STR | MAY_LACK },
		                               { "tenant", IS_STR | MAY_LACK },
		                               { NULL, 0 } };
	static const struct member set[] = { { "hash", IS_STR }, { "id", IS_STR }, { NULL, 0 } };
	struct plan *p = r->p;
	enum {
		DIALECT,
		ENV,
		FORMAT,
		MIGRATION,
		MODE,
		PART,
		PHASE,
		REASON,
		ROWS,
		SCOPE,
		SET,
		SNAPSHOT,
		TARGET,
		TOOL,
		UNDOES,
		N
	};
	uint32_t t[N], u[2];
	int64_t format;

	if (shape(r, header, m, t, "header") < 0)
		return -1;
	if (!doc_int(p->doc, t[FORMAT], &format) || format != 1)
		return usage(r, "format is not 1");
	p->dialect = get(r, t[DIALECT]);
	if (read_dialect(r, t[ROWS]) < 0)
		return -1;
	p->env = get(r, t[ENV]);
	p->migration_id = get(r, t[MIGRATION]);
	p->reason = get(r, t[REASON]);
	p->target_version = get(r, t[TARGET]);
	p->tool_version = get(r, t[TOOL]);
	p->undoes = get(r, t[UNDOES]);
	p->rollback_mode = doc_equals(p->doc, t[MODE], "rollback", 8);
	if (!p->rollback_mode && !doc_equals(p->doc, t[MODE], "forward", 7))
		return usage(r, "mode is neither forward nor rollback");
	if (p->rollback_mode != (p->undoes.s != NULL) || (p->undoes.s && !is_hex(p->undoes)))
		return usage(r, "undoes names the undone plan_hash in a rollback plan, and only there");
	if (!text_is(p->env, "dev") && !text_is(p->env, "staging") && !text_is(p->env, "prod"))
		return usage(r, "env is not one of dev, staging, prod");
	if (read_phase(r, t[PHASE]) < 0 || shape(r, t[SCOPE], scope, u, "scope") < 0)
		return -1;
	p->project = get(r, u[0]);
	p->tenant = get(r, u[1]);
	if (shape(r, t[SET], set, u, "set") < 0)
		return -1;
	p->set_hash = get(r, u[0]);
	p->set_id = get(r, u[1]);
	return read_counts(r, t[SNAPSHOT], t[PART]);
}

static void forget(struct plan *p)
{
	while (p->nowned)
		free(p->owned[--p->nowned]);
}

static int read_plan(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	static const struct member m[] = { { "header", IS_OBJ },   { "kind", IS_STR },  { "plan_hash", IS_STR },
		                           { "rollback", IS_ARR }, { "steps", IS_ARR }, { NULL, 0 } };
	struct reading r = { .p = p, .where = where, .d = d, .what = "plan" };
	char want[HEX_SIZE];
	uint32_t t[5];

	forget(p);
	p->doc = doc;
	p->root = root;
	if (shape(&r, root, m, t, "plan") < 0)
		return -1;
	if (!doc_equals(doc, t[1], "plan", 4))
		return usage(&r, "kind is not \"plan\"");
	if (p->known)
		memcpy(p->hash, get(&r, t[2]).s, HEX_LEN);
	else if (!record_sum_holds(doc, root, "plan_hash", want, p->hash))
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", where,
		                "the plan was changed: expected_hash %s, actual_hash %s", want, p->hash);
	if (read_header(&r, t[0]) < 0 ||
	    read_steps(&r, t[4], p->rollback_mode, &p->step, &p->nstep, &p->stepcap, "step") < 0)
		return -1;
	p->nundo = 0;
	if (p->known)
		return 0;
	if (read_steps(&r, t[3], true, &p->undo, &p->nundo, &p->undocap, "rollback entry") < 0)
		return -1;
	if (p->nstep == 0)
		return invalid(&r, "bad_plan", "it has no steps");
	return plan_of_sql(p) || plan_of_descriptor(p) ? plan_sql_pairs(p, where, d) : pair_up(&r);
}

int plan_read(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	p->known = false;
	return read_plan(p, doc, root, where, d);
}

int plan_reread(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	p->known = true;
	return read_plan(p, doc, root, where, d);
}

void plan_release(struct plan *p)
{
	forget(p);
	free(p->owned);
	free(p->step);
	free(p->undo);
	*p = (struct plan)PLAN_INIT;
}

bool plan_of_sql(const struct plan *p)
{
	return p->dialect.s && (text_is(p->dialect, "sqlite") || text_is(p->dialect, "postgresql"));
}

bool plan_of_rows(const struct plan *p)
{
	return p->dialect.s && text_is(p->dialect, "rows");
}

bool plan_of_descriptor(const struct plan *p)
{
	return p->dialect.s && text_is(p->dialect, "descriptor");
}

bool step_destroys(const struct plan *p, const struct step *s)
{
	const struct doc *d = p->doc;

	if (plan_of_sql(p))
		return plan_sql_destroys(p, s);
	if (s->restore)
		return false;
	if (s->type == STEP_CLEANUP)
		return true;
	if (!s->patch)
		return false;
	for (uint32_t t = s->patch + 1; t < d->tok[s->patch].next; t = d->tok[t].next)
		if (says(d, t, "op", "remove"))
			return true;
	return false;
}

int plan_put(struct out *o, const struct buf *b, size_t at, struct tally *t)
{
	char hash[HEX_SIZE];

	digest_hex(b->s, b->len, hash);
	tally_plan(t, hash);
	out_write(o, b->s, at);
	out_write(o, "\"plan_hash\":\"", 13);
	out_write(o, hash, HEX_LEN);
	out_write(o, "\",", 2);
	return stream_put(o, b->s + at, b->len - at);
}
