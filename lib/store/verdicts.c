/* verdicts.c -- see verdicts.h */
#include "verdicts.h"

#include <stdlib.h>

struct recording {
	struct store *s;
	struct grant grant; /* the ledger asks for who acts there */
	const char *now;
	struct doc doc, stored;
	struct buf text;
	struct plan plan;
	struct diag *d;
};

static bool is(const struct doc *d, uint32_t obj, const char *name, const char *value)
{
	uint32_t t = doc_member(d, obj, name, strlen(name));

	return t != DOC_NONE && doc_equals(d, t, value, strlen(value));
}

static int64_t errors_of(const struct doc *d)
{
	uint32_t list = doc_member(d, 0, "findings", 8);
	int64_t n = 0;

	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next)
		n += d->tok[t].type == DOC_OBJECT && is(d, t, "severity", "error");
	return n;
}

/* The plan as the store keeps it: a verdict names no more than its hash. */
static bool find_plan(struct recording *r, const char *hash)
{
	struct diag unseen = DIAG_INIT;

	buf_reset(&r->text);
	bool ok = hash && r->s->ops->plan(r->s, hash, &r->text, &unseen) == 0 &&
	          doc_parse(&r->stored, r->text.s, r->text.len, RECORD_MAX_DEPTH) == 0 &&
	          plan_read(&r->plan, &r->stored, 0, hash, &unseen) == 0;

	diag_release(&unseen);
	return ok;
}

static int record(struct recording *r)
{
	char *hash = record_dup(&r->doc, doc_member(&r->doc, 0, "plan_hash", 9));
	char *code = record_dup(&r->doc, doc_member(&r->doc, 0, "code", 4));
	char time[LEDGER_TIME_SIZE];
	struct entry e = { .event = "verify", .actor = r->grant.actor };

	ledger_time(r->now, time);
	if (find_plan(r, hash)) {
		entry_init(&e, "verify", &r->plan, &r->grant, "", time);
		e.reason = e.undoes = (struct text){ NULL, 0 };
	}
	e.plan_hash = (struct text){ hash, hash ? strlen(hash) : 0 };
	e.time = time;
	e.code = code;
	e.findings = errors_of(&r->doc);
	int rc = r->s->ops->note(r->s, &e, r->d);

	free(hash);
	free(code);
	return rc;
}

static int record_all(struct recording *r, struct spool *spool)
{
	const char *text;
	size_t n;
	int rc = spool_rewind(spool, r->d);

	while (rc >= 0 && (rc = spool_next(spool, &text, &n, r->d)) > 0) {
		if (doc_parse(&r->doc, text, n, RECORD_MAX_DEPTH) < 0)
			return diag_add(r->d, MIG_ERROR, "internal", NULL, "a verdict does not read back: %s",
			                r->doc.err.reason);
		if (is(&r->doc, 0, "kind", "verdict"))
			rc = record(r);
	}
	return rc;
}

int verdicts_record(struct store *s, const char *actor, const char *now, unsigned lock_timeout, struct spool *spool,
                    struct diag *d)
{
	struct recording r = { .s = s,
		               .grant.actor = { actor, strlen(actor) },
		               .now = now,
		               .doc = DOC_INIT,
		               .stored = DOC_INIT,
		               .plan = PLAN_INIT,
		               .d = d };
	struct apply_ctx c = { .grant = &r.grant, .now = now };
	int rc = s->ops->lock(s, lock_timeout, &c, d);

	if (rc == 0)
		rc = record_all(&r, spool);
	doc_release(&r.doc);
	doc_release(&r.stored);
	buf_release(&r.text);
	plan_release(&r.plan);
	return rc;
}

int verdicts_forward(struct spool *spool, struct out *out, struct diag *d)
{
	const char *text;
	size_t n;
	int rc = spool_rewind(spool, d);

	while (rc >= 0 && (rc = spool_next(spool, &text, &n, d)) > 0)
		rc = stream_put(out, text, n);
	return rc;
}
