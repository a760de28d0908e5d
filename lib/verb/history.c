/* history.c -- see history.h */
#include "history.h"

#include "plan.h"
#include "semver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A plan that the ledger speaks of, as far as it was looked at. */
struct known {
	char hash[HEX_SIZE];
	char *migration, *target;
	char *nonce;      /* of the permits that its commit came by: those of one run share it */
	bool applied;     /* its last commit came after its last rollback */
	bool pruned;      /* since then */
	struct buf step;  /* history_entries with ref: the step record's text, empty if it has none for the document */
	char *step_id;
};

struct reading {
	struct store *s;
	const struct history_ask *ask;
	const struct applied_ask *which;
	const char *beyond, *number; /* what which->to is, or NULL */
	struct out *out;
	struct diag *d;
	struct tally tally;
	struct known **known; /* in the order of their commits; a plan applied again stands there again */
	size_t n, cap;
	size_t unread;        /* of those, how many the store could not give; history_entries with ref */
	uint32_t *slot;       /* a table over plan hashes: the last place of each in known, from 1 */
	size_t nslot;
	struct buf line, plan_text;
	struct doc doc;
	struct plan plan;
};

static void reading_init(struct reading *r, struct store *s, struct out *out, struct diag *d)
{
	*r = (struct reading){ .s = s, .out = out, .d = d, .doc = DOC_INIT, .plan = PLAN_INIT };
	tally_init(&r->tally);
}

static void reading_release(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->known[i]->migration);
		free(r->known[i]->target);
		free(r->known[i]->nonce);
		free(r->known[i]->step_id);
		buf_release(&r->known[i]->step);
		free(r->known[i]);
	}
	free(r->known);
	free(r->slot);
	tally_release(&r->tally);
	buf_release(&r->line);
	buf_release(&r->plan_text);
	doc_release(&r->doc);
	plan_release(&r->plan);
}

static bool says(const struct doc *e, const char *member, const char *value)
{
	return !value || doc_says(e, 0, member, value);
}

/* Compare times as far as the given one goes: 2026-01 is all of January. */
static int compare_time(const struct doc *e, const char *given)
{
	char *time = record_dup(e, doc_member(e, 0, "time", 4));
	int c = time ? strncmp(time, given, strlen(given)) : 0;

	free(time);
	return c;
}

/* Where in slot the last of a plan's places in known is, or goes. */
static uint32_t *slot_of(const struct reading *r, const char *hash)
{
	size_t i = text_hash((struct text){ hash, strlen(hash) }) & (r->nslot - 1);

	while (r->slot[i] && strcmp(r->known[r->slot[i] - 1]->hash, hash) != 0)
		i = (i + 1) & (r->nslot - 1);
	return &r->slot[i];
}

static struct known *find(const struct reading *r, const char *hash)
{
	uint32_t at = r->nslot ? *slot_of(r, hash) : 0;

	return at ? r->known[at - 1] : NULL;
}

static void grow(struct reading *r)
{
	r->cap = r->cap ? r->cap * 2 : 16;
	r->known = xrealloc(r->known, r->cap, sizeof *r->known);
	free(r->slot);
	r->nslot = r->cap * 2;
	r->slot = xcalloc(r->nslot, sizeof *r->slot);
	for (size_t i = 0; i < r->n; i++)
		*slot_of(r, r->known[i]->hash) = (uint32_t)i + 1;
}

/* Put a plan last in the list. */
static struct known *add(struct reading *r, const char *hash)
{
	struct known *k = xcalloc(1, sizeof *k);

	snprintf(k->hash, sizeof k->hash, "%s", hash);
	if (r->n == r->cap)
		grow(r);
	*slot_of(r, k->hash) = (uint32_t)r->n + 1;
	r->known[r->n++] = k;
	return k;
}

