/* apply.c -- see apply.h */
#include "apply.h"

#include "rules.h"

/* A permit's parts, in room that is used again. */
struct holding {
	struct doc doc;
	struct grant grant;
	struct buf arena;
	struct plan plan;
};

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
	if (rules_check(&h->plan, &h->grant, d) < 0)
		return -1;
	/* what a policy put into review the signature must vouch for */
	return rules_review(&h->plan) ? rules_approval(&h->grant, 0, d) : 0;
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

/* A permit that has just come in: judged, believed, and of this stream. */
static int accept(struct holding *h, const struct apply_ask *ask, const struct record *r, struct buf *digest,
                  const char *where, struct diag *d)
{
	if (open_permit(h, r->doc, plan_read, where, d) < 0 ||
	    trust_permit(ask->trust, &h->grant, &h->plan, r->doc, record_get(r, "grant"), ask->now, where, d) < 0)
		return -1;
	return check_digest(h, digest, where, d);
}

/* Read all permits into the spool; 0 once the end has verified, or there was a fault. */
static int take_in(struct stream *in, const struct apply_ask *ask, struct spool *permits, struct out *out, bool *writes,
                   struct diag *d)
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
			if ((rc = accept(&h, ask, &r, &digest, in->where, d)) < 0)
				break;
			tally_plan(&t, h.plan.hash);
			*writes = *writes || !h.grant.dry_run;
			rc = spool_add(permits, r.line, r.len, d);
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

static int apply_one(struct store *s, const struct apply_ask *ask, struct holding *h, struct out *out, struct buf *line,
                     struct diag *d)
{
	struct apply_ctx ctx = { .grant = &h->grant, .now = ask->now };
	struct outcome o;
	size_t first = d->n;
	int rc;

	outcome_init(&o, h->plan.nstep);
	rc = s->ops->apply(s, &h->plan, &ctx, &o, d);
	buf_reset(line);
	outcome_write(line, &o, &h->plan, h->grant.actor, h->grant.ticket, d, first);
	outcome_release(&o);
	/* the outcome of what is now on disk must not wait in a buffer */
	if (stream_put(out, line->s, line->len) < 0 || out_flush(out) < 0)
		return -1;
	return rc;
}

static int apply_all(struct store *s, const struct apply_ask *ask, struct spool *permits, bool writes, struct out *out,
                     struct diag *d)
{
	struct holding h = { .doc = DOC_INIT, .plan = PLAN_INIT };
	struct buf line = BUF_INIT;
	bool first = true;
	const char *text;
	size_t n;
	int rc = spool_rewind(permits, d);

	while (rc >= 0 && (rc = spool_next(permits, &text, &n, d)) > 0) {
		struct apply_ctx ctx = { .grant = &h.grant, .now = ask->now };

		if (doc_parse(&h.doc, text, n, RECORD_MAX_DEPTH) < 0)
			rc = diag_add(d, MIG_ERROR, "internal", NULL, "a permit does not read back: %s",
			              h.doc.err.reason);
		else
			rc = open_permit(&h, &h.doc, plan_reread, NULL, d); /* from our own spool */
		/* whoever only waits, for input or for the lock, may be ended by a signal */
		if (rc == 0 && first && writes && (rc = s->ops->lock(s, ask->lock_timeout, &ctx, d)) == 0) {
			store_catch_signals();
			if ((rc = s->ops->recover(s, &ctx, d)) == 0)
				rc = trust_begin(ask->trust, s, ask->now, d);
		}
		if (rc < 0)
			break;
		first = false;
		if (rc == 0)
			rc = apply_one(s, ask, &h, out, &line, d);
		if (rc < 0)
			break;
	}
	buf_release(&line);
	holding_release(&h);
	return rc;
}

int apply_run(struct store *s, const struct apply_ask *ask, struct spool *permits, struct stream *in, struct out *out,
              struct diag *d)
{
	bool writes = false;
	int rc = trust_store(ask->trust, s, d);

	if (rc == 0)
		rc = take_in(in, ask, permits, out, &writes, d);

	if (rc == 0 && !in->fault && permits->n)
		rc = apply_all(s, ask, permits, writes, out, d);
	if (rc == 0 && !in->fault)
		rc = stream_put_end(out, "mig-apply", in->end_records, in->end_digest);
	return rc;
}
