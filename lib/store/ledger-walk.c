/* ledger-walk.c -- a ledger's chain, of ledger.h, computed once more from its start */
#include "ledger-line.h"
#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>

struct chain {
	struct doc doc;
	int (*each)(void *arg, const struct doc *entry);
	void *arg;
	int64_t seq;
	char *head;
	struct diag *d;
};

static int broken_link(const struct chain *c, const char *why)
{
	char at[32];

	snprintf(at, sizeof at, "entry %" PRId64, c->seq + 1);
	return diag_add(c->d, MIG_INVALID, "ledger_broken", at, "%s", why);
}

static int check_link(void *arg, const char *s, size_t n, uint64_t offset)
{
	struct chain *c = arg;
	int64_t seq;
	char hash[HEX_SIZE];
	const char *why = ledger_line_read(&c->doc, s, n, &seq, hash);

	(void)offset;
	if (why)
		return broken_link(c, why);
	if (!text_is(ledger_line_member(&c->doc, "prev"), c->head))
		return broken_link(c, "its prev is not the hash of the entry before: "
		                      "one was taken out, put in or moved");
	if (seq != c->seq + 1)
		return broken_link(c, "its seq does not follow");
	c->seq = seq;
	memcpy(c->head, hash, HEX_SIZE);
	return c->each ? c->each(c->arg, &c->doc) : 0;
}

int ledger_walk(int fd, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d)
{
	struct chain c = { .doc = DOC_INIT, .each = each, .arg = arg, .head = head, .d = d };

	memcpy(head, LEDGER_START, HEX_SIZE);
	int rc = ledger_lines(fd, check_link, &c, d);

	*seq = c.seq;
	doc_release(&c.doc);
	return rc;
}
