/* apply.c -- see apply.h */
#include "apply.h"

#include "crew.h"
#include "rules.h"

#include <stdlib.h>

/* A permit's parts, in room that is used again. */
struct holding {
	struct doc doc;
	struct grant grant;
	struct buf arena;
	struct plan plan;
};

/* The permits that came in. */
struct permits {
	struct spool *spool; /* borrowed */
	struct crew_job *job;
	size_t n, cap;
	bool writes;
	struct buf last; /* the ref of the last step, */
	int order;       /* and where the refs have gone: 1 up, -1 down */
};

static void permits_release(struct permits *p)
{
	free(p->job);
	buf_release(&p->last);
}

static void holding_release(struct holding *h)
{
	doc_release(&h->doc);
	buf_release(&h->arena);
	plan_release(&h->plan);
}

typedef int plan_reader(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d);

/* Read the permit in doc (h's own, or a stream's) and judge it. */
static int open_permit(struct holding *h, const struct doc *doc, plan_reader *reader, const char *where, struct diag *d)
{
	if (grant_read(&h->grant, doc, doc_member(doc, 0, "grant", 5), &h->arena, where, d) < 0 ||
	    reader(&h->plan, doc, doc_member(doc, 0, "plan", 4), where, d) < 0)
		return -1;
	return rules_check(&h->plan, &h->grant, d);
}

static int no_permit(const struct record *r, const char *where, struct diag *d)
{
	if (r->kind != KIND_PLAN)
		return diag_add(d, MIG_USAGE, "unexpected_kind", where, "%s: not a permit",
		                r->kind == KIND_OTHER ? "an unknown kind" : kind_name(r->kind));
	diag_hint(d, "mig-gate --env ENV --apply | mig-apply ..");
	return diag_add(d, MIG_UNSAFE, "no_permit", where,
	                "a plan without a permit: apply mode requires --apply at mig-gate");
}

/* Every permit must speak of the stream that came: its digest is the end's. */
static int check_digest(struct holding *h, struct buf *digest, const char *where, struct diag *d)
{
	if (!digest->len)
		buf_add(digest, h->grant.digest.s, h->grant.digest.n);
	if (text_same(h->grant.digest, (struct text){ digest->s, digest->len }))
		return 0;
	return diag_add(d, MIG_INVALID, "foreign_permit", where, "the permit belongs to another stream of plans");
}

static int compare(struct text a, const struct buf *b)
{
	int c = memcmp(a.s, b->s, a.n < b->len ? a.n : b->len);

	return c ? c : a.n < b->len ? -1 : a.n > b->len;
}

/*
 * Is the plan to wait for those ahead?  The refs of a plan only go up, or, in a
 * rollback, down.  As long as they go on so from plan to plan, no document is
 * in two of them.
 */
static bool stands_alone(struct permits *ps, const struct plan *p)
{
	if (p->nstep == 0)
		return false;
	struct text first = p->step[0].ref, last = p->step[p->nstep - 1].ref;
	int order = p->rollback_mode ? -1 : 1;
	bool follows = ps->n && ps->order == order && compare(first, &ps->last) * order > 0;

	ps->order = order;
	buf_reset(&ps->last);
	buf_add(&ps->last, last.s, last.n);
	return !follows;
}

static int keep(struct permits *ps, const struct record *r, const struct holding *h, struct diag *d)
{
	if (ps->n == ps->cap) {
		ps->cap = ps->cap ? ps->cap * 2 : 16;
		ps->job = xrealloc(ps->job, ps->cap, sizeof *ps->job);
	}
	ps->job[ps->n] = (struct crew_job){ .where = ps->spool->size, .alone = stands_alone(ps, &h->plan) };
	ps->n++;
	ps->writes = ps->writes || !h->grant.dry_run;
	return spool_add(ps->spool, r->line, r->len, d);
}

/* Read all permits into the spool; 0 once the end has verified, or there was a fault. */
static int take_in(struct stream *in, struct permits *permits, struct out *out, struct diag *d)
{
	struct holding h = { .doc = DOC_INIT, .plan = PLAN_INIT };
	struct buf digest = BUF_INIT;
	struct tally t;
	struct record r;
	int rc;

	tally_init(&t);
	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_REJECT || r.kind == KIND_FAULT) {
			rc = stream_put(out, r.line, r.len);
		} else if (r.kind == KIND_PERMIT && !in->fault) {
			rc = open_permit(&h, r.doc, plan_read, in->where, d) < 0
			             ? -1
			             : check_digest(&h, &digest, in->where, d);
			if (rc < 0)
				break;
			tally_plan(&t, h.plan.hash);
			rc = keep(permits, &r, &h, d);
		} else if (r.kind != KIND_END && !in->fault) {
			rc = no_permit(&r, in->where, d);
		}
		if (rc < 0)
			break;
	}
	if (rc == 0 && !in->fault) {
		rc = stream_verify_end(in, &t, d);
		if (rc == 0 && digest.len && strcmp(digest.s, in->end_digest) != 0)
			rc = diag_add(d, MIG_INVALID, "foreign_permit", NULL,
			              "the permits belong to another stream of plans");
	}
	tally_release(&t);
	buf_release(&digest);
	holding_release(&h);
	return rc;
}

