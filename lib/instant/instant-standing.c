/* instant-standing.c -- see instant-standing.h */
#include "instant-standing.h"

#include "ledger-line.h"

#include <stdlib.h>

struct following {
	struct instant_standing *s;
	const char *plan_hash, *undoes;
	struct doc doc;
	struct diag *d;
};

static void forget_steps(struct instant_standing *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->done[i].step_id);
	s->n = 0;
}

void instant_standing_release(struct instant_standing *s)
{
	forget_steps(s);
	free(s->done);
	*s = (struct instant_standing){ .n = 0 };
}

const struct instant_done *instant_standing_find(const struct instant_standing *s, struct text step_id)
{
	for (size_t i = 0; i < s->n; i++)
		if (text_is(step_id, s->done[i].step_id))
			return &s->done[i];
	return NULL;
}

/* {"backups":[{"file":"81c2...ndjson","hash":H,..}],"ref":"batch-00001:put@0..2.0.0"} */
static void add_step(struct instant_standing *s, const struct doc *e)
{
	uint32_t list = doc_member(e, 0, "backups", 7);
	char *step_id = record_dup(e, doc_member(e, 0, "ref", 3));

	if (!step_id)
		return;
	s->done = xrealloc(s->done, s->n + 1, sizeof *s->done);
	struct instant_done *step = &s->done[s->n++];

	*step = (struct instant_done){ .step_id = step_id };
	if (list != DOC_NONE && e->tok[list].type == DOC_ARRAY && e->tok[list].n) {
		char *file = record_dup(e, doc_member(e, list + 1, "file", 4));
		char *hash = record_dup(e, doc_member(e, list + 1, "hash", 4));

		ledger_line_keep(step->file, sizeof step->file, text_cstr(file && !strchr(file, '/') ? file : NULL));
		ledger_line_keep(step->hash, sizeof step->hash, text_cstr(hash));
		free(file);
		free(hash);
	}
}

static void follow_own(struct following *f, const struct doc *e, struct text event)
{
	struct instant_standing *s = f->s;

	if (text_is(event, "begin")) {
		forget_steps(s);
		s->is = INSTANT_BEGUN;
		doc_int(e, doc_member(e, 0, "seq", 3), &s->seq);
	} else if (text_is(event, "step")) {
		add_step(s, e);
	} else if (text_is(event, "commit") || text_is(event, "rollback")) {
		s->is = INSTANT_DONE;
	} else if (text_is(event, "undo")) {
		s->is = INSTANT_NOT;
	}
}

static bool changes(struct text event)
{
	return text_is(event, "begin") || text_is(event, "commit") || text_is(event, "rollback");
}

static int follow(void *arg, const char *line, size_t n, uint64_t offset)
{
	struct following *f = arg;

	(void)offset;
	if (!memmem(line, n, f->plan_hash, HEX_LEN) && !(f->undoes && memmem(line, n, f->undoes, HEX_LEN)))
		return 0;
	if (doc_parse(&f->doc, line, n, RECORD_MAX_DEPTH) < 0)
		return diag_add(f->d, MIG_INVALID, "ledger_broken", ledger_name, "an entry is not JSON");
	const struct doc *e = &f->doc;
	struct text event = ledger_line_member(e, "event"), plan = ledger_line_member(e, "plan_hash");
	struct text undoes = ledger_line_member(e, "undoes");

	if (text_is(plan, f->plan_hash))
		follow_own(f, e, event);
	else if (text_is(undoes, f->plan_hash) && text_is(event, "begin"))
		f->s->is = INSTANT_BACKING;
	else if (text_is(undoes, f->plan_hash) && text_is(event, "rollback"))
		f->s->is = INSTANT_BACK;
	/* what somebody else has done to the plan since is not what this rollback found */
	else if (f->undoes && changes(event) && (text_is(plan, f->undoes) || text_is(undoes, f->undoes)))
		f->s->is = INSTANT_NOT;
	return 0;
}

int instant_standing_read(struct instant_standing *s, int fd, const char *plan_hash, const char *undoes,
                          struct diag *d)
{
	struct following f = { .s = s, .plan_hash = plan_hash, .undoes = undoes, .doc = DOC_INIT, .d = d };

	*s = (struct instant_standing){ .is = INSTANT_NOT };
	int rc = fd < 0 ? 0 : ledger_lines(fd, follow, &f, d);

	doc_release(&f.doc);
	if (s->is == INSTANT_NOT)
		forget_steps(s);
	return rc;
}

/* The last entry, while the ledger is walked through. */
struct last {
	const char *plan_hash;
	struct buf *line;
	size_t start; /* of it in line */
	struct doc doc;
	struct diag *d;
};

static bool counts(struct text event)
{
	return changes(event) || text_is(event, "undo");
}

static int keep_last(void *arg, const char *line, size_t n, uint64_t offset)
{
	struct last *l = arg;

	(void)offset;
	if (!memmem(line, n, l->plan_hash, HEX_LEN))
		return 0;
	if (doc_parse(&l->doc, line, n, RECORD_MAX_DEPTH) < 0)
		return diag_add(l->d, MIG_INVALID, "ledger_broken", ledger_name, "an entry is not JSON");
	struct text event = ledger_line_member(&l->doc, "event");
	bool own = text_is(ledger_line_member(&l->doc, "plan_hash"), l->plan_hash);
	bool undoes = text_is(ledger_line_member(&l->doc, "undoes"), l->plan_hash);

	if ((own && counts(event)) || (undoes && text_is(event, "rollback"))) {
		buf_setlen(l->line, l->start);
		buf_add(l->line, line, n);
	}
	return 0;
}

int instant_standing_last(int fd, const char *plan_hash, struct buf *out, struct diag *d)
{
	struct last l = { .plan_hash = plan_hash, .line = out, .start = out->len, .doc = DOC_INIT, .d = d };

	buf_reserve(out, 1);
	int rc = ledger_lines(fd, keep_last, &l, d);

	doc_release(&l.doc);
	return rc < 0 ? -1 : out->len > l.start;
}
