/* applied.c -- see applied.h */
#include "applied.h"

#include "hashes.h"
#include "semver.h"
#include "stored-plan.h"

#include <stdio.h>
#include <stdlib.h>

/* A plan's commit. */
struct commit {
	char *migration, *target;
	char *nonce;  /* of the permits that it came by: those of one run share it */
	bool applied; /* it is the plan's last, and no rollback came after it */
	bool pruned;  /* since then */
};

struct applied {
	struct store *s;
	const struct applied_ask *ask;
	const char *beyond, *number; /* what ask->to is, or NULL */
	struct out *out;
	struct diag *d;
	struct tally tally;
	struct hashes plans;   /* in the order of their commits; a plan applied again stands there again */
	struct commit *commit; /* of each of them, by its place in plans */
	struct stored_plan plan;
};

static void applied_release(struct applied *a)
{
	for (size_t i = 0; i < a->plans.n; i++) {
		free(a->commit[i].migration);
		free(a->commit[i].target);
		free(a->commit[i].nonce);
	}
	free(a->commit);
	hashes_release(&a->plans);
	stored_plan_release(&a->plan);
	tally_release(&a->tally);
}

bool applied_number(const char *to)
{
	size_t n = strspn(to, "0123456789");

	return n > 0 && n < 10 && !to[n];
}

/* The plan's last commit so far, or NULL. */
static struct commit *find(const struct applied *a, const char *hash)
{
	int64_t at = hashes_find(&a->plans, hash);

	return at == HASHES_NONE ? NULL : &a->commit[at];
}

/* Put a plan last in both lists. */
static struct commit *add(struct applied *a, const char *hash)
{
	size_t cap = a->plans.cap, i = hashes_add(&a->plans, hash);

	if (a->plans.cap > cap)
		a->commit = xrealloc(a->commit, a->plans.cap, sizeof *a->commit);
	a->commit[i] = (struct commit){ .migration = NULL };
	return &a->commit[i];
}

/* {"event":"prune","plans":[H,..]} */
static void follow_prune(const struct applied *a, const struct doc *e)
{
	uint32_t list = doc_member(e, 0, "plans", 5);

	if (list == DOC_NONE || e->tok[list].type != DOC_ARRAY)
		return;
	for (uint32_t t = list + 1; t < e->tok[list].next; t = e->tok[t].next) {
		char *hash = record_dup(e, t);
		struct commit *k = hash ? find(a, hash) : NULL;

		if (k)
			k->pruned = true;
		free(hash);
	}
}

/* Follow what is applied: a commit puts a plan last, the rollback of a plan takes it out. */
static int follow(void *arg, const struct doc *e)
{
	struct applied *a = arg;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	char *undoes = record_dup(e, doc_member(e, 0, "undoes", 6));
	struct commit *k;

	if (doc_says(e, 0, "event", "commit") && hash && entry_scope_has(&a->ask->scope, e)) {
		if ((k = find(a, hash)))
			k->applied = false; /* stands in the list for an earlier time */
		k = add(a, hash);
		k->migration = record_dup(e, doc_member(e, 0, "migration_id", 12));
		k->target = record_dup(e, doc_member(e, 0, "target_version", 14));
		k->nonce = record_dup(e, doc_member(e, 0, "nonce", 5));
		k->applied = true;
	} else if (doc_says(e, 0, "event", "begin") && hash && (k = find(a, hash))) {
		k->pruned = false; /* its originals are kept once more */
	} else if (doc_says(e, 0, "event", "prune")) {
		follow_prune(a, e);
	} else if (doc_says(e, 0, "event", "rollback") && undoes && (k = find(a, undoes))) {
		k->applied = false;
	}
	free(hash);
	free(undoes);
	return 0;
}

/* As far as the ledger tells, without a look at the plan. */
static bool is_asked(const struct applied *a, size_t i)
{
	const struct commit *k = &a->commit[i];

	if (!k->applied || (a->ask->plan && strcmp(a->plans.list[i], a->ask->plan) != 0))
		return false;
	return !a->beyond || (k->target && semver_valid(k->target) && semver_compare(k->target, a->beyond) > 0);
}

/* Versions of two migrations say nothing about each other. */
static int one_migration(const struct applied *a)
{
	const char *first = NULL;

	for (size_t i = a->plans.n; i-- > 0 && a->beyond;) {
		const struct commit *k = &a->commit[i];

		if (!is_asked(a, i) || !k->migration)
			continue;
		if (first && strcmp(first, k->migration) != 0)
			return diag_add(a->d, MIG_USAGE, "ambiguous", NULL,
			                "plans of %s and of %s lead beyond %s: name one with --migration", first,
			                k->migration, a->beyond);
		first = k->migration;
	}
	return 0;
}

