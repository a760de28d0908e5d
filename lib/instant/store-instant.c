/* store-instant.c -- instantdb:APP, rows behind an admin interface, with a folder of ours; see store.h */
#include "instant-apply.h"
#include "instant-run.h"
#include "spent.h"

#include <stdlib.h>
#include <unistd.h>

enum { READ_RETRIES = 4 };

struct store_instant {
	struct store base;
	enum store_mode mode;
	struct instant in;
};

static struct instant *of(struct store *s)
{
	return &((struct store_instant *)s)->in;
}

static int no_documents(struct diag *d)
{
	return diag_add(d, MIG_USAGE, "no_documents", NULL, "an InstantDB app holds rows, no documents");
}

static int scan(struct store *s, char *const *globs, int (*each)(void *arg, const struct store_doc *doc), void *arg,
                struct diag *d)
{
	(void)s, (void)globs, (void)each, (void)arg;
	return no_documents(d);
}

static int orphans(struct store *s, int (*each)(void *arg, struct text ref, struct text target), void *arg,
                   struct diag *d)
{
	(void)s, (void)each, (void)arg;
	return no_documents(d);
}

static int read_doc(struct store *s, struct text ref, struct store_doc *doc, struct diag *d)
{
	(void)s, (void)ref, (void)doc;
	return no_documents(d);
}

static int stored_plan(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	struct buf text = BUF_INIT;
	char *name = xasprintf("%s.json", plan_hash);
	bool is_hash = digest_spelled(plan_hash);
	int rc = is_hash ? instant_state_get(&of(s)->state, "plans", name, &text, d) : 0;

	if (rc == 1)
		buf_add(out, text.s, text.len);
	free(name);
	buf_release(&text);
	if (rc == 0)
		return diag_add(d, MIG_PRECONDITION, "missing_plan", plan_hash, "this plan is not in the state folder");
	return rc < 0 ? -1 : 0;
}

static int object(struct store *s, struct text raw, struct buf *out, struct diag *d)
{
	(void)s, (void)raw, (void)out, (void)d;
	return 0;
}

static int walk(struct store *s, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d)
{
	size_t first = d->n;
	int fd = instant_state_ledger(&of(s)->state, false, d);

	*seq = 0;
	memcpy(head, LEDGER_START, HEX_SIZE);
	if (fd < 0)
		return d->n > first ? -1 : 0;
	int rc = ledger_walk(fd, each, arg, seq, head, d);

	close(fd);
	return rc;
}

static int last(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	size_t first = d->n;
	int fd = instant_state_ledger(&of(s)->state, false, d);

	if (fd < 0)
		return d->n > first ? -1 : 0;
	int rc = instant_standing_last(fd, plan_hash, out, d);

	close(fd);
	return rc;
}

/* {"actor":"ada","host":"h1","pid":42,"since":"2026-01-02T03:04:05Z"} */
static void write_holder(struct buf *b, const struct apply_ctx *c)
{
	char host[256] = "", since[LEDGER_TIME_SIZE];
	struct rec w;

	if (gethostname(host, sizeof host - 1) < 0)
		host[0] = '\0';
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
	struct store_instant *st = (struct store_instant *)s;
	struct buf holder = BUF_INIT;
	int fd;

	if (st->mode != STORE_WRITE)
		return diag_add(d, MIG_ERROR, "internal", NULL,
		                "a store that was opened for reading is not locked");
	write_holder(&holder, c);
	int rc = instant_state_lock(&st->in.state, seconds, holder.s, d);

	buf_release(&holder);
	if (rc < 0 || (fd = instant_state_ledger(&st->in.state, true, d)) < 0)
		return -1;
	if (!st->in.user)
		st->in.user = ledger_user();
	return ledger_open(&st->in.ledger, fd, true, d);
}

/* Batches that are done stay done: what a killed run left is completed, or rolled back as any other plan. */
static int recover(struct store *s, const struct apply_ctx *c, struct diag *d)
{
	char **hash;
	size_t n;
	int rc = ledger_unfinished(&of(s)->ledger, &hash, &n, d);

	for (size_t i = 0; i < n; i++) {
		if (c->recovery == STORE_UNDO)
			rc = diag_add(d, MIG_PRECONDITION, "not_supported", hash[i],
			              "begun and never committed: mig-plan --rollback undoes its batches");
		else
			diag_warn(d, "unfinished", NULL,
			          "plan %s was begun and never committed: apply it again to complete it, "
			          "or roll it back", hash[i]);
		free(hash[i]);
	}
	free(hash);
	return rc;
}

static int trust(struct store *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                 struct diag *d)
{
	return sql_state_trust(&of(s)->state.folder, each, arg, d);
}

