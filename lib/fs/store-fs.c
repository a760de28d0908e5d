/* store-fs.c -- fs:DIR, a folder of documents; see store.h */
#include "fs-apply.h"
#include "fs-lock.h"
#include "fs-orphans.h"
#include "fs-prune.h"
#include "fs-recover.h"
#include "fs-scan.h"
#include "fs-stored.h"
#include "fs-undo.h"
#include "sandbox.h"
#include "spent.h"
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OTHER_FILES = 64, FILES_A_DOCUMENT = 2 };

struct store_fs {
	struct store base;
	enum store_mode mode;
	struct fs fs;
};

static struct fs *fs_of(struct store *s)
{
	return &((struct store_fs *)s)->fs;
}

static int scan(struct store *s, char *const *globs, int (*each)(void *arg, const struct store_doc *doc), void *arg,
                struct diag *d)
{
	return fs_scan(&fs_of(s)->root, globs, each, arg, d);
}

static int orphans(struct store *s, int (*each)(void *arg, struct text ref, struct text target), void *arg,
                   struct diag *d)
{
	return fs_orphans(&fs_of(s)->root, each, arg, d);
}

static int read_doc(struct store *s, struct text ref, struct store_doc *doc, struct diag *d)
{
	return fs_read(&fs_of(s)->root, ref, &fs_of(s)->bytes, doc, d);
}

static bool is_hash(struct text t)
{
	return t.n == HEX_LEN && strspn(t.s, "0123456789abcdef") >= HEX_LEN;
}

static int stored_plan(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	struct text hash = { plan_hash, strlen(plan_hash) };
	int rc = fs_state_look(&fs_of(s)->state, d);

	if (rc == 0 && is_hash(hash))
		rc = fs_stored_plan(&fs_of(s)->state, plan_hash, out, d);
	if (rc == 0)
		return diag_add(d, MIG_PRECONDITION, "missing_plan", plan_hash, "this store has no such plan");
	return rc < 0 ? -1 : 0;
}

static int object(struct store *s, struct text raw, struct buf *out, struct diag *d)
{
	struct fs *fs = fs_of(s);
	char hex[HEX_SIZE];

	if (!is_hash(raw))
		return 0;
	memcpy(hex, raw.s, HEX_LEN);
	hex[HEX_LEN] = '\0';
	if (fs_state_look(&fs->state, d) < 0)
		return -1;
	int rc = fs_stored_object(&fs->state, hex, &fs->state.scratch, d);

	if (rc == 1)
		buf_add(out, fs->state.scratch.s, fs->state.scratch.len);
	return rc;
}

static int walk(struct store *s, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d)
{
	int err, fd;

	*seq = 0;
	memcpy(head, LEDGER_START, HEX_SIZE);
	if (fs_state_look(&fs_of(s)->state, d) < 0)
		return -1;
	fd = fs_state_ledger(&fs_of(s)->state, false, &err, d);
	if (fd < 0)
		return err == ENOENT ? 0 : -1;
	int rc = ledger_walk(fd, each, arg, seq, head, d);

	close(fd);
	return rc;
}

/* A reader opens the ledger when it first asks for it. */
static int need_ledger(struct fs *fs, struct diag *d)
{
	int err;

	if (fs->ledger.fd >= 0)
		return 1;
	if (fs_state_look(&fs->state, d) < 0)
		return -1;
	int fd = fs_state_ledger(&fs->state, false, &err, d);

	if (fd < 0)
		return err == ENOENT ? 0 : -1;
	return ledger_open(&fs->ledger, fd, false, d) < 0 ? -1 : 1;
}

static int last(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	struct fs *fs = fs_of(s);
	size_t before = d->n;
	int rc = need_ledger(fs, d);

	if (rc != 1)
		return rc;
	const struct ledger_mark *m = ledger_last(&fs->ledger, plan_hash, d);

	if (!m)
		return diag_exit(d) != MIG_OK && d->n > before ? -1 : 0;
	return ledger_entry(&fs->ledger, m, out, d) < 0 ? -1 : 1;
}

