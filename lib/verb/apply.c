/* apply.c -- see apply.h */
#include "apply.h"

#include "audit.h"
#include "crew.h"
#include "holding.h"
#include "pace.h"
#include "survey.h"
#include "verdicts.h"

#include <stdlib.h>
#include <time.h>

/* What came in: permits in the spool, or verdicts and what came between them, never both. */
struct taken {
	struct spool *spool; /* borrowed */
	const struct apply_ask *ask;
	struct survey survey;
	struct crew_job *job; /* one a permit */
	size_t n, cap;
	bool writes; /* a permit that is no dry run */
	bool verdicts;
	struct buf digest; /* that the grants name */
	struct buf last;   /* the ref of the last step, */
	int order;         /* and where the refs have gone: 1 up, -1 down */
	struct tally tally;
};

static void taken_release(struct taken *t)
{
	tally_release(&t->tally);
	buf_release(&t->digest);
	buf_release(&t->last);
	survey_release(&t->survey);
	free(t->job);
}

static int no_permit(const struct record *r, const char *where, struct diag *d)
{
	if (r->kind != KIND_PLAN)
		return diag_add(d, MIG_USAGE, "unexpected_kind", where, "%s: not a permit",
		                kind_name(r->kind));
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
static bool stands_alone(struct taken *t, const struct plan *p)
{
	if (p->nstep == 0)
		return false;
	struct text first = p->step[0].ref, last = p->step[p->nstep - 1].ref;
	int order = p->rollback_mode ? -1 : 1;
	bool follows = t->n && t->order == order && compare(first, &t->last) * order > 0;

	t->order = order;
	buf_reset(&t->last);
	buf_add(&t->last, last.s, last.n);
	return !follows;
}

static void add_job(struct taken *t, const struct plan *p)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->job = xrealloc(t->job, t->cap, sizeof *t->job);
	}
	t->job[t->n] = (struct crew_job){ .where = t->spool->size, .alone = stands_alone(t, p) };
	t->n++;
}

static int take_permit(struct taken *t, struct holding *h, const struct record *r, const char *where, struct diag *d)
{
	if (t->verdicts)
		return diag_add(d, MIG_USAGE, "unexpected_kind", where, "a permit among verdicts");
	if (holding_take(h, r->doc, where, d) < 0 ||
	    trust_permit(t->ask->trust, &h->grant, &h->plan, r->doc, record_get(r, "grant"), t->ask->now, where, d) <
	            0 ||
	    check_digest(h, &t->digest, where, d) < 0)
		return -1;
	audit_scope(h->grant.env, h->grant.tenant);
	tally_plan(&t->tally, h->plan.hash);
	survey_note(&t->survey, &h->plan);
	add_job(t, &h->plan);
	t->writes = t->writes || !h->grant.dry_run;
	return holding_keep(h, t->spool, r->line, r->len, d);
}

static int take_verdict(struct taken *t, const struct record *r, const char *where, struct diag *d)
{
	char *hash = record_dup(r->doc, record_get(r, "plan_hash"));
	bool ok = !hash || strlen(hash) == HEX_LEN;

	if (t->n)
		diag_add(d, MIG_USAGE, "unexpected_kind", where, "a verdict among permits");
	else if (!ok)
		diag_add(d, MIG_USAGE, "bad_record", where, "plan_hash is not 64 hex digits");
	else if (hash)
		tally_plan(&t->tally, hash);
	free(hash);
	t->verdicts = true;
	return !ok || t->n ? -1 : spool_add(t->spool, r->line, r->len, d);
}

