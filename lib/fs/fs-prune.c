/* fs-prune.c -- see fs-prune.h */
#include "fs-prune.h"

#include "fs-names.h"
#include "fs-stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHA_BYTES = HEX_LEN / 2 };

/* What the ledger says last of a plan. */
struct known {
	char hash[HEX_SIZE];
	char time[LEDGER_TIME_SIZE]; /* of that */
	bool ended;                  /* applied, rolled back or undone */
	bool pruned;                 /* and named by a prune since */

	bool prod;
};

struct pruning {
	struct fs *fs;
	const char *before;
	struct store_pruned *out;
	struct diag *d;
	struct known *known;      /* a table by hash, with room for size, at least twice as many as there are */
	size_t nknown, size;
	unsigned char (*needed)[SHA_BYTES]; /* the originals of plans that stay */
	size_t nneeded, cap;
	char **object;            /* those that go */
	size_t nobject;
};

/* Its place in the table, or the free one where it belongs.  A hash is as random as a place in a table has to be. */
static struct known *place(struct known *table, size_t size, const char *hash)
{
	size_t at = 0;

	for (size_t i = 0; i < 8; i++)
		at = at * 31 + (unsigned char)hash[i];
	while (table[at % size].hash[0] && memcmp(table[at % size].hash, hash, HEX_LEN) != 0)
		at++;
	return &table[at % size];
}

static struct known *find(struct pruning *r, const char *hash)
{
	struct known *k = r->size ? place(r->known, r->size, hash) : NULL;

	return k && k->hash[0] ? k : NULL;
}

static void grow(struct pruning *r)
{
	size_t size = r->size ? r->size * 2 : 256;
	struct known *table = xcalloc(size, sizeof *table);

	for (size_t i = 0; i < r->size; i++)
		if (r->known[i].hash[0])
			*place(table, size, r->known[i].hash) = r->known[i];
	free(r->known);
	r->known = table;
	r->size = size;
}

/* What is known of the plan; something, from now on. */
static struct known *known(struct pruning *r, const char *hash)
{
	if (r->nknown * 2 >= r->size)
		grow(r);
	struct known *k = place(r->known, r->size, hash);

	if (!k->hash[0]) {
		memcpy(k->hash, hash, HEX_LEN);
		r->nknown++;
	}
	return k;
}

/* A member that is a string without escapes, of n characters if n is not 0. */
static struct text plain(const struct doc *e, uint32_t t, size_t n)
{
	if (t == DOC_NONE || e->tok[t].type != DOC_STRING || (n && e->tok[t].len != n + 2))
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, e->tok[t].len - 2 };
}

static struct text member(const struct doc *e, const char *name, size_t n)
{
	return plain(e, doc_member(e, 0, name, strlen(name)), n);
}

static void set_state(struct pruning *r, const struct doc *e, struct text hash, bool ended)
{
	struct text time = member(e, "time", 0);
	struct known *k = known(r, hash.s);

	k->ended = ended;
	k->pruned = false;
	k->prod = text_is(member(e, "env", 0), "prod");
	snprintf(k->time, sizeof k->time, "%.*s", (int)time.n, time.s ? time.s : "");
}

static int see_entry(void *arg, const struct doc *e)
{
	struct pruning *r = arg;
	struct text event = member(e, "event", 0), hash = member(e, "plan_hash", HEX_LEN);
	struct text undoes = member(e, "undoes", HEX_LEN);
	uint32_t plans = doc_member(e, 0, "plans", 5);

	if (text_is(event, "prune") && plans != DOC_NONE && e->tok[plans].type == DOC_ARRAY) {
		for (uint32_t t = plans + 1; t < e->tok[plans].next; t = e->tok[t].next)
			if (plain(e, t, HEX_LEN).s)
				known(r, plain(e, t, HEX_LEN).s)->pruned = true;
		return 0;
	}
	if (!hash.s || text_is(event, "conflict"))
		return 0;
	bool begun = text_is(event, "begin");

	if (!begun && !text_is(event, "commit") && !text_is(event, "undo") && !text_is(event, "rollback"))
		return 0;
	set_state(r, e, hash, !begun);
	/* as long as a rollback is open, what it undoes is needed to complete it, or to undo it */
	if (undoes.s)
		set_state(r, e, undoes, !begun);
	return 0;
}

