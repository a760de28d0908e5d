/* fs-work.c -- see fs-work.h; the numbers are those of fs-apply.h. */
#include "fs-work.h"

#include "fs-exchange.h"
#include "fs-keep.h"
#include "fs-produce.h"
#include "fs-stored.h"

#include <errno.h>
#include <stdlib.h>

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
	ledger_append(&r->fs->ledger, &e);
	free(written);
	return fs_run_sync_ledger(r);
}

/* Remove the backup that the undone plan made, if it still holds the restored bytes. */
static void remove_backup(struct fs_run *r, struct fs_file *f)
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

/* What is restored needs no backup: neither what this run restored nor what an earlier one did. */
static void remove_backups(struct fs_run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct fs_file *f = &r->file[i];

		if (!f->step->restore || !f->step->backup_suffix.n)
			continue;
		remove_backup(r, f);
		fs_run_close(r, i);
	}
}

int fs_work(struct fs_run *r)
{
	/* (4) and (6) end with a sync of all files */
	if (begin(r) < 0 || for_each(r, stage) < 0 || fs_run_sync(r) < 0 || for_each(r, exchange) < 0 ||
	    fs_run_sync(r) < 0 || commit(r) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->file[i].todo)
			continue;
		fs_exchange_forget(&r->fs->state, &r->file[i], false);
		outcome_set(r->outcome, i, STEP_APPLIED, NULL);
	}
	remove_backups(r);
	return 0;
}

int fs_work_end(struct fs_run *r)
{
	size_t before = r->d->n;
	const struct ledger_mark *m = ledger_last(&r->fs->ledger, r->plan->hash, r->d);

	if (!m && r->d->n > before)
		return -1;
	if (m && strcmp(m->event, "begin") == 0 && (fs_run_sync(r) < 0 || commit(r) < 0))
		return -1;
	remove_backups(r);
	return 0;
}
