/* permit.c -- see permit.h */
#include "permit.h"

/* In canonical order. */
enum {
	G_ACTOR,
	G_DESTRUCTIVE,
	G_APPLY,
	G_APPROVALS,
	G_BUNDLE,
	G_DIGEST,
	G_DRY_RUN,
	G_ENV,
	G_EXPIRES,
	G_ISSUED,
	G_KEY_ID,
	G_NONCE,
	G_PHASE,
	G_POLICY,
	G_RULES,
	G_SCOPE,
	G_SIGNATURE,
	G_TICKET,
	G_WAIVERS,
	G_N
};

static const struct member grant_members[] = { { "actor", IS_STR },
	                                       { "allow_destructive", IS_BOOL },
	                                       { "apply", IS_BOOL },
	                                       { "approvals", IS_ARR | MAY_LACK },
	                                       { "bundle_hash", IS_STR | MAY_LACK },
	                                       { "digest", IS_STR },
	                                       { "dry_run", IS_BOOL },
	                                       { "env", IS_STR },
	                                       { "expires_at", IS_STR | MAY_LACK },
	                                       { "issued_at", IS_STR },
	                                       { "key_id", IS_STR | MAY_LACK },
	                                       { "nonce", IS_STR },
	                                       { "phase", IS_OBJ | MAY_LACK },
	                                       { "policy_hash", IS_STR | MAY_LACK },
	                                       { "rules", IS_ARR },
	                                       { "scope", IS_OBJ },
	                                       { "signature", IS_STR | MAY_LACK },
	                                       { "ticket", IS_STR | MAY_LACK },
	                                       { "waivers", IS_ARR | MAY_LACK },
	                                       { NULL, 0 } };
static const struct member scope_members[] = { { "project", IS_STR | MAY_LACK },
	                                       { "tenant", IS_STR | MAY_LACK },
	                                       { NULL, 0 } };
static const struct member approval_members[] = {
	{ "approver", IS_STR }, { "key_id", IS_STR }, { "ticket", IS_STR }, { NULL, 0 }
};

static int check_approvals(const struct doc *d, uint32_t t, const char *where, struct diag *diag)
{
	if (t == DOC_NONE)
		return 0;
	for (uint32_t e = t + 1; e < d->tok[t].next; e = d->tok[e].next)
		if (shape_check(d, e, approval_members, NULL, "approval", where, diag) < 0)
			return -1;
	return 0;
}

static const struct member waiver_members[] = { { "reason", IS_STR }, { "rule_id", IS_STR }, { NULL, 0 } };

static int check_waivers(const struct doc *d, uint32_t t, const char *where, struct diag *diag)
{
	if (t == DOC_NONE)
		return 0;
	for (uint32_t e = t + 1; e < d->tok[t].next; e = d->tok[e].next)
		if (shape_check(d, e, waiver_members, NULL, "waiver", where, diag) < 0)
			return -1;
	return 0;
}

static const struct member phase_members[] = {
	{ "id", IS_STR }, { "strategy", IS_STR }, { "verified", IS_ARR }, { NULL, 0 }
};

static struct text text_of(const struct doc *d, uint32_t t, struct buf *arena)
{
	return t == DOC_NONE ? (struct text){ NULL, 0 } : record_text(d, t, arena);
}

static bool is_true(const struct doc *d, uint32_t t)
{
	return d->tok[t].type == DOC_TRUE;
}

int grant_read(struct grant *g, const struct doc *d, uint32_t t, struct buf *arena, const char *where,
               struct diag *diag)
{
	uint32_t m[G_N], s[3];

	if (shape_check(d, t, grant_members, m, "grant", where, diag) < 0 ||
	    shape_check(d, m[G_SCOPE], scope_members, s, "scope", where, diag) < 0 ||
	    check_approvals(d, m[G_APPROVALS], where, diag) < 0 || check_waivers(d, m[G_WAIVERS], where, diag) < 0)
		return -1;
	/* no text is longer than the record, so the arena does not move while they are decoded */
	buf_reset(arena);
	buf_reserve(arena, d->tok[t].len);

