/* approval.c -- see approval.h */
#include "approval.h"

#include "io.h"

#include <stdlib.h>

struct given {
	const char *path;
	struct buf text, arena; /* what a points into */
	struct approval a;
	char signer[HEX_SIZE];  /* the id of the key, whatever the file calls it */
};

static const char domain[] = "mig-approval-v1\n";

static void write_members(struct buf *out, const struct approval *a, const char *signature)
{
	struct rec w;

	rec_open(&w, out);
	rec_str(&w, "approver", a->approver);
	rec_str(&w, "digest", a->digest);
	rec_str(&w, "env", a->env);
	rec_str(&w, "expires_at", a->expires_at);
	rec_str(&w, "key_id", a->key_id);
	rec_cstr(&w, "kind", "approval");
	if (signature)
		rec_cstr(&w, "signature", signature);
	rec_str(&w, "ticket", a->ticket);
	rec_close(&w);
}

void approval_write(struct buf *out, const struct approval *a, const struct key *k)
{
	struct buf b = BUF_INIT;
	char signature[SIGNATURE_SIZE];

	buf_addstr(&b, domain);
	write_members(&b, a, NULL);
	key_sign(k, b.s, b.len, signature);
	write_members(out, a, signature);
	buf_release(&b);
}

void approvals_release(struct approvals *a)
{
	for (size_t i = 0; i < a->n; i++) {
		buf_release(&a->list[i].text);
		buf_release(&a->list[i].arena);
	}
	free(a->list);
	*a = (struct approvals)APPROVALS_INIT;
}

static int bad(struct diag *d, const char *path, const char *why)
{
	return diag_add(d, MIG_INVALID, "bad_approval", path, "not an approval: %s", why);
}

/* The members, in canonical order. */
static const struct member members[] = { { "approver", IS_STR },   { "digest", IS_STR }, { "env", IS_STR },
	                                 { "expires_at", IS_STR }, { "key_id", IS_STR }, { "kind", IS_STR },
	                                 { "signature", IS_STR },  { "ticket", IS_STR }, { NULL, 0 } };

static int read_members(struct given *g, const struct doc *doc, struct diag *d)
{
	struct diag why = DIAG_INIT;
	struct moment m;
	uint32_t t[8];

	if (doc->tok[0].type != DOC_OBJECT)
		return bad(d, g->path, "not an object");
	if (shape_check(doc, 0, members, t, "approval", NULL, &why) < 0) {
		bad(d, g->path, why.list[0].message);
		diag_release(&why);
		return -1;
	}
	buf_reserve(&g->arena, doc->len);
	g->a = (struct approval){
		.approver = record_text(doc, t[0], &g->arena),
		.digest = record_text(doc, t[1], &g->arena),
		.env = record_text(doc, t[2], &g->arena),
		.expires_at = record_text(doc, t[3], &g->arena),
		.key_id = record_text(doc, t[4], &g->arena),
		.ticket = record_text(doc, t[7], &g->arena),
	};
	if (!doc_equals(doc, t[5], "approval", 8))
		return bad(d, g->path, "its kind is another");
	if (!g->a.approver.n || !g->a.ticket.n)
		return bad(d, g->path, "no approver or no ticket");
	return moment_read(g->a.expires_at, &m) ? 0 : bad(d, g->path, "expires_at is not a time");
}

static int verify(struct given *g, const struct doc *doc, const struct keyring *trusted, struct diag *d)
{
	struct buf b = BUF_INIT, arena = BUF_INIT;
	uint32_t t = doc_member(doc, 0, "signature", 9);

	buf_addstr(&b, domain);
	canon_value(&b, doc, 0, t);
	const struct key *k = keyring_find(trusted, b.s, b.len, record_text(doc, t, &arena));
	bool known = keyring_knows(trusted, g->a.key_id);

	buf_release(&b);
	buf_release(&arena);
	if (k) {
		memcpy(g->signer, key_id(k), HEX_SIZE);
		return 0;
	}
	diag_hint(d, "mig approve --key KEY.pem, with a key that mig-gate --trust names");
	return diag_add(d, MIG_UNSAFE, "approval_signature", g->path,
	                known ? "the signature does not hold: the approval was edited"
	                      : "no trusted key made its signature");
}

