/* planner.c -- see planner.h */
#include "planner.h"

#include "change-count.h"
#include "change-step.h"
#include "patch.h"
#include "plan-parts.h"
#include "plan-read.h"
#include "plan-rejects.h"
#include "plan.h"

#include <inttypes.h>

struct planning {
	const struct plan_ask *ask;
	struct out *out;
	struct diag *d;
	struct change_count count;
	struct change_step step;
	struct plan_parts parts;
	struct spool *rejects; /* their lines */
	struct rowplan *rows;
	struct buf set;        /* the "set" member, the same in every change */
	struct buf blob;
};

static int refuse(struct planning *p, const char *rule, const char *what)
{
	return change_count_refuse(&p->count, rule, what, p->d);
}

static bool is_row(const struct record *change)
{
	return change->at[CHANGE_FROM] != DOC_NONE;
}

/* Is the member a hash in quotes?  A hash has no escapes. */
static bool is_hash(const struct record *r, enum change_member m)
{
	size_t n;
	const char *s = doc_span(r->doc, r->at[m], &n);

	return n == HEX_LEN + 2 && plan_is_hash((struct text){ s + 1, HEX_LEN });
}

/* A change must be of the one set, lead to the target, and be of a known type. */
static int check_change(struct planning *p, const struct record *r)
{
	size_t n;
	const char *set = doc_span(r->doc, r->at[CHANGE_SET], &n), *to = p->ask->target_version;
	uint32_t op = r->at[CHANGE_OP];

	if (!p->set.len)
		buf_add(&p->set, set, n);
	else if (p->set.len != n || memcmp(p->set.s, set, n) != 0)
		return refuse(p, "foreign_set", "the change comes from another migration set than the ones before");
	if (!doc_equals(r->doc, r->at[CHANGE_TO_VERSION], to, strlen(to)))
		return refuse(p, "foreign_target", "the change leads to another version than --target-version");
	if (is_row(r) ? !doc_equals(r->doc, op, "put", 3) && !doc_equals(r->doc, op, "delete", 6)
	              : !doc_equals(r->doc, op, "patch", 5))
		return refuse(p, "unknown_op", "the change's op is not known here");
	if (!is_row(r) && (!is_hash(r, CHANGE_BEFORE) || !is_hash(r, CHANGE_AFTER) || !is_hash(r, CHANGE_RAW)))
		return refuse(p, "bad_change", "before, after and raw of the change are not all hashes");
	if (!is_row(r) &&
	    (!patch_is_diff(r->doc, r->at[CHANGE_PATCH]) || !patch_is_diff(r->doc, r->at[CHANGE_UNDO])))
		return refuse(p, "bad_change", "an operation of the change is not add, remove, replace or move");
	if (is_row(r) ? p->parts.steps->n > 0 : p->rows->any)
		return refuse(p, "mixed_changes", "documents and rows are not planned together");
	struct buf arena = BUF_INIT;
	int known = step_type_of(record_text(r->doc, r->at[CHANGE_TYPE], &arena));

	buf_release(&arena);
	return known < 0 ? refuse(p, "step_type", "the change's type is not one of the six") : 0;
}

/* A document becomes a step at once; rows wait for each other. */
static int take_change(struct planning *p, const struct record *r, const char *where)
{
	if (check_change(p, r) < 0)
		return -1;
	if (is_row(r))
		return rowplan_add(p->rows, r, where, p->d);
	buf_reset(&p->blob);
	change_step_write(&p->step, p->ask, r, &p->blob);
	return plan_parts_add(&p->parts, &p->blob);
}

