/* apply.c -- see apply.h */
#include "apply.h"

#include "holding.h"
#include "pace.h"
#include "survey.h"
#include "verdicts.h"

#include <stdlib.h>
#include <time.h>

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

/* What came in: permits in the spool, or verdicts and what came between them, never both. */
struct taken {
	struct spool *spool;
	const struct apply_ask *ask;
	struct survey survey;
	bool writes; /* a permit that is no dry run */
	bool verdicts;
	struct buf digest; /* that the grants name */
	struct tally tally;
};

static int take_permit(struct taken *t, struct holding *h, const struct record *r, const char *where, struct diag *d)
{
	if (t->verdicts)
		return diag_add(d, MIG_USAGE, "unexpected_kind", where, "a permit among verdicts");
	if (holding_take(h, r->doc, where, d) < 0 ||
	    trust_permit(t->ask->trust, &h->grant, &h->plan, r->doc, record_get(r, "grant"), t->ask->now, where, d) <
	            0 ||
	    check_digest(h, &t->digest, where, d) < 0)
		return -1;
	tally_plan(&t->tally, h->plan.hash);
	survey_note(&t->survey, &h->plan);
	t->writes = t->writes || !h->grant.dry_run;
	return spool_add(t->spool, r->line, r->len, d);
}

static int take_verdict(struct taken *t, const struct record *r, const char *where, struct diag *d)
{
	char *hash = record_dup(r->doc, record_get(r, "plan_hash"));
	bool ok = !hash || strlen(hash) == HEX_LEN;

	if (t->survey.plans)
		diag_add(d, MIG_USAGE, "unexpected_kind", where, "a verdict among permits");
	else if (!ok)
		diag_add(d, MIG_USAGE, "bad_record", where, "plan_hash is not 64 hex digits");
	else if (hash)
		tally_plan(&t->tally, hash);
	free(hash);
	t->verdicts = true;
	return !ok || t->survey.plans ? -1 : spool_add(t->spool, r->line, r->len, d);
}

/* Read the stream into the spool; 0 once the end has verified, or there was a fault. */
static int take_in(struct taken *t, struct stream *in, struct out *out, struct diag *d)
{
	struct holding h = HOLDING_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_REJECT || r.kind == KIND_FAULT)
			rc = t->verdicts ? spool_add(t->spool, r.line, r.len, d) : stream_put(out, r.line, r.len);
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

static int put_outcome(const struct holding *h, const struct outcome *o, struct out *out, const struct diag *d,
                       size_t first)
{
	struct buf line = BUF_INIT;

	outcome_write(&line, o, &h->plan, h->grant.actor, h->grant.ticket, d, first);
	/* the outcome of what is now on disk must not wait in a buffer */
	int rc = stream_put(out, line.s, line.len) < 0 || out_flush(out) < 0 ? -1 : 0;

	buf_release(&line);
	return rc;
}

static int apply_one(struct store *s, const struct holding *h, const struct apply_ctx *c, struct out *out,
                     struct diag *d)
{
	struct outcome o;
	size_t first = d->n;

	outcome_init(&o, h->plan.nstep);
	int rc = s->ops->apply(s, &h->plan, c, &o, d);

	if (put_outcome(h, &o, out, d, first) < 0)
		rc = -1;
	outcome_release(&o);
	return rc;
}

/* Lock the store in the name of the first permit's actor, and repair what a killed run left there. */
static int prepare(struct store *s, const struct apply_ask *ask, struct spool *permits, struct diag *d)
{
	struct holding h = HOLDING_INIT;
	struct apply_ctx c = { .grant = &h.grant, .now = ask->now };
	int rc = spool_rewind(permits, d) < 0 || holding_next(&h, permits, d) < 0 ? -1 : 0;

	/* whoever only waits, for input or for the lock, may be ended by a signal */
	if (rc == 0 && (rc = s->ops->lock(s, ask->lock_timeout, &c, d)) == 0) {
		store_catch_signals();
		if ((rc = s->ops->recover(s, &c, d)) == 0)
			rc = trust_begin(ask->trust, s, ask->now, d);
	}
	holding_release(&h);
	return rc;
}

/* What is known of the whole stream before its first write. */
static int foresee(struct store *s, const struct apply_ask *ask, const struct survey *v, struct spool *permits,
                   struct out *out, struct diag *d)
{
	struct holding failed = HOLDING_INIT;
	struct outcome o = { .n = 0 };
	size_t first = d->n;
	int rc = ask->deadline ? pace_deadline(s, (int64_t)v->steps, ask->deadline, d) : 0;

	if (rc == 0 && (rc = survey_check(v, s, permits, ask->now, &failed, &o, d)) < 0 && o.n)
		put_outcome(&failed, &o, out, d, first);
	outcome_release(&o);
	holding_release(&failed);
	return rc;
}

static int apply_all(struct store *s, const struct apply_ask *ask, const struct survey *v, struct spool *permits,
                     struct out *out, struct diag *d)
{
	struct holding h = HOLDING_INIT;
	uint32_t place = 0;
	int rc = spool_rewind(permits, d);

	while (rc >= 0 && (rc = holding_next(&h, permits, d)) > 0) {
		struct apply_ctx c = { .grant = &h.grant, .now = ask->now };

		survey_context(v, place++, &c);
		rc = apply_one(s, &h, &c, out, d);
	}
	holding_release(&h);
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

static int work(struct store *s, const struct apply_ask *ask, struct survey *v, struct spool *permits, bool writes,
                struct out *out, struct diag *d)
{
	int64_t start = now_s();

	if (survey_restores(v, permits, d) < 0 ||
	    (writes && (prepare(s, ask, permits, d) < 0 || foresee(s, ask, v, permits, out, d) < 0)) ||
	    apply_all(s, ask, v, permits, out, d) < 0)
		return -1;
	int64_t took = now_s() - start;

	return writes && ask->deadline && took > ask->deadline ? missed(ask, took, d) : 0;
}

/* Also the verdicts before a fault: that one did not hold is what is to be remembered. */
static int write_down(struct store *s, const struct apply_ask *ask, struct spool *verdicts, struct out *out,
                      struct diag *d)
{
	int rc = verdicts_record(s, ask->actor, ask->now, ask->lock_timeout, verdicts, d);

	return verdicts_forward(verdicts, out, d) < 0 ? -1 : rc;
}

int apply_run(struct store *s, const struct apply_ask *ask, struct spool *spool, struct stream *in, struct out *out,
              struct diag *d)
{
	struct taken t = { .spool = spool, .ask = ask, .survey = SURVEY_INIT };

	tally_init(&t.tally);
	int rc = trust_store(ask->trust, s, d);

	if (rc == 0)
		rc = take_in(&t, in, out, d);

	if (rc == 0 && t.verdicts) {
		rc = write_down(s, ask, spool, out, d);
	} else if (rc == 0 && !in->fault && spool->n) {
		stream_release(in); /* its last record and index are as large as what is read now */
		rc = work(s, ask, &t.survey, spool, t.writes, out, d);
	}
	if (rc == 0 && !in->fault)
		rc = stream_put_end(out, "mig-apply", in->end_records, in->end_digest);
	tally_release(&t.tally);
	buf_release(&t.digest);
	survey_release(&t.survey);
	return rc;
}
