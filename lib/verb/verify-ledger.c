/* verify-ledger.c -- see verify-ledger.h */
#include "verify-ledger.h"

#include "outcome.h"

#include <stdlib.h>

struct seeking {
	const char *head;
	bool found;
};

static int seek(void *arg, const struct doc *entry)
{
	struct seeking *s = arg;

	if (s->head && !s->found)
		s->found = doc_equals(entry, doc_member(entry, 0, "hash", 4), s->head, strlen(s->head));
	return 0;
}

static int put_verdict(struct out *out, int64_t seq, const char *head, const struct diag *d, size_t first)
{
	struct buf b = BUF_INIT;
	struct rec w, in;
	bool ok = diag_exit(d) == MIG_OK;

	rec_open(&w, &b);
	rec_cstr(&w, "code", exit_name(diag_exit(d)));
	rec_name(&w, "findings");
	findings_write(&b, d, first, "mig-verify");
	rec_cstr(&w, "kind", "verdict");
	rec_name(&w, "ledger");
	rec_open(&in, &b);
	rec_cstr(&in, "head", head);
	rec_int(&in, "seq", seq);
	rec_close(&in);
	rec_bool(&w, "ok", ok);
	rec_null(&w, "plan_hash");
	rec_null(&w, "rollback");
	rec_close(&w);
	int rc = stream_put(out, b.s, b.len);

	buf_release(&b);
	return rc;
}

int verify_ledger(struct store *s, const char *head, struct out *out, struct diag *d)
{
	/* the head of a ledger that had no entry yet fits every chain */
	struct seeking seeking = { .head = head, .found = head && strcmp(head, LEDGER_START) == 0 };
	char last[HEX_SIZE], nothing[HEX_SIZE];
	size_t first = d->n;
	int64_t seq;
	int rc = s->ops->ledger(s, seek, &seeking, &seq, last, d);

	if (rc == 0 && head && !seeking.found)
		rc = diag_add(d, MIG_INVALID, "head_missing", "ledger",
		              "no entry has the hash %s: the tail was cut, or the chain was written anew", head);
	if (put_verdict(out, seq, last, d, first) < 0 || rc < 0)
		return -1;
	digest_hex("", 0, nothing);
	return stream_put_end(out, "mig-verify", 0, nothing);
}