	*g = (struct grant){
		.actor = record_text(d, m[G_ACTOR], arena),
		.allow_destructive = is_true(d, m[G_DESTRUCTIVE]),
		.apply = is_true(d, m[G_APPLY]),
		.bundle_hash = text_of(d, m[G_BUNDLE], arena),
		.digest = record_text(d, m[G_DIGEST], arena),
		.dry_run = is_true(d, m[G_DRY_RUN]),
		.env = record_text(d, m[G_ENV], arena),
		.expires_at = text_of(d, m[G_EXPIRES], arena),
		.issued_at = record_text(d, m[G_ISSUED], arena),
		.key_id = text_of(d, m[G_KEY_ID], arena),
		.nonce = record_text(d, m[G_NONCE], arena),
		.policy_hash = text_of(d, m[G_POLICY], arena),
		.rules = m[G_RULES],
		.project = text_of(d, s[0], arena),
		.tenant = text_of(d, s[1], arena),
		.signature = text_of(d, m[G_SIGNATURE], arena),
		.ticket = text_of(d, m[G_TICKET], arena),
	};
	if (m[G_APPROVALS]) {
		g->approvals.s = doc_span(d, m[G_APPROVALS], &g->approvals.n);
		g->napproval = d->tok[m[G_APPROVALS]].n;
	}
	if (m[G_PHASE]) {
		if (shape_check(d, m[G_PHASE], phase_members, s, "phase", where, diag) < 0)
			return -1;
		g->phase.s = doc_span(d, m[G_PHASE], &g->phase.n);
		g->phase_id = record_text(d, s[0], arena);
		g->phase_strategy = record_text(d, s[1], arena);
	}
	if (m[G_WAIVERS])
		g->waivers.s = doc_span(d, m[G_WAIVERS], &g->waivers.n);
	return 0;
}

bool grant_waives(const struct grant *g, struct text rule)
{
	return !sqlrule_destroys(rule) && waivers_hold(g->waivers, rule);
}

static void write_given(struct rec *w, const char *name, struct text t)
{
	if (t.s)
		rec_str(w, name, t);
}

void grant_write(struct buf *out, const struct grant *g, const char *rules, size_t n)
{
	struct rec w, scope;

	rec_open(&w, out);
	rec_str(&w, "actor", g->actor);
	rec_bool(&w, "allow_destructive", g->allow_destructive);
	rec_bool(&w, "apply", g->apply);
	if (g->approvals.s)
		rec_raw(&w, "approvals", g->approvals.s, g->approvals.n);
	write_given(&w, "bundle_hash", g->bundle_hash);
	rec_str(&w, "digest", g->digest);
	rec_bool(&w, "dry_run", g->dry_run);
	rec_str(&w, "env", g->env);
	write_given(&w, "expires_at", g->expires_at);
	rec_str(&w, "issued_at", g->issued_at);
	write_given(&w, "key_id", g->key_id);
	rec_str(&w, "nonce", g->nonce);
	if (g->phase.s)
		rec_raw(&w, "phase", g->phase.s, g->phase.n);
	write_given(&w, "policy_hash", g->policy_hash);
	rec_raw(&w, "rules", rules, n);
	rec_name(&w, "scope");
	rec_open(&scope, out);
	write_given(&scope, "project", g->project);
	write_given(&scope, "tenant", g->tenant);
	rec_close(&scope);
	write_given(&w, "signature", g->signature);
	write_given(&w, "ticket", g->ticket);
	if (g->waivers.s)
		rec_raw(&w, "waivers", g->waivers.s, g->waivers.n);
	rec_close(&w);
}

static void begin_signed(struct buf *b, const char *plan_hash)
{
	buf_addf(b, "mig-permit-v1\n%.64s\n", plan_hash);
}

void grant_sign(const struct grant *g, const char *rules, size_t n, const char *plan_hash, const struct key *k,
                char signature[SIGNATURE_SIZE])
{
	struct grant bare = *g;
	struct buf b = BUF_INIT;

	bare.signature.s = NULL;
	begin_signed(&b, plan_hash);
	grant_write(&b, &bare, rules, n);
	key_sign(k, b.s, b.len, signature);
	buf_release(&b);
}

const struct key *grant_signer(const struct grant *g, const struct doc *d, uint32_t t, const char *plan_hash,
                               const struct keyring *ring)
{
	struct buf b = BUF_INIT;

	begin_signed(&b, plan_hash);
	canon_value(&b, d, t, doc_member(d, t, "signature", 9));
	const struct key *k = keyring_find(ring, b.s, b.len, g->signature);

	buf_release(&b);
	return k;
}
