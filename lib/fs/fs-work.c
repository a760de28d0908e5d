/* fs-work.c -- see fs-work.h; the numbers are those of fs-apply.h. */
#include "fs-work.h"

#include "fs-exchange.h"
#include "fs-keep.h"
#include "fs-produce.h"
#include "fs-stored.h"

#include <errno.h>
#include <stdlib.h>

/* Of an inverse they are its own, of a rollback those of the plan it undoes: 0, or -1 after a finding. */
static int read_claims(struct fs_run *r)
{
	const struct plan *p = r->plan;
	char hash[HEX_SIZE];

	if (p->rollback_mode && !r->undoing && p->undoes.n != HEX_LEN)
		return 0;
	memcpy(hash, p->rollback_mode && !r->undoing ? p->undoes.s : p->hash, HEX_LEN);
	hash[HEX_LEN] = '\0';
	fs_claims_release(&r->claims);
	return fs_claims_read(&r->claims, &r->fs->ledger, hash, r->d);
}

static void raw_of(const struct step *s, char raw[HEX_SIZE])
{
	memcpy(raw, s->raw.s, HEX_LEN);
	raw[HEX_LEN] = '\0';
}

/*
 * Which backup will the ledger claim for the document?  One that is to be made;
 * or one that is there: of a step that is done if it was claimed, of one that is to do if
 * an attempt that did not end well has left it.
 */
static void claim(struct fs_run *r, struct fs_file *f)
{
	char raw[HEX_SIZE];

	raw_of(f->step, raw);
	for (int versioned = 0; versioned < 2 && !f->backup; versioned++) {
		char *name = fs_file_backup(f, versioned);
		bool there = fs_backup_exists(f, name), claimed = there && fs_claims_has(&r->claims, f, name);

		if (f->todo ? !there || fs_backup_holds(&r->fs->state, f, name, raw) : claimed) {
			f->stood = claimed && (!f->todo || r->claims.open);
			f->ours = !there || f->stood;
			f->backup = name;
		} else {
			free(name);
		}
	}
}

/* Before they are made, so that whoever goes on after a crash knows them for ours. */
static int claim_backups(struct fs_run *r)
{
	bool read = false;

	for (size_t i = 0; i < r->n; i++) {
		struct fs_file *f = &r->file[i];

		if (!f->step->backup_suffix.n)
			continue;
		if (!read && read_claims(r) < 0)
			return -1;
		read = true;
		if (f->step->restore)
			return 0;
		/* a folder that cannot be opened is found by who keeps the original */
		if (fs_file_parent(&r->fs->root, f) == 0)
			claim(r, f);
		fs_run_close(r, i);
	}
	return 0;
}

/* (2) */
static int begin(struct fs_run *r)
{
	const struct relay *relay = r->fs->state.relay;
	size_t n;
	const char *text = doc_span(r->plan->doc, r->plan->root, &n);

	if (r->undoing)
		return 0;
	/* a plan that is not to begin leaves nothing */
	if (relay) {
		struct relay_answer a;

		if (relay->ask(relay->arg, RELAY_TURN, false, NULL, 0, &a, r->d) < 0)
			return -1;
	}
	if (fs_stored_put_plan(&r->fs->state, r->plan->hash, text, n, r->d) < 0)
		return -1;
	fs_run_append(r, "begin");
	if (fs_run_sync_ledger(r) < 0)
		return -1;
	r->begun = true;
	return 0;
}

/* (3) and (4) for one document. */
static int stage(struct fs_run *r, size_t i)
{
	struct fs_file *f = &r->file[i];
	struct fs *fs = r->fs;
	int rc = fs_file_again(&fs->root, f, r->d);

	if (rc == 0 && !f->kept)
		rc = fs_produce_again(fs, r->plan, r->time, f, r->d);
	if (rc == 0)
		rc = fs_file_stage(&fs->state, f, fs->arena.s + f->at, f->len, r->d);
	if (rc == 0)
		rc = fs_keep_original(&fs->state, f, r->d);
	if (rc == 0 && f->step->backup_suffix.n && !f->step->restore)
		rc = fs_keep_backup(&fs->state, f, r->d);
	fs_produce_forget(fs, f);
	fs_run_close(r, i);
	return rc;
}

static void note_conflict(struct fs_run *r, size_t i, const char *kept)
{
	struct entry e = fs_run_entry(r, "conflict");

	r->conflict = i;
	e.ref = r->plan->step[i].ref;
	e.kept = kept;
	ledger_append(&r->fs->ledger, &e);
	diag_hint(r->d, "look at both: then put theirs back and plan again, "
	                "or apply the same plan again to go on with ours");
}

