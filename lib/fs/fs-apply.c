/* fs-apply.c -- see fs-apply.h */
#include "fs-apply.h"

#include "fs-exchange.h"
#include "fs-keep.h"
#include "moment.h"

#include <errno.h>
#include <stdlib.h>

enum { SHOWN_FINDINGS = 20, ARENA_MAX = 16 << 20 };

/* One plan on its way. */
struct run {
	struct fs *fs;
	const struct plan *p;
	const struct apply_ctx *c;
	struct outcome *o;
	struct diag *d;
	struct fs_file *file; /* one a step */
	size_t n, todo;
	char time[LEDGER_TIME_SIZE];
	int64_t start;        /* moment_ticks() */
	bool undoing;         /* what a killed run has begun: the ledger's begin is there, its undo is the end */
	bool begun;           /* the ledger says so, and this run is to say what became of it */
	bool exchanged;       /* a document has its new bytes */
	bool sync_lost;       /* nobody knows what is on the disk: write nothing more */
	size_t failed;        /* the step that failed, or n */
	size_t conflict;      /* the step that met somebody else's file, or n */
};

static bool keeps_open(const struct run *r, size_t i)
{
	return i < r->fs->max_open;
}

/* (1) The new bytes of a document, appended to the arena. */
static int produce(struct run *r, const struct fs_file *f, struct diag *d)
{
	const struct step *s = f->step;
	struct fs *fs = r->fs;
	char raw[HEX_SIZE];

	if (!s->restore)
		return effect_forward(&fs->effect, r->p, s, &fs->bytes, r->time, &fs->arena, f->ref, d);
	memcpy(raw, s->raw.s, HEX_LEN);
	raw[HEX_LEN] = '\0';
	int rc = fs_state_object(&fs->state, raw, &fs->state.scratch, d);

	if (rc == 0) {
		diag_hint(d, "a copy of them, such as a backup beside the document, goes there under that name");
		return diag_add(d, MIG_PRECONDITION, "object_missing", f->ref,
		                "its original bytes %s are not in %s/objects", raw, FS_STATE);
	}
	if (rc == 1)
		buf_add(&fs->arena, fs->state.scratch.s, fs->state.scratch.len);
	return rc < 0 ? -1 : 0;
}

/* Keep the old and the new bytes while there is room for them, else only prove that the new ones can be made. */
static int prepare(struct run *r, struct fs_file *f, struct diag *d)
{
	struct buf *arena = &r->fs->arena;

	f->old_at = arena->len;
	buf_add(arena, r->fs->bytes.s, r->fs->bytes.len);
	f->at = arena->len;
	if (produce(r, f, d) < 0)
		return -1;
	f->len = arena->len - f->at;
	f->kept = arena->len <= ARENA_MAX;
	if (!f->kept)
		buf_setlen(arena, f->old_at);
	return 0;
}

/* Would the document have the content that the step expects, were the plans before this one done? */
static bool expected_ahead(struct run *r, const struct fs_file *f)
{
	const struct step *s = f->step;
	const struct apply_ctx *c = r->c;
	struct fs *fs = r->fs;
	struct diag unseen = DIAG_INIT;
	char raw[HEX_SIZE], content[HEX_SIZE];

	bool is = c->ahead && restores_before(c->restores, s->ref, c->place, raw) &&
	          fs_state_object(&fs->state, raw, &fs->bytes, &unseen) == 1 &&
	          effect_content(&fs->effect, &fs->bytes, s->without, content) && text_is(s->after, content);

	diag_release(&unseen);
	return is;
}

static int drift(const struct run *r, const struct fs_file *f, const char *found, struct diag *d)
{
	const struct step *s = f->step;

	if (s->restore) {
		if (!r->undoing) /* who undoes what was begun has a word of his own */
			diag_hint(d, "mig history --store STORE --ref %s tells what was done since, "
			             "mig-verify --store STORE < PLANS what differs", f->ref);
		return diag_add(d, MIG_INVALID, "drift", f->ref, "expected content %.*s, found %s", (int)s->after.n,
		                s->after.s, found);
	}
	diag_hint(d, "mig-extract | mig-transform | mig-plan .. again, from what is there now");
	return diag_add(d, MIG_INVALID, "drift", f->ref, "expected bytes %.*s, found %s", (int)s->raw.n, s->raw.s,
	                found);
}