/* Read the stream into the spool; 0 once the end has verified, or there was a fault. */
static int take_in(struct taken *t, struct stream *in, struct out *out, struct diag *d)
{
	struct holding h = HOLDING_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_REJECT || r.kind == KIND_FAULT)
			rc = t->verdicts ? spool_add(t->spool, r.line, r.len, d) : stream_pass(in, &r, out, d);
		else if (r.kind == KIND_VERDICT)
			rc = take_verdict(t, &r, in->where, d);
		else if (r.kind == KIND_PERMIT && !in->fault)
			rc = take_permit(t, &h, &r, in->where, d);
		else if (r.kind != KIND_END && !in->fault)
			rc = no_permit(&r, in->where, d);
		if (rc < 0)
			break;
	}
	if (rc == 0 && !in->fault) {
		rc = stream_verify_end(in, &t->tally, d);
		if (rc == 0 && t->digest.len && strcmp(t->digest.s, in->end_digest) != 0)
			rc = diag_add(d, MIG_INVALID, "foreign_permit", NULL,
			              "the permits belong to another stream of plans");
	}
	holding_release(&h);
	return rc;
}

/* A run: what the workers of a crew have in common. */
struct applying {
	struct store *s;
	const struct apply_ask *ask;
	struct taken *t;
	struct holding h;
};

/* The next permit of the spool, judged once more: 0, or -1 after a finding. */
static int next_permit(struct applying *a, struct diag *d)
{
	int rc = holding_next(&a->h, a->t->spool, d);

	return rc == 0 ? diag_add(d, MIG_ERROR, "internal", NULL, "a permit is lost") : rc < 0 ? -1 : 0;
}

static void write_outcome(struct buf *line, const struct holding *h, const struct outcome *o, const struct diag *d,
                          size_t first)
{
	outcome_write(line, o, &h->plan, h->grant.actor, h->grant.ticket, d, first);
}

/* The outcome of what is now on disk must not wait in a buffer. */
static int put_outcome(struct out *out, const struct buf *line)
{
	return stream_put(out, line->s, line->len) < 0 || out_flush(out) < 0 ? -1 : 0;
}

/* Do the plan that was read, which is number place (from 0). */
static int apply_one(struct applying *a, size_t place, struct buf *line, size_t first, struct diag *d)
{
	struct apply_ctx c = {
		.grant = &a->h.grant,
		.now = a->ask->now,
		.retries = (unsigned)a->ask->retries,
		.batch_delay = a->ask->batch_delay,
	};
	struct outcome o;

	survey_context(&a->t->survey, (uint32_t)place, &c);
	outcome_init(&o, a->h.plan.nstep);
	int rc = a->s->ops->apply(a->s, &a->h.plan, &c, &o, d);

	write_outcome(line, &a->h, &o, d, first);
	outcome_release(&o);
	return rc;
}

/* In a process of a crew. */
static int work(void *arg, const struct crew_job *job, struct buf *line, struct diag *d)
{
	struct applying *a = arg;

	if (spool_seek(a->t->spool, job->where, d) < 0 || next_permit(a, d) < 0)
		return -1;
	return apply_one(a, (size_t)(job - a->t->job), line, 0, d);
}

/* One after the other; found: the first finding that belongs into an outcome. */
static int apply_all(struct applying *a, size_t found, struct out *out, struct diag *d)
{
	struct buf line = BUF_INIT;
	int rc = spool_rewind(a->t->spool, d);

	for (size_t i = 0; i < a->t->n && rc == 0; i++) {
		if ((rc = next_permit(a, d)) < 0)
			break;
		buf_reset(&line);
		rc = apply_one(a, i, &line, found, d);
		found = d->n;
		if (put_outcome(out, &line) < 0)
			rc = -1;
	}
	buf_release(&line);
	return rc;
}

/* No more than there are plans. */
static unsigned processes(const struct applying *a)
{
	return (unsigned)((size_t)a->ask->jobs < a->t->n ? (size_t)a->ask->jobs : a->t->n);
}

static int apply_together(struct applying *a, struct out *out, struct diag *d)
{
	struct crew c = {
		.s = a->s,
		.n = processes(a),
		.job = a->t->job,
		.njob = a->t->n,
		.work = work,
		.arg = a,
		.out = out,
	};

	/* what waits in the buffer would be written by each process */
	return spool_rewind(a->t->spool, d) < 0 || out_flush(out) < 0 ? -1 : crew_run(&c, d);
}