/* The number that the plan has in its database's history, from schema:record@1..2; -1: none. */
static int64_t number_of(const struct plan *p)
{
	for (size_t i = 0; i < p->nstep; i++) {
		struct text to = p->step[i].to_version;
		int64_t n = 0;

		if (!plan_of_sql(p) || !text_is(p->step[i].what, "record"))
			continue;
		for (size_t k = 0; k < to.n; k++) {
			if (to.s[k] < '0' || to.s[k] > '9' || n > INT32_MAX)
				return -1;
			n = n * 10 + (to.s[k] - '0');
		}
		return n;
	}
	return -1;
}

static int no_version(struct applied *a, bool numbered)
{
	if (!numbered && a->plans.n) {
		diag_hint(a->d, "--to with a semantic version takes what led beyond it");
		return diag_add(a->d, MIG_PRECONDITION, "no_version", a->number,
		                "what is applied has no numbers in a history");
	}
	return diag_add(a->d, MIG_PRECONDITION, "no_version", a->number,
	                "the history has no version of that number that is applied");
}

static bool same_nonce(const struct commit *a, const struct commit *b)
{
	return a->nonce && b->nonce && strcmp(a->nonce, b->nonce) == 0;
}

/*
 * Before the first plan is written: is one of those asked for pruned?  Its text
 * is gone, so that only the nonce tells whether it belongs to the last run.
 */
static int none_pruned(const struct applied *a)
{
	const struct commit *newest = NULL;

	for (size_t i = a->plans.n; i-- > 0;) {
		const struct commit *k = &a->commit[i];

		if (!is_asked(a, i))
			continue;
		newest = newest ? newest : k;
		if (!k->pruned || (a->ask->last && k != newest && !same_nonce(k, newest)))
			continue;
		if (k != newest && k->target && !a->ask->last)
			diag_hint(a->d, "--to %s takes only what led beyond it", k->target);
		return diag_add(a->d, MIG_PRECONDITION, "pruned", a->plans.list[i],
		                "this plan was pruned: it can no longer be rolled back");
	}
	return 0;
}

/* The plans asked for, newest first. */
static int put_applied(struct applied *a)
{
	const struct plan *p = &a->plan.plan;
	char stream[HEX_SIZE] = "";
	int64_t after = a->number ? strtoll(a->number, NULL, 10) : -1;
	bool found = after < 0, any = false, unnumbered = false;

	for (size_t i = a->plans.n; i-- > 0;) {
		if (!is_asked(a, i))
			continue;
		if (a->commit[i].pruned) /* of an earlier run than the last */
			return 0;
		if (stored_plan_read(&a->plan, a->s, a->plans.list[i], a->d) < 0)
			return -1;
		int64_t number = after < 0 ? 0 : number_of(p);

		*(number < 0 ? &unnumbered : &any) = true;
		found = found || number == after || (after == 0 && number > 0);
		if (number <= after)
			continue;
		if (!*stream)
			snprintf(stream, sizeof stream, "%.*s", (int)p->digest.n, p->digest.s);
		if (a->ask->last && !text_is(p->digest, stream))
			return 0;
		tally_plan(&a->tally, p->hash);
		if (stream_put(a->out, a->plan.text.s, a->plan.text.len) < 0)
			return -1;
	}
	return found || (after == 0 && !unnumbered) ? 0 : no_version(a, any);
}

int applied_plans(struct store *s, const struct applied_ask *ask, struct out *out, struct diag *d)
{
	struct applied a = { .s = s, .ask = ask, .out = out, .d = d, .plans = HASHES_INIT, .plan = STORED_PLAN_INIT };
	char head[HEX_SIZE];
	int64_t seq;

	tally_init(&a.tally);
	if (ask->to && applied_number(ask->to))
		a.number = ask->to;
	else
		a.beyond = ask->to;
	int rc = s->ops->ledger(s, follow, &a, &seq, head, d);

	if (rc == 0 && (rc = one_migration(&a)) == 0 && (rc = none_pruned(&a)) == 0)
		rc = put_applied(&a);
	if (rc == 0 && ask->plan && a.tally.n == 0)
		rc = diag_add(d, MIG_PRECONDITION, "not_applied", ask->plan, "this plan is not applied to this store");
	if (rc == 0 && !a.tally.n)
		diag_warn(d, "none_applied", NULL, "no plan that is applied matches: there is nothing to roll back");
	if (rc == 0)
		rc = stream_put_tally(out, "mig-extract", &a.tally);
	applied_release(&a);
	return rc;
}