/* Read the open file and tell by its bytes whether the step is to do or done: the files decide. */
static int judge(struct run *r, struct fs_file *f, struct diag *d)
{
	const struct step *s = f->step;
	struct fs *fs = r->fs;
	char content[HEX_SIZE];

	if (fs_read_all(f->fd, &fs->bytes, f->st.stx_size) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", f->ref, "cannot read: %s", strerror(errno));
	digest_hex(fs->bytes.s, fs->bytes.len, f->raw);
	bool old = text_is(s->raw, f->raw), json = true, new = false;

	if (!old) {
		json = effect_content(&fs->effect, &fs->bytes, s->without, content);
		new = json && text_is(s->after, content);
	}
	if (s->restore && !old && !new && r->c->restores) {
		old = restores_later(r->c->restores, s->ref, r->c->place, f->raw);
		new = !old && expected_ahead(r, f);
	}
	f->todo = s->restore ? new : old;
	if (old || new)
		return f->todo && (fs_file_replaceable(&fs->state, f, d) < 0 || prepare(r, f, d) < 0) ? -1 : 0;
	return drift(r, f, s->restore && json ? content : f->raw, d);
}

static int check(struct run *r, size_t i, struct diag *d)
{
	struct fs_file *f = &r->file[i];
	const char *why;

	if (fs_file_init(f, &r->p->step[i], r->p->hash, d) < 0)
		return -1;
	if (r->undoing)
		strncat(f->temp, FS_REDO, sizeof f->temp - strlen(f->temp) - 1);
	if (fs_file_open(&r->fs->root, f, i ? &r->file[i - 1] : NULL, &why, d) < 0)
		return why ? drift(r, f, why, d) : -1;
	int rc = judge(r, f, d);

	if (!keeps_open(r, i))
		fs_file_close(f);
	return rc;
}

/* The message of the last finding becomes that of the step. */
static void step_failed(struct run *r, size_t i, const struct diag *d)
{
	outcome_set(r->o, i, STEP_FAILED, "%s", d->n ? d->list[d->n - 1].message : "failed");
}

static int interrupted(struct run *r)
{
	return store_interrupted() ? diag_add(r->d, MIG_ERROR, "interrupted", NULL, "stopped by a signal") : 0;
}

/* (1) Every document of the plan, before the first write; all that is wrong is named. */
static int check_all(struct run *r)
{
	struct diag unseen = DIAG_INIT;
	size_t bad = 0;

	buf_reset(&r->fs->arena);
	for (size_t i = 0; i < r->n; i++) {
		struct diag *d = bad < SHOWN_FINDINGS ? r->d : &unseen;

		if (interrupted(r) < 0)
			return -1;
		if (check(r, i, d) < 0) {
			step_failed(r, i, d);
			bad++;
		} else if (!r->file[i].todo) {
			outcome_set(r->o, i, STEP_SKIPPED,
			            r->p->step[i].restore ? "already restored" : "already applied");
		} else {
			r->todo++;
		}
	}
	if (unseen.n)
		diag_add(r->d, diag_exit(&unseen), unseen.list[0].rule, NULL, "and %zu more", bad - SHOWN_FINDINGS);
	diag_release(&unseen);
	return bad ? -1 : 0;
}

static int64_t elapsed_ms(const struct run *r)
{
	return r->c->now ? 0 : moment_since(r->start);
}

static void append(struct run *r, const char *event, const char *kept, const char *const *written)
{
	struct entry e;

	entry_init(&e, event, r->p, r->c->grant, r->fs->user, r->time);
	if (kept) {
		e.ref = r->p->step[r->conflict].ref;
		e.kept = kept;
	}
	e.written = written;
	e.nwritten = written ? r->n : 0;
	e.duration_ms = written ? elapsed_ms(r) : 0;
	ledger_append(&r->fs->ledger, &e);
}

static int sync_ledger(struct run *r)
{
	bool unsure;
	int rc = ledger_sync(&r->fs->ledger, r->exchanged, &unsure, r->d);

	if (unsure)
		r->sync_lost = true;
	if (rc == 0) {
		r->o->ledger_seq = r->fs->ledger.seq;
		memcpy(r->o->ledger_head, r->fs->ledger.head, HEX_SIZE);
	}
	return rc;
}

static int sync_files(struct run *r)
{
	if (fs_state_sync(&r->fs->state, r->d) == 0)
		return 0;
	r->sync_lost = true;
	return -1;
}

/* (2) */
static int begin(struct run *r)
{
	size_t n;
	const char *text = doc_span(r->p->doc, r->p->root, &n);

	if (r->undoing)
		return 0;
	/* a plan that is not to begin leaves nothing */
	if (r->fs->state.relay) {
		const struct relay *relay = r->fs->state.relay;
		struct relay_answer a;

		if (relay->ask(relay->arg, RELAY_TURN, false, NULL, 0, &a, r->d) < 0)
			return -1;
	}
	if (fs_state_put_plan(&r->fs->state, r->p->hash, text, n, r->d) < 0)
		return -1;
	append(r, "begin", NULL, NULL);
	if (sync_ledger(r) < 0)
		return -1;
	r->begun = true;
	return 0;
}

/* The new bytes once more, for a document whose bytes were not kept. */
static int produce_again(struct run *r, struct fs_file *f)
{
	char is[HEX_SIZE];

	if (fs_read_all(f->fd, &r->fs->bytes, f->st.stx_size) < 0)
		return diag_add(r->d, MIG_ERROR, "io_failed", f->ref, "cannot read: %s", strerror(errno));
	digest_hex(r->fs->bytes.s, r->fs->bytes.len, is);
	if (strcmp(is, f->raw) != 0)
		return diag_add(r->d, MIG_INVALID, "drift", f->ref, "changed since it was checked");
	f->at = r->fs->arena.len;
	if (produce(r, f, r->d) < 0)
		return -1;
	f->len = r->fs->arena.len - f->at;
	return 0;
}

/* (3) and (4) for one document. */
static int stage(struct run *r, size_t i)
{
	struct fs_file *f = &r->file[i];
	struct fs *fs = r->fs;
	int rc = fs_file_again(&fs->root, f, r->d);

	if (rc == 0 && !f->kept)
		rc = produce_again(r, f);
	if (rc == 0)
		rc = fs_file_stage(&fs->state, f, fs->arena.s + f->at, f->len, r->d);
	if (rc == 0)
		rc = fs_keep_original(&fs->state, f, r->d);
	if (rc == 0 && f->step->backup_suffix.n && !f->step->restore)
		rc = fs_keep_backup(&fs->state, f, r->d);
	if (!f->kept && f->len)
		buf_setlen(&fs->arena, f->at);
	if (!keeps_open(r, i))
		fs_file_close(f);
	return rc;
}

/* (5) for one document. */
static int exchange(struct run *r, size_t i)
{
	struct fs_file *f = &r->file[i];
	char *kept = NULL;
	struct text old = { NULL, 0 };

	if (f->kept)
		old = (struct text){ r->fs->arena.s + f->old_at, f->at - f->old_at };
	enum fs_result rc = fs_exchange(&r->fs->state, f, old, !r->exchanged, &kept, r->d);

	if (f->exchanged)
		r->exchanged = true;
	if (rc == FS_CONFLICT) {
		r->conflict = i;
		append(r, "conflict", kept, NULL);
		diag_hint(r->d, "look at both: then put theirs back and plan again, "
		                "or apply the same plan again to go on with ours");
	}
	free(kept);
	if (!keeps_open(r, i))
		fs_file_close(f);
	return rc == FS_OK ? 0 : -1;
}

/* Do one thing to every document that is to do, up to the first that fails. */
static int for_each(struct run *r, int (*verb)(struct run *r, size_t i))
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->file[i].todo)
			continue;
		if (interrupted(r) < 0 || verb(r, i) < 0) {
			step_failed(r, i, r->d);
			r->failed = i;
			return -1;
		}
	}
	return 0;
}