/* A run: what the workers of a crew have in common. */
struct applying {
	struct store *s;
	const struct apply_ask *ask;
	struct permits *permits;
	struct holding h;
};

static int apply_one(struct applying *a, struct buf *line, size_t first, struct diag *d)
{
	struct apply_ctx ctx = { .grant = &a->h.grant, .now = a->ask->now };
	struct outcome o;

	outcome_init(&o, a->h.plan.nstep);
	int rc = a->s->ops->apply(a->s, &a->h.plan, &ctx, &o, d);

	outcome_write(line, &o, &a->h.plan, a->h.grant.actor, a->h.grant.ticket, d, first);
	outcome_release(&o);
	return rc;
}

/* The next permit of the spool, judged once more: 0, or -1 after a finding. */
static int next_permit(struct applying *a, struct diag *d)
{
	const char *text;
	size_t n;
	int rc = spool_next(a->permits->spool, &text, &n, d);

	if (rc <= 0)
		return rc < 0 ? -1 : diag_add(d, MIG_ERROR, "internal", NULL, "a permit is lost");
	if (doc_parse(&a->h.doc, text, n, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "a permit does not read back: %s", a->h.doc.err.reason);
	return open_permit(&a->h, &a->h.doc, plan_reread, NULL, d); /* from our own spool */
}

/* In a process of a crew. */
static int work(void *arg, const struct crew_job *job, struct buf *line, struct diag *d)
{
	struct applying *a = arg;

	if (spool_seek(a->permits->spool, job->where, d) < 0 || next_permit(a, d) < 0)
		return -1;
	return apply_one(a, line, 0, d);
}

/* One after the other; found: the first finding that belongs into an outcome. */
static int apply_all(struct applying *a, size_t found, struct out *out, struct diag *d)
{
	struct buf line = BUF_INIT;
	int rc = spool_rewind(a->permits->spool, d);

	for (size_t i = 0; i < a->permits->n && rc == 0; i++) {
		if ((rc = next_permit(a, d)) < 0)
			break;
		buf_reset(&line);
		rc = apply_one(a, &line, found, d);
		found = d->n;
		/* the outcome of what is now on disk must not wait in a buffer */
		if (stream_put(out, line.s, line.len) < 0 || out_flush(out) < 0)
			rc = -1;
	}
	buf_release(&line);
	return rc;
}

static int apply_together(struct applying *a, struct out *out, struct diag *d)
{
	struct crew c = {
		.s = a->s,
		.n = a->ask->jobs < a->permits->n ? a->ask->jobs : (unsigned)a->permits->n,
		.job = a->permits->job,
		.njob = a->permits->n,
		.work = work,
		.arg = a,
		.out = out,
	};

	/* what waits in the buffer would be written by each process */
	return spool_rewind(a->permits->spool, d) < 0 || out_flush(out) < 0 ? -1 : crew_run(&c, d);
}

/* Take the lock and see to what killed runs left, in the name of the first permit, or else of who runs this. */
static int prepare(struct applying *a, struct diag *d)
{
	struct grant self = { .actor = { a->ask->actor, a->ask->actor ? strlen(a->ask->actor) : 0 } };
	struct apply_ctx ctx = { .grant = &self, .now = a->ask->now, .recovery = a->ask->recovery };

	if (a->permits->n) {
		if (spool_rewind(a->permits->spool, d) < 0 || next_permit(a, d) < 0)
			return -1;
		ctx.grant = &a->h.grant;
	}
	/* whoever only waits, for input or for the lock, may be ended by a signal */
	if (a->s->ops->lock(a->s, a->ask->lock_timeout, &ctx, d) < 0)
		return -1;
	store_catch_signals();
	return a->s->ops->recover(a->s, &ctx, d);
}

int apply_run(struct store *s, const struct apply_ask *ask, struct spool *spool, struct stream *in, struct out *out,
              struct diag *d)
{
	struct permits permits = { .spool = spool };
	struct applying a = { .s = s, .ask = ask, .permits = &permits, .h = { .doc = DOC_INIT, .plan = PLAN_INIT } };
	int rc = take_in(in, &permits, out, d);
	size_t found = d->n;

	if (rc == 0 && !in->fault && (permits.writes || (ask->recover && !permits.n)))
		rc = prepare(&a, d);
	if (rc == 0 && !in->fault && permits.n) {
		stream_release(in); /* its last record and index are as large as what is read now */
		rc = ask->jobs > 1 && permits.n > 1 ? apply_together(&a, out, d) : apply_all(&a, found, out, d);
	}
	if (rc == 0 && !in->fault)
		rc = stream_put_end(out, "mig-apply", in->end_records, in->end_digest);
	holding_release(&a.h);
	permits_release(&permits);
	return rc;
}
