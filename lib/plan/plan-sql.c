/* plan-sql.c -- the steps of SQL plans, and what those of descriptors share with them: see plan-read.h. */
#include "ddl.h"
#include "plan-read.h"
#include "sqlfinding.h"

#include <stdlib.h>

static bool all_texts(const struct doc *d, uint32_t list)
{
	for (uint32_t e = list + 1; e < d->tok[list].next; e = d->tok[e].next)
		if (d->tok[e].type != DOC_STRING)
			return false;
	return d->tok[list].n > 0;
}

/* <object>:<what>@<from>..<to>; an object may hold any of these signs, the others none */
static int read_step_id(const struct plan_reading *r, struct step *s)
{
	struct text id = s->step_id;
	const char *end = id.s + id.n, *at = memrchr(id.s, '@', id.n);
	const char *colon = at ? memrchr(id.s, ':', (size_t)(at - id.s)) : NULL;
	const char *dots = at ? memmem(at, (size_t)(end - at), "..", 2) : NULL;

	if (!colon || !dots || colon == id.s || dots == at + 1 || dots + 2 == end)
		return plan_usage(r, "step_id is not <object>:<what>@<from>..<to>");
	s->ref = (struct text){ id.s, (size_t)(colon - id.s) };
	s->what = (struct text){ colon + 1, (size_t)(at - colon - 1) };
	s->from_version = (struct text){ at + 1, (size_t)(dots - at - 1) };
	s->to_version = (struct text){ dots + 2, (size_t)(end - dots - 2) };
	return sqlrule_valid(s->what) || plan_of_descriptor(r->p) ? 0
	                                                          : plan_usage(r, "step_id says no such thing to do");
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
static int read_where(const struct plan_reading *r, uint32_t a, const uint32_t *t)
{
	char *where = record_dup(r->doc, t[5]), *name = record_dup(r->doc, t[2]), *table = record_dup(r->doc, t[4]);
	bool blank = strspn(where, " \t\r\n") == strlen(where);
	int rc = 0;

	if (doc_says(r->doc, a, "op", "restore"))
		blank_value(where);
	if (blank || !ddl_contained(where))
		rc = plan_usage(r, "backup or restore action: where is not one condition");
	else if (strcmp(name, table) == 0)
		rc = plan_usage(r, "backup or restore action: a whole table has no where");
	free(where);
	free(name);
	free(table);
	return rc;
}

/* {"columns":[..],"key":[..],"name":"users.name","op":"backup","table":"users","where":S}, or "restore" */
static int read_backup(const struct plan_reading *r, uint32_t a)
{
	static const struct member m[] = { { "columns", IS_ARR },
		                           { "key", IS_ARR },
		                           { "name", IS_STR },
		                           { "op", IS_STR },
		                           { "table", IS_STR },
		                           { "where", IS_STR | MAY_LACK },
		                           { NULL, 0 } };
	uint32_t t[6];

	if (plan_shape(r, a, m, t, "backup or restore action") < 0 || (t[5] && read_where(r, a, t) < 0))
		return -1;
	if (!all_texts(r->doc, t[0]) || (r->doc->tok[t[1]].n && !all_texts(r->doc, t[1])))
		return plan_usage(r, "backup or restore action: columns or key are not names");
	return 0;
}

/* {"checksum":C,"history_version":1,"op":"record","schema":{"tables":[..]}} of a declared schema */
static int read_record(const struct plan_reading *r, uint32_t a)
{
	static const struct member m[] = { { "checksum", IS_STR },
		                           { "history_version", IS_NUM },
		                           { "op", IS_STR },
		                           { "schema", IS_OBJ },
		                           { NULL, 0 } };
	static const struct member schema[] = { { "tables", IS_ARR }, { NULL, 0 } };
	uint32_t t[4];
	int64_t version;

	if (plan_shape(r, a, m, t, "record action") < 0 ||
	    plan_shape(r, t[3], schema, NULL, "record action's schema") < 0)
		return -1;
	if (!record_is_hash(r->doc, t[0]) || !doc_int(r->doc, t[1], &version) || version < 1)
		return plan_usage(r, "record action: checksum or history_version is malformed");
	return 0;
}

/* {"checksum":C,"from":F,"normalised":N,"op":"record","to":T} of a hop that was written by hand */
static int read_record_hop(const struct plan_reading *r, uint32_t a)
{
	static const struct member m[] = { { "checksum", IS_STR }, { "from", IS_STR }, { "normalised", IS_STR },
		                           { "op", IS_STR },       { "to", IS_STR },   { NULL, 0 } };
	uint32_t t[5];

	if (plan_shape(r, a, m, t, "record action") < 0)
		return -1;
	return record_is_hash(r->doc, t[0]) && record_is_hash(r->doc, t[2])
	               ? 0
	               : plan_usage(r, "record action: a checksum is malformed");
}

static int read_unrecord(const struct plan_reading *r, uint32_t a)
{
	static const struct member version[] = { { "history_version", IS_NUM }, { "op", IS_STR }, { NULL, 0 } };
	static const struct member hop[] = { { "from", IS_STR }, { "op", IS_STR }, { "to", IS_STR }, { NULL, 0 } };

	return plan_shape(r, a, doc_member(r->doc, a, "from", 4) ? hop : version, NULL, "unrecord action");
}

static int read_action(const struct plan_reading *r, uint32_t a, bool entry)
{
	static const struct member sql[] = { { "op", IS_STR }, { "sql", IS_STR }, { NULL, 0 } };

	if (doc_says(r->doc, a, "op", "sql"))
		return plan_shape(r, a, sql, NULL, "sql action");
	if (doc_says(r->doc, a, "op", "backup") || (entry && doc_says(r->doc, a, "op", "restore")))
		return read_backup(r, a);
	if (!entry && doc_says(r->doc, a, "op", "record"))
		return doc_member(r->doc, a, "from", 4) ? read_record_hop(r, a) : read_record(r, a);
	if (entry && doc_says(r->doc, a, "op", "unrecord"))
		return read_unrecord(r, a);
	return plan_usage(r, entry ? "an action is not one of sql, backup, restore, unrecord"
	                           : "an action is not one of sql, backup, record");
}

/* query: S gives V; verify: S gives nothing, or a true first value; schema: what is there has this hash */
static int read_check(const struct plan_reading *r, uint32_t c, bool before)
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
		return plan_shape(r, c, query, NULL, "query check");
	if (!before && doc_says(r->doc, c, "check", "verify"))
		return plan_shape(r, c, verify, NULL, "verify check");
	if (!before || !doc_says(r->doc, c, "check", "schema"))
		return plan_usage(r, before ? "a precondition is neither a query nor a schema check"
		                            : "a postcondition is neither a query nor a verify check");
	if (plan_shape(r, c, schema, t, "schema check") < 0)
		return -1;
	return record_is_hash(r->doc, t[1]) ? 0 : plan_usage(r, "schema check: its hash is malformed");
}