/* Put one original back; after FS_FAILED the document still has its new bytes. */
static enum fs_result undo_one(struct run *r, size_t i)
{
	struct fs_file *f = &r->file[i];
	char *kept = NULL;
	enum fs_result rc = fs_exchange_back(&r->fs->state, f, &kept, r->d);

	free(kept);
	if (rc == FS_OK && i != r->failed)
		outcome_set(r->o, i, STEP_UNDONE, "its original is back in place");
	else if (rc != FS_OK)
		step_failed(r, i, r->d);
	if (!keeps_open(r, i))
		fs_file_close(f);
	return rc;
}

/* Not all could be put back: the plan stays begun, so that the next run finds it. */
static void explain_left(struct run *r, size_t left)
{
	diag_add(r->d, MIG_ERROR, "not_undone", r->fs->root.name,
	         "%zu document%s new bytes, the originals are in %s/objects: "
	         "apply the same plan again to complete it, or undo it with --recover undo",
	         left, left == 1 ? " still has its" : "s still have their", FS_STATE);
}

/* After an error: put back every original, last first, and say so in the ledger. */
static void undo(struct run *r)
{
	bool clean = r->conflict == r->n;
	size_t left = 0;

	for (size_t i = r->n; i-- > 0;)
		if (r->file[i].exchanged && i != r->conflict) {
			enum fs_result rc = undo_one(r, i);

			clean = clean && rc == FS_OK;
			left += rc == FS_FAILED;
		}
	/* the objects stay where any of them may be the last copy of an original, also one of another plan at work */
	if (r->fs->state.relay)
		clean = false;
	for (size_t i = 0; i < r->n; i++)
		fs_exchange_forget(&r->fs->state, &r->file[i], clean);
	if (!(r->begun || (r->undoing && r->conflict < r->n)) || r->sync_lost || (r->exchanged && sync_files(r) < 0))
		return;
	if (left)
		explain_left(r, left);
	else if (r->begun)
		append(r, "undo", NULL, NULL);
	if (!left || r->conflict < r->n)
		sync_ledger(r);
}