/* (5) for one document. */
static int exchange(struct fs_run *r, size_t i)
{
	struct fs_file *f = &r->file[i];
	char *kept = NULL;
	struct text old = { NULL, 0 };

	if (f->kept)
		old = (struct text){ r->fs->arena.s + f->old_at, f->at - f->old_at };
	enum fs_result rc = fs_exchange(&r->fs->state, f, old, !r->exchanged, &kept, r->d);

	if (f->exchanged)
		r->exchanged = true;
	if (rc == FS_CONFLICT)
		note_conflict(r, i, kept);
	free(kept);
	fs_run_close(r, i);
	return rc == FS_OK ? 0 : -1;
}

/* Do one thing to every document that is to do, up to the first that fails. */
static int for_each(struct fs_run *r, int (*verb)(struct fs_run *r, size_t i))
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->file[i].todo)
			continue;
		if (fs_run_interrupted(r) < 0 || verb(r, i) < 0) {
			fs_run_failed(r, i, r->d);
			r->failed = i;
			return -1;
		}
	}
	return 0;
}

/* (7): the ledger's last word on the plan; what it says of an undo is that it is done, not what was written. */
static int commit(struct fs_run *r)
{
	const char **written;

	if (r->undoing) {
		fs_run_append(r, "undo");
		return fs_run_sync_ledger(r);
	}
	struct entry e = fs_run_entry(r, r->plan->rollback_mode ? "rollback" : "commit");

	written = xcalloc(r->n, sizeof *written);
	for (size_t i = 0; i < r->n; i++)
		written[i] = r->file[i].exchanged ? r->file[i].written : NULL;
	e.written = written;
	e.nwritten = r->n;
	e.duration_ms = fs_run_elapsed(r);
	fs_run_put(r, &e);
	free(written);
	return fs_run_sync_ledger(r);
}

/* Remove the backup of that name if it still holds the restored bytes. */
static void remove_one(struct fs_run *r, const struct fs_file *f, const char *name)
{
	char raw[HEX_SIZE];

	raw_of(f->step, raw);
	if (!fs_file_holds(&r->fs->state, f->parent, name, raw))
		diag_warn(r->d, "backup_kept", f->ref, "its backup has other bytes than the restored ones: left alone");
	else if (fs_backup_remove(f, name) < 0)
		diag_warn(r->d, "backup_kept", f->ref, "cannot remove its backup: %s", strerror(errno));
}

/* Remove the backup that the undone plan made.  What only has its name, and may be somebody's, is named. */
static void remove_backup(struct fs_run *r, const struct fs_file *f)
{
	bool claimed = false, others = false;

	for (int versioned = 0; versioned < 2; versioned++) {
		char *name = fs_file_backup(f, versioned);
		bool there = fs_backup_exists(f, name);

		if (fs_claims_has(&r->claims, f, name)) {
			claimed = true;
			if (there)
				remove_one(r, f, name);
		} else {
			others = others || there;
		}
		free(name);
	}
	if (!claimed && others)
		diag_warn(r->d, "backup_kept", f->ref,
		          "the ledger does not say that apply made what has its backup's name: left alone");
}

/* What is restored needs no backup: neither what this run restored nor what an earlier one did. */
static void remove_backups(struct fs_run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct fs_file *f = &r->file[i];

		if (!f->step->restore || !f->step->backup_suffix.n)
			continue;
		if (fs_file_parent(&r->fs->root, f) == 0)
			remove_backup(r, f);
		fs_run_close(r, i);
	}
}

/*
 * A rollback's backups stay until it has ended, as it may be undone.  An undo's go
 * before: once it has ended nobody would come back for them.
 */
static int finish(struct fs_run *r)
{
	if (r->undoing)
		remove_backups(r);
	if (commit(r) < 0)
		return -1;
	if (!r->undoing)
		remove_backups(r);
	return 0;
}

int fs_work(struct fs_run *r)
{
	/* (4) and (6) end with a sync of all files */
	if (claim_backups(r) < 0 || begin(r) < 0 || for_each(r, stage) < 0 || fs_run_sync(r) < 0 ||
	    for_each(r, exchange) < 0 || fs_run_sync(r) < 0 || finish(r) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->file[i].todo)
			continue;
		fs_exchange_forget(&r->fs->state, &r->file[i], false);
		outcome_set(r->outcome, i, STEP_APPLIED, NULL);
	}
	return 0;
}

int fs_work_end(struct fs_run *r)
{
	size_t before = r->d->n;
	const struct ledger_mark *m = ledger_last(&r->fs->ledger, r->plan->hash, r->d);

	if (!m && r->d->n > before)
		return -1;
	bool open = m && strcmp(m->event, "begin") == 0;

	if ((open || r->plan->rollback_mode) && claim_backups(r) < 0)
		return -1;
	if (open)
		return fs_run_sync(r) < 0 ? -1 : finish(r);
	remove_backups(r);
	return 0;
}
