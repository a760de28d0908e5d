/* gate.c -- see gate.h */
#include "gate.h"

#include "plan.h"
#include "rules.h"

#include <stdlib.h>
#include <sys/random.h>

/* ---- what is read before the plans ---- */

/* 32 random hex digits. */
static int make_nonce(char nonce[33], struct diag *d)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return diag_add(d, MIG_ERROR, "no_random", NULL, "no random bytes for the nonce");
	for (size_t i = 0; i < sizeof bytes; i++) {
		nonce[2 * i] = digits[bytes[i] >> 4];
		nonce[2 * i + 1] = digits[bytes[i] & 15];
	}
	nonce[32] = '\0';
	return 0;
}

static int read_key(struct gate *g, const struct gate_ask *ask, struct diag *d)
{
	if (!ask->sign)
		return 0;
	if (!(g->key = key_read(ask->sign, true, d)))
		return -1;
	g->grant.key_id = text_cstr(ask->key_name ? ask->key_name : key_id(g->key));
	return 0;
}

static int read_approvals(struct gate *g, const struct gate_ask *ask, struct diag *d)
{
	struct keyring ring = KEYRING_INIT;
	int rc = keyring_read(&ring, ask->trust, d);

	if (rc == 0)
		rc = approvals_read(&g->approvals, ask->approvals, &ring, d);
	if (rc == 0)
		rc = phasing_read(&g->phasing, ask->phases, ask->evidence, ask->confirmed, &ring, d);
	keyring_release(&ring);
	if (rc < 0 || !g->approvals.n)
		return rc;
	approvals_json(&g->approvals, &g->approved);
	g->grant.approvals = (struct text){ g->approved.s, g->approved.len };
	g->grant.napproval = approvals_count(&g->approvals);
	return 0;
}

int gate_open(struct gate *g, const struct gate_ask *ask, struct diag *d)
{
	int rc;

	*g = (struct gate){ .grant = gate_ask_grant(ask),
		            .needed = ask->needed == GATE_ANY ? 0 : (size_t)ask->needed,
		            .policies = POLICIES_INIT,
		            .phasing = PHASING_INIT };
	rc = make_nonce(g->nonce, d);
	g->grant.nonce = text_cstr(g->nonce);
	if (!moment_read(g->grant.issued_at, &g->now))
		rc = diag_add(d, MIG_USAGE, "bad_time", NULL, "the time of the permits is none");
	if (ask->ttl != GATE_ANY) {
		moment_write(g->now.seconds + ask->ttl, g->expires);
		g->grant.expires_at = text_cstr(g->expires);
	}
	if (read_key(g, ask, d) < 0 || read_approvals(g, ask, d) < 0)
		rc = -1;
	if (policies_read(&g->policies, ask->policies, d) < 0)
		rc = -1;
	if (ask->rehearsed && rehearsals_read(&g->rehearsals, ask->rehearsed, d) < 0)
		rc = -1;
	if (g->policies.n)
		g->grant.policy_hash = text_cstr(g->policies.hash);
	if (ask->bundle && bundle_check(&g->bundle, ask->bundle, d) < 0)
		rc = -1;
	if (ask->bundle)
		g->grant.bundle_hash = text_cstr(g->bundle.hash);
	return rc;
}

void gate_close(struct gate *g)
{
	key_free(g->key);
	approvals_release(&g->approvals);
	policies_release(&g->policies);
	rehearsals_release(&g->rehearsals);
	phasing_release(&g->phasing);
	buf_release(&g->approved);
	free(g->hash);
}

/* ---- judging ---- */

/* Rules are judged per plan; the same refusal of 200 parts is said once. */
static void forget_repeated(struct diag *d, size_t first)
{
	struct diag seen = { .list = d->list, .n = first };
	struct diag keep = DIAG_INIT;

	for (size_t i = first; i < d->n; i++) {
		bool known = false;

		for (size_t k = 0; k < seen.n && !known; k++)
			known = strcmp(seen.list[k].rule, d->list[i].rule) == 0 &&
			        !seen.list[k].where == !d->list[i].where &&
			        strcmp(seen.list[k].message, d->list[i].message) == 0;
		if (!known)
			diag_add(&keep, d->list[i].exit, d->list[i].rule, d->list[i].where, "%s", d->list[i].message);
	}
	diag_truncate(d, first);
	for (size_t i = 0; i < keep.n; i++)
		diag_add(d, keep.list[i].exit, keep.list[i].rule, keep.list[i].where, "%s", keep.list[i].message);
	diag_release(&keep);
}

static void keep_hash(struct gate *g, const char hash[HEX_SIZE])
{
	if (g->nhash == g->hashcap) {
		g->hashcap = g->hashcap ? g->hashcap * 2 : 16;
		g->hash = xrealloc(g->hash, g->hashcap, sizeof *g->hash);
	}
	memcpy(g->hash[g->nhash++], hash, HEX_SIZE);
}

static int judge(struct gate *g, const struct record *r, struct plan *p, struct tally *t, const char *where,
                 struct diag *d)
{
	size_t first = d->n;

	if (plan_read(p, r->doc, 0, where, d) < 0)
		return -1;
	tally_plan(t, p->hash);
	if (g->key)
		keep_hash(g, p->hash);
	/* what it finds is in the grant that the rules then see */
	phasing_judge(&g->phasing, p, &g->grant, g->now, d);
	rules_check(p, &g->grant, d);
	rehearsals_check(&g->rehearsals, p, d);
	if (rules_review(p, &g->grant, d))
		g->review = true;
	if (d->n > first)
		forget_repeated(d, first);
	return 0;
}