/* A sync after the exchange failed: say exactly what is left, and touch nothing. */
static void explain_lost(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->file[i].exchanged)
			outcome_set(r->o, i, STEP_FAILED,
			            "its new bytes are in place, but the disk did not confirm them");
	diag_add(r->d, MIG_ERROR, "unconfirmed", r->fs->root.name,
	         "%zu documents have their new bytes and their originals are in %s/objects, "
	         "but the disk did not confirm it: look after the disk, then apply the same plan again",
	         r->todo, FS_STATE);
}

/* Remove the backup that the undone plan made, if it still holds the restored bytes. */
static void remove_backup(struct run *r, struct fs_file *f)
{
	char raw[HEX_SIZE], *name;

	if (fs_file_parent(&r->fs->root, f) < 0)
		return;
	memcpy(raw, f->step->raw.s, HEX_LEN);
	raw[HEX_LEN] = '\0';
	name = fs_backup_find(&r->fs->state, f, raw);
	if (!name && fs_backup_exists(f))
		diag_warn(r->d, "backup_kept", f->ref, "its backup has other bytes than the restored ones: left alone");
	else if (name && fs_backup_remove(f, name) < 0)
		diag_warn(r->d, "backup_kept", f->ref, "cannot remove its backup: %s", strerror(errno));
	free(name);
}

static void remove_backups(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct fs_file *f = &r->file[i];

		if (!f->step->restore || !f->step->backup_suffix.n)
			continue;
		remove_backup(r, f);
		if (!keeps_open(r, i))
			fs_file_close(f);
	}
}

/* (7) */
static int commit(struct run *r)
{
	const char **written = xcalloc(r->n, sizeof *written);

	for (size_t i = 0; i < r->n; i++)
		written[i] = r->file[i].exchanged ? r->file[i].written : NULL;
	append(r, r->undoing ? "undo" : r->p->rollback_mode ? "rollback" : "commit", NULL, r->undoing ? NULL : written);
	free(written);
	return sync_ledger(r);
}

/* Everything is done already: nothing to write, unless a killed run left its commit out. */
static int complete(struct run *r)
{
	size_t before = r->d->n;
	const struct ledger_mark *m = ledger_last(&r->fs->ledger, r->p->hash, r->d);

	if (!m && r->d->n > before)
		return -1;
	if (m && strcmp(m->event, "begin") == 0 && (sync_files(r) < 0 || commit(r) < 0))
		return -1;
	remove_backups(r);
	return 0;
}

static int work(struct run *r)
{
	struct fs_state *s = &r->fs->state;

	if (begin(r) < 0 || for_each(r, stage) < 0 || sync_files(r) < 0 || for_each(r, exchange) < 0) {
		undo(r);
		return -1;
	}
	/* what could be written is undone when the commit cannot; what may be on the disk is not */
	if (sync_files(r) < 0 || commit(r) < 0) {
		if (r->sync_lost)
			explain_lost(r);
		else
			undo(r);
		return -1;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (!r->file[i].todo)
			continue;
		fs_exchange_forget(s, &r->file[i], false);
		outcome_set(r->o, i, STEP_APPLIED, NULL);
	}
	remove_backups(r);
	return 0;
}