static int take_record(struct planning *p, const struct record *r, const struct stream *in)
{
	switch (r->kind) {
	case KIND_CHANGE:
		return change_count_add(&p->count, r, p->d) < 0 ? -1 : take_change(p, r, in->where);
	case KIND_CURRENT:
		return change_count_add(&p->count, r, p->d);
	case KIND_REJECT:
		return change_count_add(&p->count, r, p->d) < 0 ? -1 : spool_add(p->rejects, r->line, r->len, p->d);
	case KIND_SNAPSHOT: /* where rows came from is no part of a plan */
		return stream_check_sum(in, r, p->d);
	case KIND_END:
		return 0;
	default:
		return diag_add(p->d, MIG_USAGE, "unexpected_kind", in->where,
		                "%s: not a change, current or reject record%s", kind_name(r->kind),
		                r->kind == KIND_DOCUMENT ? ": mig-transform comes before mig-plan" : "");
	}
}

/* Take in the whole stream; 0 once it is over, by an end or by a fault, which is passed on. */
static int take_in(struct planning *p, struct stream *in)
{
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, p->d)) > 0) {
		if (!in->fault)
			rc = take_record(p, &r, in);
		else
			rc = r.kind == KIND_FAULT ? stream_put(p->out, r.line, r.len) : 0;
		if (rc < 0)
			return -1;
	}
	return rc == 0 && !in->fault ? change_count_end(&p->count, p->d) : rc;
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
	if (!s || !p->count.seen.n)
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

/* The rows of the stream as steps, and what the plans say of them: header.rows. */
static int make_batches(struct planning *p, struct buf *totals)
{
	const struct plan_ask *a = p->ask;
	const struct rowplan_ask ask = { .env = text_cstr(a->env),
		                         .tenant = text_cstr(a->tenant),
		                         .project = text_cstr(a->project),
		                         .migration_id = text_cstr(a->migration_id),
		                         .target = a->target_version,
		                         .batch = a->batch };
	const struct buf *held = a->set && a->set->invariants.len ? &a->set->invariants : NULL;

	p->parts.max = PLAN_BATCH; /* --batch is of the rows in a step */
	if (check_set(p) < 0 || rowplan_finish(p->rows, &ask, plan_parts_add, &p->parts, p->d) < 0)
		return -1;
	rowplan_totals(p->rows, held ? (struct text){ held->s, held->len } : (struct text){ NULL, 0 }, totals);
	return 0;
}

static int put_plans(struct planning *p, const char *digest)
{
	const struct change_count *c = &p->count;
	struct buf totals = BUF_INIT;
	int rc = p->rows->any ? make_batches(p, &totals) : 0;
	const struct plan_head head = { .ask = p->ask,
		                        .dialect = totals.s ? "rows" : NULL,
		                        .target_version = p->ask->target_version,
		                        .set = { p->set.s, p->set.len },
		                        .rows = { totals.s, totals.len },
		                        .digest = digest,
		                        .changes = c->changes,
		                        .current = c->current,
		                        .rejects = c->rejects,
		                        .records = (int64_t)c->seen.n };

	if (rc == 0)
		rc = plan_parts_put(&p->parts, &head, p->out);
	buf_release(&totals);
	return rc;
}

/* Rejects are written even where they are too many. */
static int write_out(struct planning *p, const char *digest)
{
	int64_t n = p->count.rejects, max = p->ask->max_rejects;

	if (n > max)
		plan_rejects_name(p->rejects, n, max, p->d);
	else if (n)
		plan_rejects_left(n, max, p->d);
	if (plan_rejects_put(p->rejects, p->out, p->d) < 0 || n > max)
		return -1;
	return put_plans(p, digest);
}

int planner_run(const struct plan_ask *ask, struct spool *steps, struct spool *rejects, struct rowplan *rows,
                struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = {
		.ask = ask, .out = out, .d = d, .step = CHANGE_STEP_INIT, .rejects = rejects, .rows = rows
	};

	change_count_init(&p.count);
	plan_parts_init(&p.parts, steps, (uint64_t)ask->batch, d);
	int rc = take_in(&p, in);

	if (rc == 0 && !in->fault)
		rc = stream_verify_end(in, &p.count.seen, d) < 0 ? -1 : write_out(&p, in->end_digest);
	change_count_release(&p.count);
	change_step_release(&p.step);
	plan_parts_release(&p.parts);
	buf_release(&p.set);
	buf_release(&p.blob);
	return rc;
}
