/* plan-header.c -- the header of a plan: see plan-read.h; mig-stream(5) shows it. */
#include "plan-read.h"

/* {"changes":3,"current":1,"digest":H,"records":5,"rejects":1} and {"index":1,"of":2} */
static int read_counts(const struct plan_reading *r, uint32_t snapshot, uint32_t part)
{
	static const struct member snap[] = { { "changes", IS_NUM }, { "current", IS_NUM }, { "digest", IS_STR },
		                              { "records", IS_NUM }, { "rejects", IS_NUM }, { NULL, 0 } };
	static const struct member parts[] = { { "index", IS_NUM }, { "of", IS_NUM }, { NULL, 0 } };
	struct plan *p = r->p;
	const struct doc *d = r->doc;
	uint32_t t[5], u[2];

	if (plan_shape(r, snapshot, snap, t, "snapshot") < 0 || plan_shape(r, part, parts, u, "part") < 0)
		return -1;
	p->digest = plan_text(p, t[2]);
	if (!plan_is_hash(p->digest) || !doc_int(d, t[0], &p->changes) || !doc_int(d, t[1], &p->current) ||
	    !doc_int(d, t[3], &p->records) || !doc_int(d, t[4], &p->rejects) || !doc_int(d, u[0], &p->part) ||
	    !doc_int(d, u[1], &p->parts))
		return plan_usage(r, "snapshot or part is malformed");
	/* elsewhere changes are steps, and records the tables or the like that are there */
	bool counts_all = !plan_of_sql(p) && !plan_of_descriptor(p);

	if ((counts_all && p->changes + p->current + p->rejects != p->records) || p->part < 1 || p->part > p->parts)
		return plan_invalid(r, "conservation",
		                    "snapshot: changes, current and rejects do not add up to its records");
	return 0;
}

/* {"id":"expand","index":1,"kind":"expand","of":7,"strategy":H} */
static int read_phase(const struct plan_reading *r, uint32_t phase)
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
		return plan_usage(r, "a rollback plan is no phase");
	if (plan_shape(r, phase, m, t, "phase") < 0)
		return -1;
	x->id = plan_text(p, t[0]);
	x->kind = plan_text(p, t[2]);
	x->strategy = plan_text(p, t[4]);
	return doc_int(r->doc, t[1], &x->index) && doc_int(r->doc, t[3], &x->of) && x->index >= 1 &&
	                       x->index <= x->of && plan_is_hash(x->strategy) && x->id.n
	               ? 0
	               : plan_usage(r, "phase is malformed");
}

/* Which kind of plan it is, which decides what the rest must be. */
static int read_dialect(const struct plan_reading *r, uint32_t rows)
{
	struct plan *p = r->p;

	if (p->dialect.s && !plan_of_sql(p) && !plan_of_rows(p) && !plan_of_descriptor(p))
		return plan_usage(r, "dialect is not one of sqlite, postgresql, rows, descriptor");
	if (plan_of_rows(p) != (rows != DOC_NONE))
		return plan_usage(r, "\"rows\" stands in a plan of rows, and only there");
	return plan_of_rows(p) ? rows_read_totals(&p->rows, r->doc, rows, r->where, r->d) : 0;
}

/* Which way it goes; a way back says of which plan. */
static int read_mode(const struct plan_reading *r, uint32_t mode)
{
	struct plan *p = r->p;

	p->rollback_mode = doc_equals(r->doc, mode, "rollback", 8);
	if (!p->rollback_mode && !doc_equals(r->doc, mode, "forward", 7))
		return plan_usage(r, "mode is neither forward nor rollback");
	if (p->rollback_mode != (p->undoes.s != NULL) || (p->undoes.s && !plan_is_hash(p->undoes)))
		return plan_usage(r, "undoes names the undone plan_hash in a rollback plan, and only there");
	return 0;
}

static int read_scope_and_set(const struct plan_reading *r, uint32_t scope, uint32_t set)
{
	static const struct member in_scope[] = { { "project", IS_STR | MAY_LACK },
		                                  { "tenant", IS_STR | MAY_LACK },
		                                  { NULL, 0 } };
	static const struct member in_set[] = { { "hash", IS_STR }, { "id", IS_STR }, { NULL, 0 } };
	struct plan *p = r->p;
	uint32_t t[2];

	if (plan_shape(r, scope, in_scope, t, "scope") < 0)
		return -1;
	p->project = plan_text(p, t[0]);
	p->tenant = plan_text(p, t[1]);
	if (plan_shape(r, set, in_set, t, "set") < 0)
		return -1;
	p->set_hash = plan_text(p, t[0]);
	p->set_id = plan_text(p, t[1]);
	return 0;
}

enum {
	H_DIALECT,
	H_ENV,
	H_FORMAT,
	H_MIGRATION,
	H_MODE,
	H_PART,
	H_PHASE,
	H_REASON,
	H_ROWS,
	H_SCOPE,
	H_SET,
	H_SNAPSHOT,
	H_TARGET,
	H_TOOL,
	H_UNDOES,
	H_N
};

static const struct member header_members[] = { { "dialect", IS_STR | MAY_LACK },
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

int plan_read_header(const struct plan_reading *r, uint32_t header)
{
	struct plan *p = r->p;
	uint32_t t[H_N];
	int64_t format;

	if (plan_shape(r, header, header_members, t, "header") < 0)
		return -1;
	if (!doc_int(r->doc, t[H_FORMAT], &format) || format != 1)
		return plan_usage(r, "format is not 1");
	p->dialect = plan_text(p, t[H_DIALECT]);
	if (read_dialect(r, t[H_ROWS]) < 0)
		return -1;
	p->env = plan_text(p, t[H_ENV]);
	p->migration_id = plan_text(p, t[H_MIGRATION]);
	p->reason = plan_text(p, t[H_REASON]);
	p->target_version = plan_text(p, t[H_TARGET]);
	p->tool_version = plan_text(p, t[H_TOOL]);
	p->undoes = plan_text(p, t[H_UNDOES]);
	if (read_mode(r, t[H_MODE]) < 0)
		return -1;
	if (!text_is(p->env, "dev") && !text_is(p->env, "staging") && !text_is(p->env, "prod"))
		return plan_usage(r, "env is not one of dev, staging, prod");
	return read_phase(r, t[H_PHASE]) < 0 || read_scope_and_set(r, t[H_SCOPE], t[H_SET]) < 0
	               ? -1
	               : read_counts(r, t[H_SNAPSHOT], t[H_PART]);
}