/* What a dry run says of a step that is to do. */
static void describe(struct run *r, size_t i)
{
	const struct step *s = &r->p->step[i];
	struct buf b = BUF_INIT;

	if (s->restore) {
		buf_addf(&b, "would restore %.*s", (int)s->raw.n, s->raw.s);
		if (s->backup_suffix.n)
			buf_addf(&b, ", remove its backup");
	} else {
		uint32_t n = r->p->doc->tok[s->patch].n;

		buf_addf(&b, "would patch %u operation%s", n, n == 1 ? "" : "s");
		if (s->stamp_entry)
			buf_addf(&b, ", stamp %.*s", (int)s->without.n, s->without.s);
		if (s->backup_suffix.n)
			buf_addf(&b, ", back up to %s%.*s", r->file[i].base, (int)s->backup_suffix.n,
			         s->backup_suffix.s);
	}
	outcome_set(r->o, i, STEP_SKIPPED, "%s", b.s);
	buf_release(&b);
}

/* The originals of a plan that was pruned may be there, by chance, for some documents: none is restored. */
static int check_pruned(struct run *r, size_t first)
{
	char undoes[HEX_SIZE];
	struct ledger *l = &r->fs->ledger;

	if (!r->p->rollback_mode || r->undoing || (l->fd < 0 && !l->relay) || r->p->undoes.n != HEX_LEN)
		return 0;
	memcpy(undoes, r->p->undoes.s, HEX_LEN);
	undoes[HEX_LEN] = '\0';
	int rc = ledger_pruned(l, undoes, r->d);

	if (rc <= 0)
		return rc;
	diag_truncate(r->d, first);
	return diag_add(r->d, MIG_PRECONDITION, "pruned", NULL,
	                "the plan %s that it undoes was pruned: its originals are no longer kept", undoes);
}

/* (1), and whether what it takes is still kept. */
static int check_plan(struct run *r)
{
	size_t first = r->d->n;
	int rc = check_all(r);

	/* what is restored already needs no originals */
	if ((rc < 0 || r->todo) && check_pruned(r, first) < 0)
		rc = -1;
	return rc;
}

static int apply(struct run *r)
{
	if (check_plan(r) < 0)
		return -1;
	if (!r->c->grant->dry_run)
		return r->todo ? work(r) : complete(r);
	for (size_t i = 0; i < r->n; i++)
		if (r->file[i].todo)
			describe(r, i);
	return 0;
}

static int check_kind(const struct run *r)
{
	if (plan_of_rows(r->p))
		return diag_add(r->d, MIG_INVALID, "foreign_plan", NULL, "a plan of rows: this store holds documents");
	if (plan_of_descriptor(r->p))
		return diag_add(r->d, MIG_INVALID, "foreign_plan", NULL, "a plan of descriptors: no store takes it");
	if (plan_of_sql(r->p))
		return diag_add(r->d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan was made for a database, this store is a folder");
	return 0;
}

static int run(struct run *r, int (*verb)(struct run *r))
{
	r->start = moment_ticks();
	r->failed = r->conflict = r->n;
	ledger_time(r->c->now, r->time);
	r->file = xcalloc(r->n, sizeof *r->file);
	for (size_t i = 0; i < r->n; i++)
		r->file[i].parent = r->file[i].fd = -1;
	int rc = check_kind(r) < 0 ? -1 : verb(r);

	for (size_t i = 0; i < r->n; i++)
		fs_file_release(&r->file[i]);
	free(r->file);
	return rc;
}

int fs_apply_undo(struct fs *fs, const struct plan *inverse, const struct apply_ctx *c, struct diag *d)
{
	struct outcome o;
	struct run r = { .fs = fs, .p = inverse, .c = c, .o = &o, .d = d, .n = inverse->nstep, .undoing = true };

	outcome_init(&o, r.n);
	int rc = run(&r, apply);

	outcome_release(&o);
	return rc;
}

static int fs_run(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d,
                  int (*verb)(struct run *r))
{
	struct run r = { .fs = fs, .p = p, .c = c, .o = o, .d = d, .n = p->nstep };
	int rc = run(&r, verb);

	free(o->started_at);
	o->started_at = xstrdup(r.time);
	o->dry_run = c->grant->dry_run;
	o->duration_ms = elapsed_ms(&r);
	return rc;
}

int fs_apply(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return fs_run(fs, p, c, o, d, apply);
}

int fs_check(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return fs_run(fs, p, c, o, d, check_plan);
}