/* Read the stored plan into r->plan: 0, or -1 after a finding. */
static int load(struct reading *r, const char *hash)
{
	buf_reset(&r->plan_text);
	if (r->s->ops->plan(r->s, hash, &r->plan_text, r->d) < 0)
		return -1;
	if (doc_parse(&r->doc, r->plan_text.s, r->plan_text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(r->d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is damaged: %s",
		                r->doc.err.reason);
	return plan_read(&r->plan, &r->doc, 0, hash, r->d);
}

/* {"from_version":"1.0.0","kind":"step","plan_hash":"e1..","ref":"a.json","step_id":..,"to_version":"1.2.0"} */
static void note_step(struct known *k, const struct step *s)
{
	struct rec w;

	k->step_id = xmemdup(s->step_id.s, s->step_id.n);
	rec_open(&w, &k->step);
	rec_str(&w, "from_version", s->restore ? s->to_version : s->from_version);
	rec_cstr(&w, "kind", "step");
	rec_cstr(&w, "plan_hash", k->hash);
	rec_str(&w, "ref", s->ref);
	rec_str(&w, "step_id", s->step_id);
	rec_str(&w, "to_version", s->restore ? s->from_version : s->to_version);
	rec_close(&w);
}

/* The plan, with its step that changes the document.  One that cannot be read counts as unread, and has none. */
static struct known *look_up(struct reading *r, const char *hash)
{
	struct diag quiet = DIAG_INIT, *d = r->d;
	struct known *k = find(r, hash);
	struct text ref = { r->ask->ref, strlen(r->ask->ref) };

	if (k)
		return k;
	k = add(r, hash);
	r->d = &quiet;
	if (load(r, hash) == 0) {
		for (size_t i = 0; i < r->plan.nstep && !k->step_id; i++)
			if (text_same(r->plan.step[i].ref, ref))
				note_step(k, &r->plan.step[i]);
	} else {
		r->unread++;
	}
	r->d = d;
	diag_release(&quiet);
	return k;
}

bool history_event(const char *name)
{
	static const char *const events[] = { "begin", "step",     "commit", "undo", "rollback",
		                              "verify", "conflict", "prune",  NULL };

	for (const char *const *e = events; *e; e++)
		if (strcmp(name, *e) == 0)
			return true;
	return false;
}

static bool matches(const struct doc *e, const struct history_ask *a)
{
	return says(e, "migration_id", a->migration) && says(e, "target_version", a->version) &&
	       says(e, "env", a->env) && says(e, "tenant", a->tenant) && says(e, "project", a->project) &&
	       says(e, "event", a->event) &&
	       (!a->since || compare_time(e, a->since) >= 0) && (!a->until || compare_time(e, a->until) <= 0);
}

/* With --ref: the step that the entry's plan makes on the document.  1: there is one; 0, or -1 after a failed write. */
static int put_step(struct reading *r, const struct doc *e)
{
	const char *ref = r->ask->ref;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	struct known *k = hash ? look_up(r, hash) : NULL;

	free(hash);
	if (!k || !k->step_id)
		return 0;
	tally_object(&r->tally, (struct text){ ref, strlen(ref) }, (struct text){ k->step_id, strlen(k->step_id) });
	return stream_put(r->out, k->step.s, k->step.len) < 0 ? -1 : 1;
}

static int put_entry(void *arg, const struct doc *e)
{
	struct reading *r = arg;
	struct buf arena = BUF_INIT;
	size_t n, nseq;

	if (!matches(e, r->ask))
		return 0;
	int rc = r->ask->ref ? put_step(r, e) : 1;

	if (rc <= 0)
		return rc;
	const char *text = doc_span(e, 0, &n), *seq = doc_span(e, doc_member(e, 0, "seq", 3), &nseq);

	tally_object(&r->tally, (struct text){ seq, nseq }, record_text(e, doc_member(e, 0, "hash", 4), &arena));
	buf_release(&arena);
	return stream_put(r->out, text, n);
}

static int put_end(struct reading *r)
{
	uint64_t n = r->tally.n;
	char hex[HEX_SIZE];

	tally_hex(&r->tally, hex);
	return stream_put_end(r->out, "mig-extract", n, hex);
}

int history_entries(struct store *s, const struct history_ask *ask, struct out *out, struct diag *d)
{
	struct reading r;
	char head[HEX_SIZE];
	int64_t seq;

	reading_init(&r, s, out, d);
	r.ask = ask;
	int rc = s->ops->ledger(s, put_entry, &r, &seq, head, d);

	if (rc == 0 && r.unread)
		diag_warn(d, "missing_plan", ask->ref,
		          "%zu plan%s of the ledger cannot be read, pruned or not: what they did to it is not told",
		          r.unread, r.unread == 1 ? "" : "s");
	if (rc == 0)
		rc = put_end(&r);
	reading_release(&r);
	return rc;
}

bool history_number(const char *to)
{
	size_t n = strspn(to, "0123456789");

	return n > 0 && n < 10 && !to[n];
}

/* Is an entry about the plans that are asked for? */
static bool concerns(const struct doc *e, const struct applied_ask *a)
{
	return says(e, "migration_id", a->migration) && says(e, "env", a->env) && says(e, "tenant", a->tenant) &&
	       says(e, "project", a->project);
}

/* {"event":"prune","plans":[H,..]} */
static void follow_prune(const struct reading *r, const struct doc *e)
{
	uint32_t list = doc_member(e, 0, "plans", 5);

	if (list == DOC_NONE || e->tok[list].type != DOC_ARRAY)
		return;
	for (uint32_t t = list + 1; t < e->tok[list].next; t = e->tok[t].next) {
		char *hash = record_dup(e, t);
		struct known *k = hash ? find(r, hash) : NULL;

		if (k)
			k->pruned = true;
		free(hash);
	}
}

/* Follow what is applied: a commit puts a plan last, the rollback of a plan takes it out. */
static int follow(void *arg, const struct doc *e)
{
	struct reading *r = arg;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	char *undoes = record_dup(e, doc_member(e, 0, "undoes", 6));
	struct known *k;

	if (says(e, "event", "commit") && hash && concerns(e, r->which)) {
		if ((k = find(r, hash)))
			k->applied = false; /* stands in the list for an earlier time */
		k = add(r, hash);
		k->migration = record_dup(e, doc_member(e, 0, "migration_id", 12));
		k->target = record_dup(e, doc_member(e, 0, "target_version", 14));
		k->nonce = record_dup(e, doc_member(e, 0, "nonce", 5));
		k->applied = true;
	} else if (says(e, "event", "begin") && hash && (k = find(r, hash))) {
		k->pruned = false; /* its originals are kept once more */
	} else if (says(e, "event", "prune")) {
		follow_prune(r, e);
	} else if (says(e, "event", "rollback") && undoes && (k = find(r, undoes))) {
		k->applied = false;
	}
	free(hash);
	free(undoes);
	return 0;
}

/* As far as the ledger tells, without a look at the plan. */
static bool is_asked(const struct reading *r, const struct known *k)
{
	if (!k->applied || (r->which->plan && strcmp(k->hash, r->which->plan) != 0))
		return false;
	return !r->beyond || (k->target && semver_valid(k->target) && semver_compare(k->target, r->beyond) > 0);
}

/* Versions of two migrations say nothing about each other. */
static int one_migration(const struct reading *r)
{
	const char *first = NULL;

	for (size_t i = r->n; i-- > 0 && r->beyond;) {
		const struct known *k = r->known[i];

		if (!is_asked(r, k) || !k->migration)
			continue;
		if (first && strcmp(first, k->migration) != 0)
			return diag_add(r->d, MIG_USAGE, "ambiguous", NULL,
			                "plans of %s and of %s lead beyond %s: name one with --migration", first,
			                k->migration, r->beyond);
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

static int no_version(struct reading *r, bool numbered)
{
	if (!numbered && r->n) {
		diag_hint(r->d, "--to with a semantic version takes what led beyond it");
		return diag_add(r->d, MIG_PRECONDITION, "no_version", r->number,
		                "what is applied has no numbers in a history");
	}
	return diag_add(r->d, MIG_PRECONDITION, "no_version", r->number,
	                "the history has no version of that number that is applied");
}

static bool same_nonce(const struct known *a, const struct known *b)
{
	return a->nonce && b->nonce && strcmp(a->nonce, b->nonce) == 0;
}

/*
 * Before the first plan is written: is one of those asked for pruned?  Its text
 * is gone, so that only the nonce tells whether it belongs to the last run.
 */
static int none_pruned(const struct reading *r)
{
	const struct known *newest = NULL;

	for (size_t i = r->n; i-- > 0;) {
		const struct known *k = r->known[i];

		if (!is_asked(r, k))
			continue;
		newest = newest ? newest : k;
		if (!k->pruned || (r->which->last && k != newest && !same_nonce(k, newest)))
			continue;
		if (k != newest && k->target && !r->which->last)
			diag_hint(r->d, "--to %s takes only what led beyond it", k->target);
		return diag_add(r->d, MIG_PRECONDITION, "pruned", k->hash,
		                "this plan was pruned: it can no longer be rolled back");
	}
	return 0;
}

/* The plans asked for, newest first. */
static int put_applied(struct reading *r)
{
	char stream[HEX_SIZE] = "";
	int64_t after = r->number ? strtoll(r->number, NULL, 10) : -1;
	bool found = after < 0, any = false, unnumbered = false;

	for (size_t i = r->n; i-- > 0;) {
		if (!is_asked(r, r->known[i]))
			continue;
		if (r->known[i]->pruned) /* of an earlier run than the last */
			return 0;
		if (load(r, r->known[i]->hash) < 0)
			return -1;
		int64_t number = after < 0 ? 0 : number_of(&r->plan);

		*(number < 0 ? &unnumbered : &any) = true;
		found = found || number == after || (after == 0 && number > 0);
		if (number <= after)
			continue;
		if (!*stream)
			snprintf(stream, sizeof stream, "%.*s", (int)r->plan.digest.n, r->plan.digest.s);
		if (r->which->last && !text_is(r->plan.digest, stream))
			return 0;
		tally_plan(&r->tally, r->plan.hash);
		if (stream_put(r->out, r->plan_text.s, r->plan_text.len) < 0)
			return -1;
	}
	return found || (after == 0 && !unnumbered) ? 0 : no_version(r, any);
}

int history_applied(struct store *s, const struct applied_ask *ask, struct out *out, struct diag *d)
{
	struct reading r;
	char head[HEX_SIZE];
	int64_t seq;

	reading_init(&r, s, out, d);
	r.which = ask;
	if (ask->to && history_number(ask->to))
		r.number = ask->to;
	else
		r.beyond = ask->to;
	int rc = s->ops->ledger(s, follow, &r, &seq, head, d);

	if (rc == 0 && (rc = one_migration(&r)) == 0 && (rc = none_pruned(&r)) == 0)
		rc = put_applied(&r);
	if (rc == 0 && ask->plan && r.tally.n == 0)
		rc = diag_add(d, MIG_PRECONDITION, "not_applied", ask->plan, "this plan is not applied to this store");
	if (rc == 0 && !r.tally.n)
		diag_warn(d, "none_applied", NULL, "no plan that is applied matches: there is nothing to roll back");
	if (rc == 0)
		rc = put_end(&r);
	reading_release(&r);
	return rc;
}
