/* plan-sql.c -- the steps of SQL plans, and what those of descriptors share with them, for plan.c. */
#include "ddl.h"
#include "plan.h"
#include "sqlfinding.h"

#include <stdlib.h>

/* What is being read, for the messages. */
struct reading {
	struct plan *p;
	const struct doc *doc;
	const char *what, *where;
	struct diag *d;
};

static int usage(const struct reading *r, const char *what)
{
	return diag_add(r->d, MIG_USAGE, "bad_plan", r->where, "%s: %s", r->what, what);
}

static int invalid(const struct reading *r, const char *rule, const char *what)
{
	return diag_add(r->d, MIG_INVALID, rule, r->where, "%s: %s", r->what, what);
}

static int shape(const struct reading *r, uint32_t t, const struct member *m, uint32_t *tok, const char *what)
{
	return shape_check(r->doc, t, m, tok, what, r->where, r->d);
}

static bool all_texts(const struct doc *d, uint32_t list)
{
	for (uint32_t e = list + 1; e < d->tok[list].next; e = d->tok[e].next)
		if (d->tok[e].type != DOC_STRING)
			return false;
	return d->tok[list].n > 0;
}

/* <object>:<what>@<from>..<to>; an object may hold any of these signs, the others none */
static int read_step_id(const struct reading *r, struct step *s)
{
	struct text id = s->step_id;
	const char *end = id.s + id.n, *at = memrchr(id.s, '@', id.n);
	const char *colon = at ? memrchr(id.s, ':', (size_t)(at - id.s)) : NULL;
	const char *dots = at ? memmem(at, (size_t)(end - at), "..", 2) : NULL;

	if (!colon || !dots || colon == id.s || dots == at + 1 || dots + 2 == end)
		return usage(r, "step_id is not <object>:<what>@<from>..<to>");
	s->ref = (struct text){ id.s, (size_t)(colon - id.s) };
	s->what = (struct text){ colon + 1, (size_t)(at - colon - 1) };
	s->from_version = (struct text){ at + 1, (size_t)(dots - at - 1) };
	s->to_version = (struct text){ dots + 2, (size_t)(end - dots - 2) };
	return sqlrule_valid(s->what) || plan_of_descriptor(r->p) ? 0 : usage(r, "step_id says no such thing to do");
}

/* Blank out $1, which stands for the value of the backup, for those who know of no parameters. */
static void blank_value(char *s)
{
	while ((s = strstr(s, "$1"))) {
		bool number = s[2] == '$' || (s[2] >= '0' && s[2] <= '9');

		if (!number)
			memset(s, ' ', 2);
		s += 2;
	}
}

/* A condition that cannot end the statement it is put into, and only for columns: a table comes back whole. */
static int read_where(const struct reading *r, uint32_t a, const uint32_t *t)
{
	char *where = record_dup(r->doc, t[5]), *name = record_dup(r->doc, t[2]), *table = record_dup(r->doc, t[4]);
	bool blank = strspn(where, " \t\r\n") == strlen(where);
	int rc = 0;

	if (doc_says(r->doc, a, "op", "restore"))
		blank_value(where);
	if (blank || !ddl_contained(where))
		rc = usage(r, "backup or restore action: where is not one condition");
	else if (strcmp(name, table) == 0)
		rc = usage(r, "backup or restore action: a whole table has no where");
	free(where);
	free(name);
	free(table);
	return rc;
}

/* {"columns":[..],"key":[..],"name":"users.name","op":"backup","table":"users","where":S}, or "restore" */
static int read_backup(const struct reading *r, uint32_t a)
{
	static const struct member m[] = { { "columns", IS_ARR },
		                           { "key", IS_ARR },
		                           { "name", IS_STR },
		                           { "op", IS_STR },
		                           { "table", IS_STR },
		                           { "where", IS_STR | MAY_LACK },
		                           { NULL, 0 } };
	uint32_t t[6];

	if (shape(r, a, m, t, "backup or restore action") < 0 || (t[5] && read_where(r, a, t) < 0))
		return -1;
	if (!all_texts(r->doc, t[0]) || (r->doc->tok[t[1]].n && !all_texts(r->doc, t[1])))
		return usage(r, "backup or restore action: columns or key are not names");
	return 0;
}

/* {"checksum":C,"history_version":1,"op":"record","schema":{"tables":[..]}} of a declared schema */
static int read_record(const struct reading *r, uint32_t a)
{
	static const struct member m[] = { { "checksum", IS_STR },
		                           { "history_version", IS_NUM },
		                           { "op", IS_STR },
		                           { "schema", IS_OBJ },
		                           { NULL, 0 } };
	static const struct member schema[] = { { "tables", IS_ARR }, { NULL, 0 } };
	uint32_t t[4];
	int64_t version;

	if (shape(r, a, m, t, "record action") < 0 || shape(r, t[3], schema, NULL, "record action's schema") < 0)
		return -1;
	if (!record_is_hash(r->doc, t[0]) || !doc_int(r->doc, t[1], &version) || version < 1)
		return usage(r, "record action: checksum or history_version is malformed");
	return 0;
}

