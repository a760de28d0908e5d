/* trust.c -- see trust.h */
#include "trust.h"

void trust_release(struct trust *t)
{
	keyring_release(&t->keys);
	uses_release(&t->uses);
	*t = (struct trust)TRUST_INIT;
}

int trust_read(struct trust *t, char *const *paths, struct diag *d)
{
	if (!paths || !*paths)
		return 0;
	t->insists = true;
	return keyring_read(&t->keys, paths, d);
}

struct loading {
	struct trust *t;
	struct diag *d;
};

static int add_key(void *arg, const char *name, const struct buf *pem)
{
	struct loading *l = arg;
	struct key *k = key_parse(pem->s ? pem->s : "", pem->len, name, false, l->d);

	if (!k)
		return -1;
	keyring_add(&l->t->keys, k);
	return 0;
}

int trust_store(struct trust *t, struct store *s, struct diag *d)
{
	struct loading l = { t, d };

	if (t->insists)
		return 0;
	int rc = s->ops->trust(s, add_key, &l, d);

	/* a folder without keys is a mistake, and not to be taken for an open door */
	t->insists = rc == 1;
	if (t->insists && !t->keys.n)
		diag_warn(d, "no_keys", NULL,
		          "the store's folder trust holds no key called NAME.pem: no signature counts");
	return rc < 0 ? -1 : 0;
}

static int check_signature(const struct trust *t, const struct grant *g, const struct plan *p, const struct doc *doc,
                           uint32_t grant, const char *where, struct diag *d)
{
	if (!t->insists || g->dry_run)
		return 0;
	if (!g->signature.s) {
		diag_hint(d, "mig-gate .. --sign KEY.pem, with a key that is trusted here");
		return diag_add(d, MIG_UNSAFE, "unsigned_permit", where, "the permit is not signed");
	}
	if (grant_signer(g, doc, grant, p->hash, &t->keys))
		return 0;
	diag_hint(d, "mig-gate .. --sign KEY.pem, with a key that is trusted here");
	return diag_add(d, MIG_UNSAFE, "foreign_signature", where,
	                g->key_id.s && keyring_knows(&t->keys, g->key_id)
	                        ? "the signature does not hold: the permit was edited"
	                        : "no trusted key made the permit's signature");
}

static struct moment time_of(const char *now)
{
	struct moment m;

	return now && moment_read((struct text){ now, strlen(now) }, &m) ? m : moment_now();
}

static int expired(struct diag *d, const char *where, struct text at)
{
	diag_hint(d, "mig-gate again: a fresh permit for the same plan");
	return diag_add(d, MIG_UNSAFE, "expired_permit", where, "the permit expired%s%.*s", at.s ? " at " : "",
	                (int)at.n, at.s ? at.s : "");
}

static int check_expiry(struct trust *t, const struct grant *g, const char *now, const char *where, struct diag *d)
{
	struct moment until;

	if (!g->expires_at.s)
		return 0;
	if (!moment_read(g->expires_at, &until))
		return diag_add(d, MIG_USAGE, "bad_record", where, "grant: \"expires_at\" is not a time");
	if (moment_compare(time_of(now), until) >= 0)
		return expired(d, where, g->expires_at);
	if (!t->expires || moment_compare(until, t->until) < 0)
		t->until = until;
	t->expires = true;
	return 0;
}

int trust_permit(struct trust *t, const struct grant *g, const struct plan *p, const struct doc *doc, uint32_t grant,
                 const char *now, const char *where, struct diag *d)
{
	if (check_signature(t, g, p, doc, grant, where, d) < 0 || check_expiry(t, g, now, where, d) < 0)
		return -1;
	if (!g->dry_run)
		uses_add(&t->uses, g, p);
	return 0;
}

int trust_begin(struct trust *t, struct store *s, const char *now, struct diag *d)
{
	if (t->expires && moment_compare(time_of(now), t->until) >= 0)
		return expired(d, NULL, (struct text){ NULL, 0 });
	return s->ops->spent(s, &t->uses, d);
}