/* {"actor":"ada","host":"h1","pid":42,"since":"2026-01-02T03:04:05Z"} */
static void write_holder(struct buf *b, const struct apply_ctx *c)
{
	char host[256], since[LEDGER_TIME_SIZE];
	struct rec w;

	if (gethostname(host, sizeof host) < 0)
		host[0] = '\0';
	host[sizeof host - 1] = '\0';
	for (char *p = host; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	ledger_time(c->now, since);
	rec_open(&w, b);
	rec_str(&w, "actor", c->grant->actor);
	rec_cstr(&w, "host", host);
	rec_int(&w, "pid", getpid());
	rec_cstr(&w, "since", since);
	rec_close(&w);
	buf_addch(b, '\n');
}

static int lock(struct store *s, unsigned seconds, const struct apply_ctx *c, struct diag *d)
{
	struct store_fs *st = (struct store_fs *)s;
	struct fs *fs = &st->fs;
	struct buf holder = BUF_INIT;
	int err, fd;

	if (st->mode != STORE_WRITE)
		return diag_add(d, MIG_ERROR, "internal", fs->root.name,
		                "a store that was opened for reading is not locked");
	write_holder(&holder, c);
	int rc = fs_lock(&fs->state, seconds, holder.s, d);

	buf_release(&holder);
	if (rc < 0 || fs_state_make(&fs->state, d) < 0 || (fd = fs_state_ledger(&fs->state, true, &err, d)) < 0)
		return -1;
	if (!fs->user)
		fs->user = ledger_user();
	return ledger_open(&fs->ledger, fd, true, d);
}

static int recover(struct store *s, const struct apply_ctx *c, struct diag *d)
{
	struct fs *fs = fs_of(s);

	return fs_recover(fs, c, d) < 0 ? -1 : fs_undo(fs, c, d);
}

static int detach(struct store *s, const struct relay *r, struct diag *d)
{
	struct fs *fs = fs_of(s);

	ledger_detach(&fs->ledger, r);
	fs->state.relay = r;
	return fs_state_reopen(&fs->state, d);
}

static int answer_last(struct fs *fs, const char *plan_hash, struct relay_answer *a, struct diag *d)
{
	int rc = need_ledger(fs, d);

	if (rc != 1)
		return rc;
	const struct ledger_mark *m = ledger_last(&fs->ledger, plan_hash, d);

	a->known = m != NULL;
	if (m)
		memcpy(a->event, m->event, sizeof a->event);
	rc = ledger_pruned(&fs->ledger, plan_hash, d);
	a->pruned = rc == 1;
	return rc < 0 ? -1 : 0;
}

static int answer(struct store *s, enum relay_ask what, bool exchanged, const char *text, size_t n,
                  struct relay_answer *a, struct diag *d)
{
	struct fs *fs = fs_of(s);

	if (what == RELAY_LAST)
		return answer_last(fs, text, a, d);
	if (what == RELAY_TURN)
		return 0;
	if (what == RELAY_SYNC)
		return fs_state_sync(&fs->state, d);
	int rc = ledger_adopt(&fs->ledger, text, n, d) < 0 ? -1
	                                                   : ledger_sync(&fs->ledger, exchanged, &a->unsure, d);

	a->seq = fs->ledger.seq;
	memcpy(a->head, fs->ledger.head, HEX_SIZE);
	return rc;
}

static int prune(struct store *s, const char *before, const struct apply_ctx *c,
                 int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg,
                 struct store_pruned *p, struct diag *d)
{
	struct fs *fs = fs_of(s);

	*p = (struct store_pruned){ .seq = -1 };
	return need_ledger(fs, d) < 0 ? -1 : fs_prune(fs, before, c, allow, arg, p, d);
}

static int trust(struct store *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                 struct diag *d)
{
	return fs_state_trust(&fs_of(s)->state, each, arg, d);
}

static int spent(struct store *s, const struct uses *u, struct diag *d)
{
	return spent_check(fs_of(s)->ledger.fd, u, d);
}

static int apply(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	struct fs *fs = fs_of(s);

	if (!c->grant->dry_run && fs->state.lock < 0)
		return diag_add(d, MIG_ERROR, "internal", fs->root.name, "nothing is applied without the lock");
	/* a dry run of a rollback asks whether the plan was pruned */
	if (c->grant->dry_run && p->rollback_mode && !fs->ledger.relay && need_ledger(fs, d) < 0)
		return -1;
	return fs_apply(fs, p, c, o, d);
}

static int check(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return fs_check(fs_of(s), p, c, o, d);
}

static int note(struct store *s, const struct entry *e, struct diag *d)
{
	struct fs *fs = fs_of(s);
	struct entry mine = *e;
	bool unsure;

	if (fs->state.lock < 0)
		return diag_add(d, MIG_ERROR, "internal", fs->root.name, "nothing is noted without the lock");
	mine.user = (struct text){ fs->user, strlen(fs->user) };
	ledger_append(&fs->ledger, &mine);
	return ledger_sync(&fs->ledger, false, &unsure, d);
}

static int confine(struct store *s, struct diag *d)
{
	struct fs *fs = fs_of(s);
	bool writes = ((struct store_fs *)s)->mode == STORE_WRITE;

	if (writes && !fs->user) /* the user database is out of reach from here on */
		fs->user = ledger_user();
	return writes ? sandbox_root(fs->root.fd, d) : sandbox_tree(fs->root.fd, false, d);
}

static void close_store(struct store *s)
{
	struct fs *fs = fs_of(s);

	ledger_release(&fs->ledger);
	fs_state_close(&fs->state);
	fs_root_release(&fs->root);
	effect_release(&fs->effect);
	buf_release(&fs->bytes);
	buf_release(&fs->arena);
	free(fs->user);
	free(s);
}

static const struct store_ops ops = {
	.scan = scan,
	.orphans = orphans,
	.read = read_doc,
	.plan = stored_plan,
	.object = object,
	.ledger = walk,
	.last = last,
	.lock = lock,
	.recover = recover,
	.trust = trust,
	.spent = spent,
	.apply = apply,
	.check = check,
	.note = note,
	.detach = detach,
	.answer = answer,
	.prune = prune,
	.confine = confine,
	.close = close_store,
};

/* Two descriptors a document of the largest plan are worth asking for. */
static size_t raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0 && getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1;
	return l.rlim_cur < OTHER_FILES * 2 ? 1 : (l.rlim_cur - OTHER_FILES) / FILES_A_DOCUMENT;
}

struct store *store_fs_open(const char *dir, enum store_mode mode, struct diag *d)
{
	struct store_fs *st = xcalloc(1, sizeof *st);

	st->base.ops = &ops;
	st->mode = mode;
	st->fs.root = (struct fs_root)FS_ROOT_INIT;
	st->fs.state = (struct fs_state)FS_STATE_INIT;
	st->fs.ledger = (struct ledger)LEDGER_INIT;
	st->fs.effect = (struct effect)EFFECT_INIT;
	if (fs_root_open(&st->fs.root, dir, d) < 0 || fs_state_open(&st->fs.state, &st->fs.root, d) < 0) {
		close_store(&st->base);
		return NULL;
	}
	st->fs.max_open = mode == STORE_WRITE ? raise_limit() : 1;
	return &st->base;
}
