/* prune.c -- see prune.h */
#include "prune.h"

#include "stream.h"

#include <stdlib.h>

static bool blank(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] != ' ' && t.s[i] != '\t')
			return false;
	return true;
}

/* Originals are what a rollback needs: in prod they go by a ticket only, as everything else does. */
static int allow(void *arg, const struct store_pruned *p, struct diag *d)
{
	const struct prune_ask *ask = arg;

	if (!ask->apply)
		return 1;
	if (!p->prod || !blank(ask->ctx.grant->ticket))
		return 0;
	diag_hint(d, "mig-apply --prune .. --apply --prod-override TICKET");
	return diag_add(d, MIG_UNSAFE, "prod_ticket", NULL, "plans of env prod require a ticket: --prod-override");
}

/* {"applied":true,"before":..,"bytes":..,"kind":"prune","ledger":{"head":H,"seq":N},"objects":..,"plans":[H,..]} */
static void write_record(struct buf *b, const struct prune_ask *ask, const struct store_pruned *p)
{
	struct rec w, in;

	rec_open(&w, b);
	rec_bool(&w, "applied", ask->apply);
	rec_cstr(&w, "before", ask->before);
	rec_int(&w, "bytes", p->bytes);
	rec_cstr(&w, "kind", "prune");
	rec_name(&w, "ledger");
	if (p->seq < 0) {
		buf_addstr(b, "null");
	} else {
		rec_open(&in, b);
		rec_cstr(&in, "head", p->head);
		rec_int(&in, "seq", p->seq);
		rec_close(&in);
	}
	rec_int(&w, "objects", p->objects);
	rec_name(&w, "plans");
	buf_addch(b, '[');
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buf_addch(b, ',');
		canon_string(b, p->plan[i], HEX_LEN);
	}
	buf_addch(b, ']');
	rec_close(&w);
}

int prune_run(struct store *s, const struct prune_ask *ask, struct out *out, struct diag *d)
{
	struct store_pruned p = { .seq = -1 };
	struct buf b = BUF_INIT;
	char digest[HEX_SIZE];
	int rc = 0;

	if (ask->apply && (rc = s->ops->lock(s, (unsigned)ask->lock_timeout, &ask->ctx, d)) == 0)
		rc = s->ops->recover(s, &ask->ctx, d);
	if (rc == 0)
		rc = s->ops->prune(s, ask->before, &ask->ctx, allow, (void *)(uintptr_t)ask, &p, d);
	if (rc == 0) {
		write_record(&b, ask, &p);
		digest_hex(NULL, 0, digest);
		rc = stream_put(out, b.s, b.len) < 0 ? -1 : stream_put_end(out, "mig-apply", 0, digest);
	}
	buf_release(&b);
	store_pruned_release(&p);
	return rc;
}