/* Read and judge everything; the plans go to the spool, rejects and faults pass. */
static int take_in(struct gate *g, struct stream *in, struct spool *plans, struct tally *t, struct out *out,
                   struct diag *d)
{
	struct plan p = PLAN_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, d)) > 0) {
		if (r.kind == KIND_REJECT || r.kind == KIND_FAULT)
			rc = stream_pass(in, &r, out, d);
		else if (r.kind == KIND_PLAN && !in->fault)
			rc = judge(g, &r, &p, t, in->where, d) < 0 ? -1 : spool_add(plans, r.line, r.len, d);
		else if (r.kind != KIND_END && !in->fault)
			rc = diag_add(d, MIG_USAGE, "unexpected_kind", in->where, "%s: not a plan",
			              kind_name(r.kind));
		if (rc < 0)
			break;
	}
	plan_release(&p);
	return rc;
}

struct asking {
	struct gate *g;
	struct diag *d;
};

static void take_verdict(void *arg, enum severity s, const char *path, const char *rule_id, const char *message)
{
	struct asking *a = arg;

	if (s == POLICY_DENY) {
		diag_add(a->d, MIG_UNSAFE, rule_id, path, "%s", message);
	} else if (s == POLICY_REVIEW) {
		a->g->review = true;
		diag_warn(a->d, rule_id, path, "review: %s", message);
	} else {
		diag_warn(a->d, rule_id, path, "%s", message);
	}
}

/* The policies see every plan once the whole stream is known to be good, with the grant that it would get. */
static int ask_policies(struct gate *g, struct spool *plans, struct out *out, struct diag *d)
{
	struct asking a = { g, d };
	struct buf grant = BUF_INIT;
	const char *plan;
	size_t n;
	int rc;

	if (!g->policies.n)
		return 0;
	if (out_flush(out) < 0)
		return -1;
	grant_write(&grant, &g->grant, rules_passed, strlen(rules_passed));
	policies_guard(out->fd, "mig-gate");
	rc = spool_rewind(plans, d);
	while (rc >= 0 && (rc = spool_next(plans, &plan, &n, d)) > 0) {
		size_t first = d->n;

		rc = policies_ask(&g->policies, &grant, plan, n, take_verdict, &a, d);
		forget_repeated(d, first);
	}
	buf_release(&grant);
	return rc;
}

/* Are the plans those that the bundle holds?  A bundle of kind pr holds none. */
static int check_bundle(const struct gate *g, struct diag *d)
{
	if (!g->bundle.digest[0] || text_is(g->grant.digest, g->bundle.digest))
		return 0;
	return diag_add(d, MIG_INVALID, "bundle_plan", NULL,
	                "the plans are not those of the bundle: their digest is %.*s, not %s", (int)g->grant.digest.n,
	                g->grant.digest.s, g->bundle.digest);
}

/* All that is asked once, of the whole stream. */
static int judge_all(struct gate *g, struct spool *plans, struct out *out, struct diag *d)
{
	char env[16] = "";

	if (check_bundle(g, d) < 0)
		return -1;
	if (plans->n == 0) /* nothing to change, nothing to approve */
		return diag_exit(d) == MIG_OK ? 0 : -1;
	if (g->grant.env.n < sizeof env)
		memcpy(env, g->grant.env.s, g->grant.env.n);
	approvals_check(&g->approvals, g->grant.digest.s, env, g->now, d);
	if (ask_policies(g, plans, out, d) < 0)
		return -1;
	if (g->review)
		rules_approval(&g->grant, g->needed, d);
	return diag_exit(d) == MIG_OK ? 0 : -1;
}

static int put_permits(struct gate *g, struct spool *plans, struct out *out, struct diag *d)
{
	const size_t nrules = strlen(rules_passed);
	struct buf grant = BUF_INIT;
	char signature[SIGNATURE_SIZE];
	const char *plan;
	size_t n;
	int rc = spool_rewind(plans, d);

	for (size_t i = 0; rc >= 0 && (rc = spool_next(plans, &plan, &n, d)) > 0; i++) {
		if (g->key) {
			grant_sign(&g->grant, rules_passed, nrules, g->hash[i], g->key, signature);
			g->grant.signature = (struct text){ signature, SIGNATURE_LEN };
		}
		buf_reset(&grant);
		grant_write(&grant, &g->grant, rules_passed, nrules);
		out_write(out, "{\"grant\":", 9);
		out_write(out, grant.s, grant.len);
		out_write(out, ",\"kind\":\"permit\",\"plan\":", 24);
		out_write(out, plan, n);
		rc = stream_put(out, "}", 1);
	}
	g->grant.signature.s = NULL;
	buf_release(&grant);
	return rc;
}

int gate_run(struct gate *g, struct spool *plans, struct stream *in, struct out *out, struct diag *d)
{
	struct tally t;

	tally_init(&t);
	int rc = take_in(g, in, plans, &t, out, d);
	uint64_t n = t.n;

	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &t, d)) == 0) {
		g->grant.digest = (struct text){ in->end_digest, HEX_LEN };
		if ((rc = judge_all(g, plans, out, d)) == 0 && (rc = put_permits(g, plans, out, d)) >= 0)
			rc = stream_put_end(out, "mig-gate", n, in->end_digest);
	}
	tally_release(&t);
	return rc;
}