/* {"checksum":C,"from":F,"normalised":N,"op":"record","to":T} of a hop that was written by hand */
static int read_record_hop(const struct reading *r, uint32_t a)
{
	static const struct member m[] = { { "checksum", IS_STR }, { "from", IS_STR }, { "normalised", IS_STR },
		                           { "op", IS_STR },       { "to", IS_STR },   { NULL, 0 } };
	uint32_t t[5];

	if (shape(r, a, m, t, "record action") < 0)
		return -1;
	return record_is_hash(r->doc, t[0]) && record_is_hash(r->doc, t[2])
	               ? 0
	               : usage(r, "record action: a checksum is malformed");
}

static int read_unrecord(const struct reading *r, uint32_t a)
{
	static const struct member version[] = { { "history_version", IS_NUM }, { "op", IS_STR }, { NULL, 0 } };
	static const struct member hop[] = { { "from", IS_STR }, { "op", IS_STR }, { "to", IS_STR }, { NULL, 0 } };

	return shape(r, a, doc_member(r->doc, a, "from", 4) ? hop : version, NULL, "unrecord action");
}

static int read_action(const struct reading *r, uint32_t a, bool entry)
{
	static const struct member sql[] = { { "op", IS_STR }, { "sql", IS_STR }, { NULL, 0 } };

	if (doc_says(r->doc, a, "op", "sql"))
		return shape(r, a, sql, NULL, "sql action");
	if (doc_says(r->doc, a, "op", "backup") || (entry && doc_says(r->doc, a, "op", "restore")))
		return read_backup(r, a);
	if (!entry && doc_says(r->doc, a, "op", "record"))
		return doc_member(r->doc, a, "from", 4) ? read_record_hop(r, a) : read_record(r, a);
	if (entry && doc_says(r->doc, a, "op", "unrecord"))
		return read_unrecord(r, a);
	return usage(r, entry ? "an action is not one of sql, backup, restore, unrecord"
	                      : "an action is not one of sql, backup, record");
}

/* query: S gives V; verify: S gives nothing, or a true first value; schema: what is there has this hash */
static int read_check(const struct reading *r, uint32_t c, bool before)
{
	static const struct member query[] = { { "check", IS_STR },
		                               { "equals", IS_NULL | IS_BOOL | IS_NUM | IS_STR },
		                               { "examples", IS_STR | MAY_LACK },
		                               { "message", IS_STR },
		                               { "sql", IS_STR },
		                               { NULL, 0 } };
	static const struct member verify[] = {
		{ "check", IS_STR }, { "message", IS_STR }, { "sql", IS_STR }, { NULL, 0 }
	};
	static const struct member schema[] = { { "check", IS_STR }, { "hash", IS_STR }, { NULL, 0 } };
	uint32_t t[2];

	if (doc_says(r->doc, c, "check", "query"))
		return shape(r, c, query, NULL, "query check");
	if (!before && doc_says(r->doc, c, "check", "verify"))
		return shape(r, c, verify, NULL, "verify check");
	if (!before || !doc_says(r->doc, c, "check", "schema"))
		return usage(r, before ? "a precondition is neither a query nor a schema check"
		                       : "a postcondition is neither a query nor a verify check");
	if (shape(r, c, schema, t, "schema check") < 0)
		return -1;
	return record_is_hash(r->doc, t[1]) ? 0 : usage(r, "schema check: its hash is malformed");
}

static int read_lists(const struct reading *r, const struct step *s, bool entry)
{
	const struct doc *d = r->doc;
	struct sqlfinding f;

	for (uint32_t e = s->actions + 1; e < d->tok[s->actions].next; e = d->tok[e].next)
		if (read_action(r, e, entry) < 0)
			return -1;
	for (uint32_t e = s->pre + 1; e < d->tok[s->pre].next; e = d->tok[e].next)
		if (read_check(r, e, true) < 0)
			return -1;
	for (uint32_t e = s->post + 1; e < d->tok[s->post].next; e = d->tok[e].next)
		if (read_check(r, e, false) < 0)
			return -1;
	for (uint32_t e = s->findings + 1; e < d->tok[s->findings].next; e = d->tok[e].next)
		if (sqlfinding_read(&f, d, e, r->where, r->d) < 0)
			return -1;
	return 0;
}

