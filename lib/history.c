/* history.c -- see history.h */
#include "history.h"

#include "plan.h"
#include "semver.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

/* A plan that the ledger speaks of, as far as it was looked at. */
struct known {
	char hash[HEX_SIZE];
	char *target;
	bool applied;     /* its last commit came after its last rollback */
	bool touches_ref; /* history_entries */
};

struct reading {
	struct store *s;
	const struct history_ask *ask;
	struct out *out;
	struct diag *d;
	struct tally tally;
	struct known **known; /* in the order of their commits; a plan applied again stands there again */
	size_t n, cap;
	void *latest;         /* a tsearch tree: of each plan_hash, the last in known */
	struct buf line, plan_text;
	struct doc doc;
	struct plan plan;
};

static void reading_init(struct reading *r, struct store *s, struct out *out, struct diag *d)
{
	*r = (struct reading){ .s = s, .out = out, .d = d, .doc = DOC_INIT, .plan = PLAN_INIT };
	tally_init(&r->tally);
}

static int by_hash(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->hash, ((const struct known *)b)->hash);
}

static void reading_release(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		tdelete(r->known[i], &r->latest, by_hash);
		free(r->known[i]->target);
		free(r->known[i]);
	}
	free(r->known);
	tally_release(&r->tally);
	buf_release(&r->line);
	buf_release(&r->plan_text);
	doc_release(&r->doc);
	plan_release(&r->plan);
}

static bool says(const struct doc *e, const char *member, const char *value)
{
	uint32_t t = doc_member(e, 0, member, strlen(member));

	return !value || (t != DOC_NONE && doc_equals(e, t, value, strlen(value)));
}

/* Compare times as far as the given one goes: 2026-01 is all of January. */
static int compare_time(const struct doc *e, const char *given)
{
	struct buf arena = BUF_INIT;
	struct text time = record_text(e, doc_member(e, 0, "time", 4), &arena);
	size_t n = strlen(given) < time.n ? strlen(given) : time.n;
	int c = memcmp(time.s, given, n);

	buf_release(&arena);
	return c;
}

static struct known *find(struct reading *r, const char *hash)
{
	struct known key;

	snprintf(key.hash, sizeof key.hash, "%s", hash);
	struct known **k = tfind(&key, &r->latest, by_hash);

	return k ? *k : NULL;
}

/* Put a plan last in the list. */
static struct known *add(struct reading *r, const char *hash)
{
	struct known *k = xcalloc(1, sizeof *k), **latest;

	snprintf(k->hash, sizeof k->hash, "%s", hash);
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->known = xrealloc(r->known, r->cap, sizeof *r->known);
	}
	r->known[r->n++] = k;
	if (!(latest = tsearch(k, &r->latest, by_hash)))
		die(MIG_ERROR, "out of memory");
	*latest = k;
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

/* Does the entry's plan change the document?  A plan whose text was pruned is taken for one that does not. */
static bool touches(struct reading *r, const char *hash)
{
	struct diag quiet = DIAG_INIT, *d = r->d;
	struct known *k = find(r, hash);
	size_t n = strlen(r->ask->ref);

	if (k)
		return k->touches_ref;
	k = add(r, hash);
	r->d = &quiet;
	if (load(r, hash) == 0)
		for (size_t i = 0; i < r->plan.nstep && !k->touches_ref; i++)
			k->touches_ref = r->plan.step[i].ref.n == n && memcmp(r->plan.step[i].ref.s, r->ask->ref, n) == 0;
	r->d = d;
	diag_release(&quiet);
	return k->touches_ref;
}

static int put_entry(void *arg, const struct doc *e)
{
	struct reading *r = arg;
	const struct history_ask *a = r->ask;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	bool wanted = says(e, "migration_id", a->migration) && says(e, "target_version", a->version) &&
	              says(e, "env", a->env) && says(e, "tenant", a->tenant) && says(e, "project", a->project) &&
	              says(e, "event", a->event) && (!a->since || compare_time(e, a->since) >= 0) &&
	              (!a->until || compare_time(e, a->until) <= 0) && (!a->ref || (hash && touches(r, hash)));
	int rc = 0;

	free(hash);
	if (wanted) {
		size_t n;
		const char *text = doc_span(e, 0, &n), *seq;
		struct buf arena = BUF_INIT;
		size_t nseq;

		seq = doc_span(e, doc_member(e, 0, "seq", 3), &nseq);
		tally_object(&r->tally, (struct text){ seq, nseq }, record_text(e, doc_member(e, 0, "hash", 4), &arena));
		buf_release(&arena);
		rc = stream_put(r->out, text, n);
	}
	return rc;
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

	if (rc == 0)
		rc = put_end(&r);
	reading_release(&r);
	return rc;
}

/* Follow what is applied: a commit puts a plan last, the rollback of a plan takes it out. */
static int follow(void *arg, const struct doc *e)
{
	struct reading *r = arg;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	char *undoes = record_dup(e, doc_member(e, 0, "undoes", 6));
	struct known *k;

	if (says(e, "event", "commit") && hash) {
		if ((k = find(r, hash)))
			k->applied = false; /* stands in the list for an earlier time */
		k = add(r, hash);
		k->target = record_dup(e, doc_member(e, 0, "target_version", 14));
		k->applied = true;
	} else if (says(e, "event", "rollback") && undoes && (k = find(r, undoes))) {
		k->applied = false;
	}
	free(hash);
	free(undoes);
	return 0;
}

/* Is the plan to be written?  *stream is the snapshot of the last stream, once known. */
static int wanted(struct reading *r, const struct applied_ask *ask, const struct known *k, char stream[HEX_SIZE])
{
	if (!k->applied || (ask->plan && strcmp(k->hash, ask->plan) != 0))
		return 0;
	if (ask->to && (!k->target || !semver_valid(k->target) || semver_compare(k->target, ask->to) <= 0))
		return 0;
	if (load(r, k->hash) < 0)
		return -1;
	if (!ask->last)
		return 1;
	if (!*stream)
		snprintf(stream, HEX_SIZE, "%.*s", (int)r->plan.digest.n, r->plan.digest.s);
	return text_is(r->plan.digest, stream);
}

int history_applied(struct store *s, const struct applied_ask *ask, struct out *out, struct diag *d)
{
	struct reading r;
	char head[HEX_SIZE], stream[HEX_SIZE] = "";
	int64_t seq;

	reading_init(&r, s, out, d);
	int rc = s->ops->ledger(s, follow, &r, &seq, head, d);

	for (size_t i = r.n; i-- > 0 && rc >= 0;) {
		rc = wanted(&r, ask, r.known[i], stream);
		if (rc == 1) {
			tally_plan(&r.tally, r.plan.hash);
			rc = stream_put(out, r.plan_text.s, r.plan_text.len);
		}
	}
	if (rc >= 0 && ask->plan && r.tally.n == 0)
		rc = diag_add(d, MIG_PRECONDITION, "not_applied", ask->plan, "this plan is not applied to this store");
	if (rc >= 0)
		rc = put_end(&r);
	reading_release(&r);
	return rc < 0 ? -1 : 0;
}