static int read_one(struct given *g, const struct keyring *trusted, struct diag *d)
{
	struct doc doc = DOC_INIT;
	int rc = io_read_file(g->path, &g->text, "missing_approval", d);

	if (rc == 0 && !g->text.s)
		rc = bad(d, g->path, "an empty file");
	else if (rc == 0 && doc_parse(&doc, g->text.s, g->text.len, RECORD_MAX_DEPTH) < 0)
		rc = diag_add(d, MIG_INVALID, "bad_approval", g->path, "line %zu, column %zu: %s", doc.err.line,
		              doc.err.column, doc.err.reason);
	if (rc == 0)
		rc = read_members(g, &doc, d);
	if (rc == 0)
		rc = verify(g, &doc, trusted, d);
	doc_release(&doc);
	return rc;
}

int approvals_read(struct approvals *a, char *const *paths, const struct keyring *trusted, struct diag *d)
{
	int rc = 0;

	for (; paths && *paths; paths++) {
		a->list = xrealloc(a->list, a->n + 1, sizeof *a->list);
		struct given *g = &a->list[a->n++];

		*g = (struct given){ .path = *paths };
		if (read_one(g, trusted, d) < 0)
			rc = -1;
	}
	return rc;
}

/* A key that stands for two people stands for nobody. */
static const struct given *namesake(const struct approvals *a, const struct given *g)
{
	for (const struct given *o = a->list; o < g; o++)
		if (strcmp(o->signer, g->signer) == 0 && !text_same(o->a.approver, g->a.approver))
			return o;
	return NULL;
}

/* What is wrong with it, whatever it speaks of. */
static int check_one(const struct approvals *a, const struct given *g, const char *env, struct moment now,
                     struct diag *d)
{
	const struct given *other = namesake(a, g);
	const struct approval *it = &g->a;
	struct moment until;
	int rc = 0;

	if (!text_is(it->env, env))
		rc = diag_add(d, MIG_UNSAFE, "approval_env", g->path, "it approves for env %.*s, not %s",
		              (int)it->env.n, it->env.s, env);
	if (!moment_read(it->expires_at, &until) || moment_compare(now, until) >= 0)
		rc = diag_add(d, MIG_UNSAFE, "approval_expired", g->path, "it expired at %.*s", (int)it->expires_at.n,
		              it->expires_at.s);
	if (other)
		rc = diag_add(d, MIG_UNSAFE, "approval_name", g->path,
		              "its key signed for another approver as well: %s", other->path);
	return rc;
}

int approvals_check(const struct approvals *a, const char *digest, const char *env, struct moment now, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct given *g = &a->list[i];
		const struct approval *it = &g->a;

		if (!text_is(it->digest, digest))
			rc = diag_add(d, MIG_UNSAFE, "approval_digest", g->path,
			              "it approves the plans of digest %.*s, these have %s", (int)it->digest.n,
			              it->digest.s, digest);
		if (check_one(a, g, env, now, d) < 0)
			rc = -1;
	}
	if (rc)
		diag_hint(d, "mig approve --digest %s --env %s --approver NAME --ticket TICKET --expires-at TIME "
		          "--key KEY.pem", digest, env);
	return rc;
}

int approvals_check_each(const struct approvals *a, bool (*about)(void *arg, struct text digest), void *arg,
                         const char *env, struct moment now, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct given *g = &a->list[i];

		if (!about(arg, g->a.digest))
			rc = diag_add(d, MIG_UNSAFE, "approval_digest", g->path, "it confirms something else: %.*s",
			              (int)g->a.digest.n, g->a.digest.s);
		if (check_one(a, g, env, now, d) < 0)
			rc = -1;
	}
	return rc;
}

bool approvals_hold(const struct approvals *a, const char *digest)
{
	for (size_t i = 0; i < a->n; i++)
		if (text_is(a->list[i].a.digest, digest))
			return true;
	return false;
}

static bool again(const struct approvals *a, const struct given *g)
{
	for (const struct given *o = a->list; o < g; o++)
		if (text_same(o->a.approver, g->a.approver))
			return true;
	return false;
}

size_t approvals_count(const struct approvals *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += !again(a, &a->list[i]);
	return n;
}

void approvals_json(const struct approvals *a, struct buf *out)
{
	bool any = false;

	buf_addch(out, '[');
	for (size_t i = 0; i < a->n; i++) {
		const struct given *g = &a->list[i];
		struct rec w;

		if (again(a, g))
			continue;
		if (any)
			buf_addch(out, ',');
		any = true;
		rec_open(&w, out);
		rec_str(&w, "approver", g->a.approver);
		rec_cstr(&w, "key_id", g->signer);
		rec_str(&w, "ticket", g->a.ticket);
		rec_close(&w);
	}
	buf_addch(out, ']');
}