/* RFC 3339 in UTC.  Fractions do not count: what is in doubt is kept. */
static bool is_before(const char *time, const char *limit)
{
	enum { SECONDS = 19 };

	return *time && strncmp(time, limit, SECONDS) < 0;
}

/* One that is stored but was never begun is of no use: its begin would be in the ledger. */
static bool goes(const struct pruning *r, const struct known *k)
{
	return k->pruned || (k->ended ? is_before(k->time, r->before) : !*k->time);
}

static void need(struct pruning *r, const char *hex)
{
	if (r->nneeded == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 256;
		r->needed = xrealloc(r->needed, r->cap, sizeof *r->needed);
	}
	unsigned char *to = r->needed[r->nneeded++];

	for (size_t i = 0; i < SHA_BYTES; i++) {
		const char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		to[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
}

/* What a plan that stays has replaced, and what its rollback would. */
static int need_plan(struct pruning *r, const char *hash)
{
	struct plan p = PLAN_INIT;
	struct doc doc = DOC_INIT;
	struct buf text = BUF_INIT;
	int rc = fs_stored_plan(&r->fs->state, hash, &text, r->d) < 0 ? -1 : 0;

	if (rc == 0 && (!text.s || doc_parse(&doc, text.s, text.len, RECORD_MAX_DEPTH) < 0))
		rc = diag_add(r->d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is damaged");
	if (rc == 0)
		rc = plan_read(&p, &doc, 0, hash, r->d);
	for (size_t i = 0; rc == 0 && i < p.nstep; i++)
		need(r, p.step[i].raw.s);
	plan_release(&p);
	doc_release(&doc);
	buf_release(&text);
	return rc;
}

/* The bytes that a plan that stays has written: what a rollback of it displaces. */
static int need_written(void *arg, const struct doc *e)
{
	struct pruning *r = arg;
	struct text hash = member(e, "plan_hash", HEX_LEN);
	uint32_t list = doc_member(e, 0, "written", 7);
	const struct known *k = hash.s ? find(r, hash.s) : NULL;

	if (!k || goes(r, k) || list == DOC_NONE || e->tok[list].type != DOC_ARRAY)
		return 0;
	for (uint32_t t = list + 1; t < e->tok[list].next; t = e->tok[t].next)
		if (plain(e, t, HEX_LEN).s)
			need(r, plain(e, t, HEX_LEN).s);
	return 0;
}

static int walk(struct pruning *r, int (*each)(void *arg, const struct doc *entry))
{
	char head[HEX_SIZE];
	int64_t seq;

	return r->fs->ledger.fd < 0 ? 0 : ledger_walk(r->fs->ledger.fd, each, r, &seq, head, r->d);
}

static bool is_hash(const char *name)
{
	return strspn(name, "0123456789abcdef") >= HEX_LEN;
}

static int list_of(struct pruning *r, int dir, const char *shown, struct fs_names *names)
{
	*names = (struct fs_names){ .n = 0 };
	if (dir >= 0 && fs_names(dir, names) < 0)
		return fs_fault(r->d, shown, "read", errno, false);
	return 0;
}

/* What is in .mig/plans, sorted by what becomes of it. */
static int look_at_plans(struct pruning *r)
{
	struct fs_names names;
	int rc = list_of(r, r->fs->state.plans, FS_STATE "/plans", &names);

	r->out->plan = xcalloc(names.n, sizeof *r->out->plan);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		char hash[HEX_SIZE];

		if (!is_hash(names.name[i]) || strcmp(names.name[i] + HEX_LEN, ".json") != 0)
			continue;
		memcpy(hash, names.name[i], HEX_LEN);
		hash[HEX_LEN] = '\0';
		struct known *k = known(r, hash);


		if (!goes(r, k)) {
			rc = need_plan(r, hash);
			continue;
		}
		r->out->plan[r->out->n++] = xstrdup(hash);
		r->out->prod = r->out->prod || k->prod;
	}
	fs_names_release(&names);
	return rc;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, SHA_BYTES);
}

static bool is_needed(struct pruning *r, const char *name)
{
	unsigned char key[SHA_BYTES];

	need(r, name);
	memcpy(key, r->needed[--r->nneeded], SHA_BYTES);
	return r->nneeded && bsearch(key, r->needed, r->nneeded, SHA_BYTES, by_bytes);
}

static int look_at_objects(struct pruning *r)
{
	struct fs_names names;
	int rc = list_of(r, r->fs->state.objects, FS_STATE "/objects", &names);

	if (r->nneeded)
		qsort(r->needed, r->nneeded, SHA_BYTES, by_bytes);
	r->object = xcalloc(names.n, sizeof *r->object);
	for (size_t i = 0; i < names.n && rc == 0; i++) {
		struct stat st;

		if (!is_hash(names.name[i]) || names.name[i][HEX_LEN] || is_needed(r, names.name[i]) ||
		    fstatat(r->fs->state.objects, names.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		r->object[r->nobject++] = xstrdup(names.name[i]);
		r->out->objects++;
		r->out->bytes += st.st_size;
	}
	fs_names_release(&names);
	return rc;
}

static int note(struct pruning *r, const struct apply_ctx *c)
{
	char time[LEDGER_TIME_SIZE];
	struct entry e = {
		.event = "prune",
		.actor = c->grant->actor,
		.ticket = c->grant->ticket,
		.user = { r->fs->user, strlen(r->fs->user) },
		.time = time,
		.before = r->before,
		.plans = r->out->plan,
		.nplans = r->out->n,
		.objects = r->out->objects,
		.bytes = r->out->bytes,
	};
	bool unsure;

	ledger_time(c->now, time);
	ledger_append(&r->fs->ledger, &e);
	if (ledger_sync(&r->fs->ledger, false, &unsure, r->d) < 0)
		return -1;
	r->out->seq = r->fs->ledger.seq;
	memcpy(r->out->head, r->fs->ledger.head, HEX_SIZE);
	return 0;
}

static int drop_in(struct pruning *r, int dir, const char *shown, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	diag_hint(r->d, "the ledger has the prune; do the same again to remove the rest");
	return fs_fault(r->d, shown, "remove what was pruned", errno, true);
}

static int drop(struct pruning *r)
{
	char name[HEX_SIZE + 8];
	int rc = 0;

	for (size_t i = 0; i < r->nobject && rc == 0; i++)
		rc = drop_in(r, r->fs->state.objects, FS_STATE "/objects", r->object[i]);
	for (size_t i = 0; i < r->out->n && rc == 0; i++) {
		snprintf(name, sizeof name, "%s.json", r->out->plan[i]);
		rc = drop_in(r, r->fs->state.plans, FS_STATE "/plans", name);
	}
	return rc;
}

static void release(struct pruning *r)
{
	free(r->known);
	for (size_t i = 0; i < r->nobject; i++)
		free(r->object[i]);
	free(r->object);
	free(r->needed);
}

int fs_prune(struct fs *fs, const char *before, const struct apply_ctx *c,
             int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg, struct store_pruned *p,
             struct diag *d)
{
	struct pruning r = { .fs = fs, .before = before, .out = p, .d = d };
	int rc = walk(&r, see_entry);

	if (rc == 0)
		rc = look_at_plans(&r);
	if (rc == 0)
		rc = walk(&r, need_written);
	if (rc == 0)
		rc = look_at_objects(&r);
	if (rc == 0)
		rc = allow(arg, p, d);
	if (rc == 0 && fs->state.lock < 0)
		rc = diag_add(d, MIG_ERROR, "internal", fs->root.name, "nothing is pruned without the lock");
	if (rc == 0 && p->n + r.nobject)
		rc = note(&r, c) < 0 ? -1 : drop(&r);
	release(&r);
	return rc < 0 ? -1 : 0;
}
