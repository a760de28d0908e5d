/* spent.c -- see spent.h */
#include "spent.h"

#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

void uses_release(struct uses *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->list[i].nonce);
	free(u->list);
	*u = (struct uses)USES_INIT;
}

static void copy_hash(char to[HEX_SIZE], struct text hash)
{
	size_t n = hash.s && hash.n == HEX_LEN ? HEX_LEN : 0;

	if (n)
		memcpy(to, hash.s, n);
	to[n] = '\0';
}

void uses_add(struct uses *u, const struct grant *g, const struct plan *p)
{
	if (u->n == u->cap) {
		u->cap = u->cap ? u->cap * 2 : 16;
		u->list = xrealloc(u->list, u->cap, sizeof *u->list);
	}
	struct use *new = &u->list[u->n++];

	new->nonce = xmemdup(g->nonce.s, g->nonce.n);
	memcpy(new->plan_hash, p->hash, HEX_SIZE);
	copy_hash(new->undoes, p->undoes);
}

/* Does the file hold this text anywhere?  1, 0, or -1 and errno. */
static int holds(int fd, const struct buf *text)
{
	struct buf b = BUF_INIT;
	off_t at = 0;
	int rc = 0;

	buf_reserve(&b, CHUNK + text->len);
	while (rc == 0) {
		ssize_t r = pread(fd, b.s + b.len, CHUNK, at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			rc = r < 0 ? -1 : 0;
			break;
		}
		at += r;
		buf_setlen(&b, b.len + (size_t)r);
		rc = memmem(b.s, b.len, text->s, text->len) != NULL;
		/* what may be the beginning of it stays */
		size_t keep = b.len < text->len ? b.len : text->len - 1;

		memmove(b.s, b.s + b.len - keep, keep);
		buf_setlen(&b, keep);
	}
	buf_release(&b);
	return rc;
}

/* Is any of the nonces in the file?  Those of one run of the gate are the same. */
static int any_known(int fd, const struct uses *u, struct diag *d)
{
	struct buf member = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < u->n && rc == 0; i++) {
		const char *nonce = u->list[i].nonce;

		if (i && strcmp(nonce, u->list[i - 1].nonce) == 0)
			continue;
		buf_reset(&member);
		buf_addstr(&member, "\"nonce\":");
		canon_string(&member, nonce, strlen(nonce));
		rc = holds(fd, &member);
	}
	if (rc < 0)
		diag_add(d, MIG_ERROR, "io_failed", "ledger", "cannot read: %s", strerror(errno));
	buf_release(&member);
	return rc;
}

struct search {
	const struct uses *u;
	bool *used, *undone; /* by use: this grant did its plan; that was taken back */
};

static bool says(const struct doc *e, const char *name, const char *value)
{
	uint32_t t = doc_member(e, 0, name, strlen(name));

	return t != DOC_NONE && e->tok[t].type == DOC_STRING && doc_equals(e, t, value, strlen(value));
}

/* Does the entry take back what the use did? */
static bool takes_back(const struct doc *e, const struct use *use)
{
	if (use->undoes[0])
		return says(e, "plan_hash", use->undoes) && says(e, "event", "commit");
	return says(e, "undoes", use->plan_hash) && says(e, "event", "rollback");
}

static int look(void *arg, const struct doc *e)
{
	struct search *s = arg;

	for (size_t i = 0; i < s->u->n; i++) {
		const struct use *use = &s->u->list[i];

		if (says(e, "plan_hash", use->plan_hash)) {
			if (says(e, "nonce", use->nonce) && !says(e, "event", "undo") && !says(e, "event", "conflict"))
				s->used[i] = true;
		} else if (s->used[i] && takes_back(e, use)) {
			s->undone[i] = true;
		}
	}
	return 0;
}

static int report(const struct search *s, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < s->u->n && rc == 0; i++) {
		const struct use *use = &s->u->list[i];

		if (!s->undone[i])
			continue;
		diag_hint(d, "mig-gate again: a fresh permit for the same plan");
		rc = diag_add(d, MIG_UNSAFE, "spent_permit", use->plan_hash,
		              use->undoes[0] ? "this permit undid a plan that has been applied again since"
		                             : "this permit's plan has been rolled back since");
	}
	return rc;
}

int spent_check(int fd, const struct uses *u, struct diag *d)
{
	struct search s = { .u = u };
	char head[HEX_SIZE];
	int64_t seq;
	int rc = any_known(fd, u, d);

	if (rc != 1)
		return rc;
	s.used = xcalloc(u->n, sizeof *s.used);
	s.undone = xcalloc(u->n, sizeof *s.undone);
	rc = ledger_walk(fd, look, &s, &seq, head, d);
	if (rc == 0)
		rc = report(&s, d);
	free(s.used);
	free(s.undone);
	return rc;
}
