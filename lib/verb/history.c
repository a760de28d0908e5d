/* history.c -- see history.h */
#include "history.h"

#include "hashes.h"
#include "stored-plan.h"

#include <stdlib.h>

/* What a plan that the ledger speaks of does to the document asked for. */
struct touched {
	struct buf record; /* the step record's text */
	char *step_id;     /* NULL: nothing */
};

struct history {
	struct store *s;
	const struct history_ask *ask;
	struct out *out;
	struct tally tally;
	/* with ref: */
	struct hashes seen;      /* the plans that were looked at */
	struct touched *touched; /* what each of them does, by its place in seen */
	size_t unread;           /* how many of them the store could not give */
	struct stored_plan plan;
};

static void history_release(struct history *h)
{
	for (size_t i = 0; i < h->seen.n; i++) {
		buf_release(&h->touched[i].record);
		free(h->touched[i].step_id);
	}
	free(h->touched);
	hashes_release(&h->seen);
	stored_plan_release(&h->plan);
	tally_release(&h->tally);
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

/* Compare times as far as the given one goes: 2026-01 is all of January. */
static int compare_time(const struct doc *e, const char *given)
{
	char *time = record_dup(e, doc_member(e, 0, "time", 4));
	int c = time ? strncmp(time, given, strlen(given)) : 0;

	free(time);
	return c;
}

static bool matches(const struct doc *e, const struct history_ask *a)
{
	return entry_scope_has(&a->scope, e) && entry_says(e, "target_version", a->version) &&
	       entry_says(e, "event", a->event) && (!a->since || compare_time(e, a->since) >= 0) &&
	       (!a->until || compare_time(e, a->until) <= 0);
}

/* {"from_version":"1.0.0","kind":"step","plan_hash":"e1..","ref":"a.json","step_id":..,"to_version":"1.2.0"} */
static void note_step(struct touched *k, const char *hash, const struct step *s)
{
	struct rec w;

	k->step_id = xmemdup(s->step_id.s, s->step_id.n);
	rec_open(&w, &k->record);
	rec_str(&w, "from_version", s->restore ? s->to_version : s->from_version);
	rec_cstr(&w, "kind", "step");
	rec_cstr(&w, "plan_hash", hash);
	rec_str(&w, "ref", s->ref);
	rec_str(&w, "step_id", s->step_id);
	rec_str(&w, "to_version", s->restore ? s->from_version : s->to_version);
	rec_close(&w);
}

/* Put a plan that was not met before last in both lists. */
static struct touched *add(struct history *h, const char *hash)
{
	size_t cap = h->seen.cap, i = hashes_add(&h->seen, hash);

	if (h->seen.cap > cap)
		h->touched = xrealloc(h->touched, h->seen.cap, sizeof *h->touched);
	h->touched[i] = (struct touched){ BUF_INIT, NULL };
	return &h->touched[i];
}

/* Look into the plan, once.  One that cannot be read counts as unread, and does nothing. */
static const struct touched *look_up(struct history *h, const char *hash)
{
	int64_t at = hashes_find(&h->seen, hash);

	if (at != HASHES_NONE)
		return &h->touched[at];
	struct touched *k = add(h, hash);
	struct diag quiet = DIAG_INIT;
	const struct plan *p = &h->plan.plan;

	if (stored_plan_read(&h->plan, h->s, hash, &quiet) == 0) {
		for (size_t i = 0; i < p->nstep && !k->step_id; i++)
			if (text_is(p->step[i].ref, h->ask->ref))
				note_step(k, hash, &p->step[i]);
	} else {
		h->unread++;
	}
	diag_release(&quiet);
	return k;
}

/* With --ref: the step that the entry's plan makes on the document.  1: there is one; 0, or -1 after a failed write. */
static int put_step(struct history *h, const struct doc *e)
{
	const char *ref = h->ask->ref;
	char *hash = record_dup(e, doc_member(e, 0, "plan_hash", 9));
	const struct touched *k = hash ? look_up(h, hash) : NULL;

	free(hash);
	if (!k || !k->step_id)
		return 0;
	tally_object(&h->tally, (struct text){ ref, strlen(ref) }, (struct text){ k->step_id, strlen(k->step_id) });
	return stream_put(h->out, k->record.s, k->record.len) < 0 ? -1 : 1;
}

static int put_entry(void *arg, const struct doc *e)
{
	struct history *h = arg;
	struct buf arena = BUF_INIT;
	size_t n, nseq;

	if (!matches(e, h->ask))
		return 0;
	int rc = h->ask->ref ? put_step(h, e) : 1;

	if (rc <= 0)
		return rc;
	const char *text = doc_span(e, 0, &n), *seq = doc_span(e, doc_member(e, 0, "seq", 3), &nseq);

	tally_object(&h->tally, (struct text){ seq, nseq }, record_text(e, doc_member(e, 0, "hash", 4), &arena));
	buf_release(&arena);
	return stream_put(h->out, text, n);
}

int history_entries(struct store *s, const struct history_ask *ask, struct out *out, struct diag *d)
{
	struct history h = { .s = s, .ask = ask, .out = out, .seen = HASHES_INIT, .plan = STORED_PLAN_INIT };
	char head[HEX_SIZE];
	int64_t seq;

	tally_init(&h.tally);
	int rc = s->ops->ledger(s, put_entry, &h, &seq, head, d);

	if (rc == 0 && h.unread)
		diag_warn(d, "missing_plan", ask->ref,
		          "%zu plan%s of the ledger cannot be read, pruned or not: what they did to it is not told",
		          h.unread, h.unread == 1 ? "" : "s");
	if (rc == 0)
		rc = stream_put_tally(out, "mig-extract", &h.tally);
	history_release(&h);
	return rc;
}
