/* rehearsal.c -- see rehearsal.h */
#include "rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* {"findings":[{"rule_id":"rehearsed",..}],"ok":true,..} */
static bool is_rehearsed(const struct record *r)
{
	const struct doc *d = r->doc;
	uint32_t ok = record_get(r, "ok"), list = record_get(r, "findings");

	if (d->tok[ok].type != DOC_TRUE)
		return false;
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next)
		if (doc_equals(d, doc_member(d, t, "rule_id", 7), "rehearsed", 9))
			return true;
	return false;
}

static void take(struct rehearsals *x, const char *hash)
{
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 16;
		x->hash = xrealloc(x->hash, x->cap, sizeof *x->hash);
	}
	memcpy(x->hash[x->n++], hash, HEX_SIZE);
}

static int read_stream(struct rehearsals *x, struct stream *in, struct diag *d)
{
	struct tally seen;
	struct record r;
	int rc;

	tally_init(&seen);
	while ((rc = stream_next(in, &r, d)) > 0) {
		char *hash = r.kind == KIND_VERDICT ? record_dup(r.doc, record_get(&r, "plan_hash")) : NULL;

		if (hash && strlen(hash) == HEX_LEN) {
			tally_plan(&seen, hash);
			if (is_rehearsed(&r))
				take(x, hash);
		}
		free(hash);
	}
	if (rc == 0 && !in->fault)
		rc = stream_verify_end(in, &seen, d);
	tally_release(&seen);
	return rc;
}

int rehearsals_read(struct rehearsals *x, const char *file, struct diag *d)
{
	struct stream in;
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	x->asked = true;
	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, "missing_rehearsal", file, "cannot open: %s", strerror(errno));
	stream_init(&in, fd, "mig-gate");
	int rc = read_stream(x, &in, d);

	stream_release(&in);
	close(fd);
	return rc;
}

void rehearsals_release(struct rehearsals *x)
{
	free(x->hash);
	*x = (struct rehearsals){ .asked = false };
}

int rehearsals_check(const struct rehearsals *x, const struct plan *p, struct diag *d)
{
	if (!x->asked || !plan_of_sql(p) || p->rollback_mode)
		return 0;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->hash[i], p->hash) == 0)
			return 0;
	diag_hint(d, "mig-verify --store STORE --rehearse < PLANS > FILE, then mig-gate .. --rehearsed FILE");
	return diag_add(d, MIG_UNSAFE, "rehearsal", NULL, "the plan %.12s was not tried, forth and back, on a copy",
	                p->hash);
}
