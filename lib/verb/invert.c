/* invert.c -- see invert.h */
#include "invert.h"

#include "plan.h"

#include <stdio.h>
#include <stdlib.h>

/* The members of a header that its rollback plan's header repeats around mode, reason and undoes. */
static void add_rollback_header(struct buf *b, const struct plan *p, const char *reason)
{
	static const char *const members[] = { "dialect", "env",    "format",   "migration_id",   "mode",
		                               "part",    "reason", "rows",     "scope",          "set",
		                               "snapshot", "target_version", "tool_version", "undoes" };
	uint32_t header = doc_member(p->doc, p->root, "header", 6);
	struct rec w;

	rec_open(&w, b);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *m = members[i];
		uint32_t t = doc_member(p->doc, header, m, strlen(m));
		size_t n;

		if (strcmp(m, "mode") == 0) {
			rec_cstr(&w, m, "rollback");
		} else if (strcmp(m, "undoes") == 0) {
			rec_cstr(&w, m, p->hash);
		} else if (strcmp(m, "reason") == 0) {
			if (reason)
				rec_cstr(&w, m, reason);
		} else if (t != DOC_NONE) { /* documents have no dialect, and only rows have rows */
			const char *s = doc_span(p->doc, t, &n);

			rec_raw(&w, m, s, n);
		}
	}
	rec_close(&w);
}

/* The text of the plan that undoes p, without its hash, which goes in at *at. */
static void invert(struct buf *b, const struct plan *p, const char *reason, size_t *at)
{
	size_t n;
	const char *entries = doc_span(p->doc, doc_member(p->doc, p->root, "rollback", 8), &n);

	buf_reset(b);
	buf_addstr(b, "{\"header\":");
	add_rollback_header(b, p, reason);
	buf_addstr(b, ",\"kind\":\"plan\",");
	*at = b->len;
	buf_addstr(b, "\"rollback\":[],\"steps\":");
	buf_add(b, entries, n);
	buf_addch(b, '}');
}

/* A plan that came in, inverted: where its text begins in the spool, and where in that its hash goes. */
struct inverted {
	uint64_t where;
	size_t at;
	int64_t part;
	char stream[HEX_SIZE]; /* its snapshot's digest */
};

struct inverting {
	struct spool *spool;
	struct inverted *plan;
	size_t n, cap;
	struct tally seen;
};

static int add_inverted(struct inverting *v, const struct record *r, const char *reason, struct plan *p, struct buf *b,
                        const char *where, struct diag *d)
{
	if (plan_read(p, r->doc, 0, where, d) < 0)
		return -1;
	if (p->rollback_mode)
		return diag_add(d, MIG_INVALID, "rollback_of_rollback", where,
		                "a rollback plan cannot be rolled back: extract, transform and plan again");
	tally_plan(&v->seen, p->hash);
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 16;
		v->plan = xrealloc(v->plan, v->cap, sizeof *v->plan);
	}
	struct inverted *x = &v->plan[v->n++];

	x->where = v->spool->size;
	x->part = p->part;
	snprintf(x->stream, sizeof x->stream, "%.*s", (int)p->digest.n, p->digest.s);
	invert(b, p, reason, &x->at);
	return spool_add(v->spool, b->s, b->len, d);
}

static int last_part_first(const void *a, const void *b)
{
	int64_t x = ((const struct inverted *)a)->part, y = ((const struct inverted *)b)->part;

	return (x < y) - (x > y);
}

/*
 * Streams stay in the order in which they came (mig-extract --applied gives the
 * newest first); within each, the last part comes first.
 */
static void order(struct inverting *v)
{
	for (size_t i = 0, j; i < v->n; i = j) {
		for (j = i + 1; j < v->n && strcmp(v->plan[j].stream, v->plan[i].stream) == 0; j++)
			;
		qsort(v->plan + i, j - i, sizeof *v->plan, last_part_first);
	}
}

static int put_inverted(struct inverting *v, struct out *out, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct tally t;
	int rc = 0;

	tally_init(&t);
	order(v);
	for (size_t i = 0; i < v->n && rc >= 0; i++) {
		const char *s;
		size_t n;

		if ((rc = spool_seek(v->spool, v->plan[i].where, d)) < 0 || (rc = spool_next(v->spool, &s, &n, d)) <= 0)
			break;
		buf_reset(&b);
		buf_add(&b, s, n);
		rc = plan_put(out, &b, v->plan[i].at, &t);
	}
	if (rc >= 0)
		rc = stream_put_tally(out, "mig-plan", &t);
	tally_release(&t);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

int invert_run(const char *reason, struct spool *plans, struct stream *in, struct out *out, struct diag *d)
{
	struct inverting v = { .spool = plans };
	struct plan p = PLAN_INIT;
	struct buf b = BUF_INIT;
	struct record r;
	int rc = 0;

	tally_init(&v.seen);
	while (rc >= 0 && (rc = stream_next(in, &r, d)) > 0) {
		if (in->fault || r.kind == KIND_REJECT)
			rc = r.kind == KIND_FAULT || r.kind == KIND_REJECT ? stream_pass(in, &r, out, d) : 0;
		else if (r.kind == KIND_PLAN)
			rc = add_inverted(&v, &r, reason, &p, &b, in->where, d);
		else if (r.kind != KIND_END)
			rc = diag_add(d, MIG_USAGE, "unexpected_kind", in->where, "%s: not a plan",
			              kind_name(r.kind));
	}
	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &v.seen, d)) == 0)
		rc = put_inverted(&v, out, d);
	tally_release(&v.seen);
	plan_release(&p);
	buf_release(&b);
	free(v.plan);
	return rc;
}