/* Take the lock and see to what killed runs left, in the name of the first permit, or else of who runs this. */
static int prepare(struct applying *a, struct diag *d)
{
	struct grant self = { .actor = { a->ask->actor, a->ask->actor ? strlen(a->ask->actor) : 0 } };
	struct apply_ctx c = {
		.grant = &self,
		.now = a->ask->now,
		.recovery = a->ask->recovery,
		.retries = (unsigned)a->ask->retries,
		.batch_delay = a->ask->batch_delay,
	};

	if (a->t->n) {
		if (spool_rewind(a->t->spool, d) < 0 || next_permit(a, d) < 0)
			return -1;
		c.grant = &a->h.grant;
	}
	/* whoever only waits, for input or for the lock, may be ended by a signal */
	if (a->s->ops->lock(a->s, (unsigned)a->ask->lock_timeout, &c, d) < 0)
		return -1;
	store_catch_signals();
	if (a->s->ops->recover(a->s, &c, d) < 0)
		return -1;
	return trust_begin(a->ask->trust, a->s, a->ask->now, d);
}

/* What is known of the whole stream before its first write. */
static int foresee(struct applying *a, struct out *out, struct diag *d)
{
	const struct survey *v = &a->t->survey;
	struct buf line = BUF_INIT;
	struct outcome o = { .n = 0 };
	size_t first = d->n;
	int rc = a->ask->deadline ? pace_deadline(a->s, (int64_t)v->steps, processes(a), a->ask->deadline, d) : 0;

	if (rc == 0 && (rc = survey_check(v, a->s, a->t->spool, a->ask->now, &a->h, &o, d)) < 0 && o.n) {
		write_outcome(&line, &a->h, &o, d, first);
		put_outcome(out, &line);
	}
	outcome_release(&o);
	buf_release(&line);
	return rc;
}

static int64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* All is done, but not when it had to be. */
static int missed(const struct apply_ask *ask, int64_t took, struct diag *d)
{
	return diag_add(d, MIG_ERROR, "deadline_missed", NULL,
	                "everything is done, but it took %lld s, %lld were allowed", (long long)took,
	                (long long)ask->deadline);
}

/* From the lock to the last outcome. */
static int carry_out(struct applying *a, struct out *out, struct diag *d)
{
	struct taken *t = a->t;
	int64_t start = now_s();
	size_t found = d->n;

	if (survey_restores(&t->survey, t->spool, d) < 0 || ((t->writes || !t->n) && prepare(a, d) < 0) ||
	    (t->writes && foresee(a, out, d) < 0))
		return -1;
	int rc = processes(a) > 1 ? apply_together(a, out, d) : apply_all(a, found, out, d);
	int64_t took = now_s() - start;

	return rc == 0 && t->writes && a->ask->deadline && took > a->ask->deadline ? missed(a->ask, took, d) : rc;
}

/* Also the verdicts before a fault: that one did not hold is what is to be remembered. */
static int write_down(struct store *s, const struct apply_ask *ask, struct spool *verdicts, struct out *out,
                      struct diag *d)
{
	int rc = verdicts_record(s, ask->actor, ask->now, (unsigned)ask->lock_timeout, verdicts, d);

	return verdicts_forward(verdicts, out, d) < 0 ? -1 : rc;
}

int apply_run(struct store *s, const struct apply_ask *ask, struct spool *spool, struct stream *in, struct out *out,
              struct diag *d)
{
	struct taken t = { .spool = spool, .ask = ask, .survey = SURVEY_INIT };
	struct applying a = { .s = s, .ask = ask, .t = &t, .h = HOLDING_INIT };

	tally_init(&t.tally);
	int rc = trust_store(ask->trust, s, d);

	if (rc == 0)
		rc = take_in(&t, in, out, d);

	if (rc == 0 && t.verdicts) {
		rc = write_down(s, ask, spool, out, d);
	} else if (rc == 0 && !in->fault && (t.n || ask->recover)) {
		stream_release(in); /* its last record and index are as large as what is read now */
		rc = carry_out(&a, out, d);
	}
	if (rc == 0 && !in->fault)
		rc = stream_put_end(out, "mig-apply", in->end_records, in->end_digest);
	holding_release(&a.h);
	taken_release(&t);
	return rc;
}