static int read_lists(const struct plan_reading *r, const struct step *s, bool entry)
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

int plan_sql_step(const struct plan_reading *r, struct step *s, int64_t index, bool entry)
{
	struct plan *p = r->p;
	uint32_t t[S_N];

	if (plan_shape(r, s->tok, step_members, t, r->what) < 0)
		return -1;
	if (!doc_int(r->doc, t[S_INDEX], &s->index) || s->index != index)
		return plan_invalid(r, "bad_plan", "index is not its place in the list, counted from 1");
	s->step_id = plan_text(p, t[S_ID]);
	s->description = plan_text(p, t[S_DESCRIPTION]);
	s->key = plan_text(p, t[S_KEY]);
	s->actions = t[S_ACTIONS];
	s->pre = t[S_PRE];
	s->post = t[S_POST];
	s->findings = t[S_FINDINGS];
	if (t[S_TRANSACTION] && r->doc->tok[t[S_TRANSACTION]].type == DOC_TRUE)
		return plan_usage(r, "transaction is said only where it is false");
	s->outside = t[S_TRANSACTION] != DOC_NONE;
	const struct entry_members own = { t[S_SAFETY], t[S_LEVERS], t[S_PREVIOUS], t[S_UNDO] };

	if (plan_read_type(r, t[S_TYPE], s) < 0 || read_step_id(r, s) < 0 || plan_read_entry(r, &own, entry, s) < 0 ||
	    plan_check_key(r, s, entry) < 0)
		return -1;
	return plan_of_descriptor(p) ? plan_descriptor_step(r, s, entry) : read_lists(r, s, entry);
}