enum {
	S_ACTIONS,
	S_SAFETY,
	S_DESCRIPTION,
	S_FINDINGS,
	S_KEY,
	S_INDEX,
	S_LEVERS,
	S_POST,
	S_PRE,
	S_PREVIOUS,
	S_ID,
	S_TRANSACTION,
	S_TYPE,
	S_UNDO,
	S_N
};

static const struct member step_members[] = { { "actions", IS_ARR },
	                                      { "data_safety", IS_OBJ | MAY_LACK },
	                                      { "description", IS_STR },
	                                      { "findings", IS_ARR },
	                                      { "idempotency_key", IS_STR },
	                                      { "index", IS_NUM },
	                                      { "levers", IS_ARR | MAY_LACK },
	                                      { "postconditions", IS_ARR },
	                                      { "preconditions", IS_ARR },
	                                      { "previous_version", IS_STR | MAY_LACK },
	                                      { "step_id", IS_STR },
	                                      { "transaction", IS_BOOL | MAY_LACK },
	                                      { "type", IS_STR },
	                                      { "undo", IS_ARR | MAY_LACK },
	                                      { NULL, 0 } };

/* What only the way back says. */
static int read_entry(const struct reading *r, const uint32_t *t, struct step *s, bool entry)
{
	static const struct member safety[] = { { "note", IS_STR }, { "reversible", IS_BOOL }, { NULL, 0 } };
	uint32_t u[2];

	s->reversible = true; /* of a forward step its rollback entry knows better: see plan_sql_pairs */
	if (!entry && (t[S_SAFETY] || t[S_LEVERS] || t[S_PREVIOUS] || t[S_UNDO]))
		return usage(r, "a forward step has no data_safety, levers, previous_version or undo");
	if (!entry)
		return 0;
	if (!t[S_SAFETY] || !t[S_LEVERS] || !t[S_PREVIOUS] || !t[S_UNDO])
		return usage(r, "a rollback entry needs data_safety, levers, previous_version and undo");
	if (shape(r, t[S_SAFETY], safety, u, "data_safety") < 0)
		return -1;
	s->note = plan_text(r->p, u[0]);
	s->reversible = r->doc->tok[u[1]].type == DOC_TRUE;
	s->levers = t[S_LEVERS];
	s->undo = t[S_UNDO];
	s->previous_version = plan_text(r->p, t[S_PREVIOUS]);
	if (!text_same(s->previous_version, s->from_version))
		return invalid(r, "bad_plan", "previous_version is not the version before the step");
	return 0;
}

static int check_key(const struct reading *r, const struct step *s)
{
	const struct plan *p = r->p;
	char key[HEX_SIZE];

	if (p->known)
		return 0;
	plan_key(p->env, p->tenant, p->project, p->migration_id, s->step_id, key);
	return text_is(s->key, key) ? 0
	                            : invalid(r, "idempotency_key",
	                                      "idempotency_key is not that of its env, scope, migration and step_id");
}

int plan_sql_step(struct plan *p, struct step *s, int64_t index, bool entry, const char *what, const char *where,
                  struct diag *d)
{
	const struct reading r = { p, p->doc, what, where, d };
	uint32_t t[S_N];

	if (shape(&r, s->tok, step_members, t, what) < 0)
		return -1;
	if (!doc_int(p->doc, t[S_INDEX], &s->index) || s->index != index)
		return invalid(&r, "bad_plan", "index is not its place in the list, counted from 1");
	s->step_id = plan_text(p, t[S_ID]);
	s->description = plan_text(p, t[S_DESCRIPTION]);
	s->key = plan_text(p, t[S_KEY]);
	s->actions = t[S_ACTIONS];
	s->pre = t[S_PRE];
	s->post = t[S_POST];
	s->findings = t[S_FINDINGS];
	if (t[S_TRANSACTION] && p->doc->tok[t[S_TRANSACTION]].type == DOC_TRUE)
		return usage(&r, "transaction is said only where it is false");
	s->outside = t[S_TRANSACTION] != DOC_NONE;
	int type = step_type_of(plan_text(p, t[S_TYPE]));

	if (type < 0)
		return invalid(&r, "step_type", "type is not one of schema, data, config, profile, index, cleanup");
	s->type = (enum step_type)type;
	if (read_step_id(&r, s) < 0 || read_entry(&r, t, s, entry) < 0 || check_key(&r, s) < 0)
		return -1;
	return plan_of_descriptor(p) ? plan_descriptor_step(p, s, entry, what, where, d) : read_lists(&r, s, entry);
}

bool plan_sql_destroys(const struct plan *p, const struct step *s)
{
	struct sqlfinding f;

	for (uint32_t e = s->findings + 1; e < p->doc->tok[s->findings].next; e = p->doc->tok[e].next) {
		sqlfinding_get(&f, p->doc, e);
		if (sqlfinding_destroys(&f))
			return true;
	}
	return false;
}