static int spent(struct store *s, const struct uses *u, struct diag *d)
{
	return spent_check(of(s)->ledger.fd, u, d);
}

static int apply(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	if (!c->grant->dry_run && of(s)->state.lock < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "nothing is applied without the lock");
	return instant_apply(of(s), p, c, o, d);
}

static int check(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return instant_check(of(s), p, c, o, d);
}

static int note(struct store *s, const struct entry *e, struct diag *d)
{
	struct instant *in = of(s);
	struct entry mine = *e;
	bool unsure;

	if (in->state.lock < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "nothing is noted without the lock");
	mine.user = text_cstr(in->user);
	ledger_append(&in->ledger, &mine);
	return ledger_sync(&in->ledger, false, &unsure, d);
}

static int alone(struct diag *d)
{
	return diag_add(d, MIG_USAGE, "no_jobs", NULL, "--jobs: one process at a time writes to an app");
}

static int detach(struct store *s, const struct relay *r, struct diag *d)
{
	(void)s, (void)r;
	return alone(d);
}

static int answer(struct store *s, enum relay_ask what, bool exchanged, const char *text, size_t n,
                  struct relay_answer *a, struct diag *d)
{
	(void)s, (void)what, (void)exchanged, (void)text, (void)n, (void)a;
	return alone(d);
}

static int prune(struct store *s, const char *before, const struct apply_ctx *c,
                 int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg,
                 struct store_pruned *p, struct diag *d)
{
	(void)s, (void)before, (void)c, (void)allow, (void)arg;
	*p = (struct store_pruned){ .seq = -1 };
	return diag_add(d, MIG_PRECONDITION, "not_supported", NULL, "--prune is for folders of documents");
}

static int look_at(struct instant *in, struct instant_batch *b,
                   int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d)
{
	struct buf row = BUF_INIT;
	int rc = instant_look(b, &in->app, READ_RETRIES, d);

	for (size_t i = 0; i < b->n && rc == 0; i++) {
		struct text there = { NULL, 0 };

		buf_reset(&row);
		if (b->row[i].there != DOC_NONE) {
			rc = instant_row_write(b, &in->app, i, &row, d);
			there = (struct text){ row.s, row.len };
		}
		if (rc == 0)
			rc = each(arg, i, there);
	}
	buf_release(&row);
	return rc;
}

/* The entry of a rollback names no rows: those of the batch that it undoes. */
static int look(struct store *s, const struct plan *p, const struct step *st,
                int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d)
{
	struct instant *in = of(s);
	struct instant_stored undone = INSTANT_STORED_INIT;
	struct instant_batch b = { .n = 0 };
	int rc = 0;

	if (p->rollback_mode) {
		char *hash = xmemdup(p->undoes.s, p->undoes.n);

		rc = instant_stored_read(&undone, &in->state, hash, d);
		free(hash);
		p = &undone.plan;
		st = rc == 0 ? instant_stored_step(&undone, st->step_id) : NULL;
		if (rc == 0 && !st)
			rc = diag_add(d, MIG_INVALID, "foreign_plan", NULL, "the plan to be undone has no such batch");
	}
	if (rc == 0)
		rc = instant_batch_read(&b, p, st, d);
	if (rc == 0)
		rc = look_at(in, &b, each, arg, d);
	instant_batch_release(&b);
	instant_stored_release(&undone);
	return rc;
}

static int restored(struct store *s, const struct plan *p, struct diag *d)
{
	const struct apply_ctx c = { .retries = READ_RETRIES };

	return instant_restored(of(s), p, &c, d);
}

static int confine(struct store *s, struct diag *d)
{
	struct store_instant *st = (struct store_instant *)s;

	if (!st->in.user)
		st->in.user = ledger_user();
	return instant_state_confine(&st->in.state, st->mode == STORE_WRITE, d);
}

static void close_store(struct store *s)
{
	struct instant *in = of(s);

	ledger_release(&in->ledger);
	instant_state_release(&in->state);
	instant_app_release(&in->app);
	free(in->user);
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
	.look = look,
	.restored = restored,
	.confine = confine,
	.close = close_store,
};

struct store *store_instant_open(const char *app, const struct store_how *how, struct diag *d)
{
	const struct instant_how reach = { how->api, how->token_file, how->ca, how->timeout };
	struct store_instant *st = xcalloc(1, sizeof *st);

	st->base.ops = &ops;
	st->mode = how->mode;
	st->in.ledger = (struct ledger)LEDGER_INIT;
	st->in.state = (struct instant_state)INSTANT_STATE_INIT;
	if (instant_app_open(&st->in.app, app, &reach, d) == 0 &&
	    instant_state_open(&st->in.state, how->state, how->mode == STORE_READ, d) == 0)
		return &st->base;
	close_store(&st->base);
	return NULL;
}
