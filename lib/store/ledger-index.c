/* ledger-index.c -- what a ledger says of a plan, by the index of ledger.h */
#include "io.h"
#include "ledger-line.h"
#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

void ledger_mark_add(struct ledger *l, struct text plan_hash, struct text event, uint64_t offset, size_t len)
{
	if (text_is(event, "verify"))
		return;
	if (l->nmark == l->markcap) {
		l->markcap = l->markcap ? l->markcap * 2 : 64;
		l->mark = xrealloc(l->mark, l->markcap, sizeof *l->mark);
	}
	struct ledger_mark *m = &l->mark[l->nmark++];

	*m = (struct ledger_mark){ .offset = offset, .len = len };
	ledger_line_keep(m->plan_hash, sizeof m->plan_hash, plan_hash);
	ledger_line_keep(m->event, sizeof m->event, event);
}

struct indexing {
	struct ledger *l;
	struct doc doc;
	struct diag *d;
};

/* A hash in a list; none where there is something else. */
static struct text hash_at(const struct doc *e, uint32_t t)
{
	if (e->tok[t].type != DOC_STRING || e->tok[t].len != HEX_LEN + 2)
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, HEX_LEN };
}

static int index_line(void *arg, const char *s, size_t n, uint64_t offset)
{
	struct indexing *x = arg;

	if (offset >= x->l->size)
		return 0;
	if (doc_parse(&x->doc, s, n, RECORD_MAX_DEPTH) < 0)
		return diag_add(x->d, MIG_INVALID, "ledger_broken", ledger_name,
		                "line at byte %" PRIu64 ": not JSON", offset);
	uint32_t plans = doc_member(&x->doc, 0, "plans", 5);
	struct text event = ledger_line_member(&x->doc, "event");

	if (plans != DOC_NONE && x->doc.tok[plans].type == DOC_ARRAY)
		for (uint32_t t = plans + 1; t < x->doc.tok[plans].next; t = x->doc.tok[t].next)
			ledger_mark_add(x->l, hash_at(&x->doc, t), event, offset, n);
	else
		ledger_mark_add(x->l, ledger_line_member(&x->doc, "plan_hash"), event, offset, n);
	return 0;
}

static int build_index(struct ledger *l, struct diag *d)
{
	struct indexing x = { .l = l, .doc = DOC_INIT, .d = d };

	if (l->indexed)
		return 0;
	l->nmark = 0;
	int rc = ledger_lines(l->fd, index_line, &x, d);

	doc_release(&x.doc);
	l->indexed = rc == 0;
	return rc;
}

static bool is_prune(const struct ledger_mark *m)
{
	return strcmp(m->event, "prune") == 0;
}

/* Does the entry leave what became of its plan as it was? */
static bool is_aside(const struct ledger_mark *m)
{
	return is_prune(m) || strcmp(m->event, "conflict") == 0 || strcmp(m->event, "step") == 0;
}

static int relay_last(struct ledger *l, const char *plan_hash, struct relay_answer *a, struct diag *d)
{
	*a = (struct relay_answer){ .known = false };
	return l->relay->ask(l->relay->arg, RELAY_LAST, false, plan_hash, HEX_LEN, a, d);
}

const struct ledger_mark *ledger_last(struct ledger *l, const char *plan_hash, struct diag *d)
{
	struct relay_answer a;

	if (l->relay) {
		if (relay_last(l, plan_hash, &a, d) < 0 || !a.known)
			return NULL;
		memcpy(l->relayed.event, a.event, sizeof a.event);
		return &l->relayed;
	}
	if (build_index(l, d) < 0)
		return NULL;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0 && !is_aside(&l->mark[i]))
			return &l->mark[i];
	return NULL;
}

int ledger_pruned(struct ledger *l, const char *plan_hash, struct diag *d)
{
	struct relay_answer a;

	if (l->relay)
		return relay_last(l, plan_hash, &a, d) < 0 ? -1 : a.pruned;
	if (build_index(l, d) < 0)
		return -1;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0)
			return is_prune(&l->mark[i]);
	return 0;
}

const struct ledger_mark *ledger_find(struct ledger *l, const char *plan_hash, const char *event, struct diag *d)
{
	if (build_index(l, d) < 0)
		return NULL;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0 && strcmp(l->mark[i].event, event) == 0)
			return &l->mark[i];
	return NULL;
}

int ledger_entry(struct ledger *l, const struct ledger_mark *m, struct buf *out, struct diag *d)
{
	buf_reserve(out, m->len);
	ssize_t r = io_read_at(l->fd, out->s + out->len, m->len, m->offset);

	if (r != (ssize_t)m->len)
		return diag_add(d, MIG_ERROR, "io_failed", ledger_name, "cannot read: %s",
		                r < 0 ? strerror(errno) : "it shrank");
	buf_setlen(out, out->len + m->len);
	return 0;
}

/* By plan, and for each in the order of the ledger. */
static int by_plan(const void *a, const void *b)
{
	const struct ledger_mark *x = *(const struct ledger_mark *const *)a, *y = *(const struct ledger_mark *const *)b;
	int c = memcmp(x->plan_hash, y->plan_hash, HEX_LEN);

	return c ? c : x < y ? -1 : x > y;
}

static int last_first(const void *a, const void *b)
{
	const struct ledger_mark *x = *(const struct ledger_mark *const *)a, *y = *(const struct ledger_mark *const *)b;

	return x > y ? -1 : x < y;
}

int ledger_unfinished(struct ledger *l, char ***hash, size_t *n, struct diag *d)
{
	size_t all = 0, open = 0;

	*hash = NULL;
	*n = 0;
	if (build_index(l, d) < 0)
		return -1;
	const struct ledger_mark **m = xcalloc(l->nmark, sizeof *m);

	for (size_t i = 0; i < l->nmark; i++)
		if (!is_aside(&l->mark[i]))
			m[all++] = &l->mark[i];
	if (all)
		qsort(m, all, sizeof *m, by_plan);
	for (size_t i = 0; i < all; i++)
		if (strcmp(m[i]->event, "begin") == 0 &&
		    (i + 1 == all || memcmp(m[i]->plan_hash, m[i + 1]->plan_hash, HEX_LEN) != 0))
			m[open++] = m[i];
	if (open)
		qsort(m, open, sizeof *m, last_first);
	*hash = xcalloc(open, sizeof **hash);
	while (*n < open) {
		(*hash)[*n] = xstrdup(m[*n]->plan_hash);
		++*n;
	}
	free(m);
	return 0;
}
