/* fs-judge.c -- see fs-judge.h */
#include "fs-judge.h"

#include "fs-inverse.h"
#include "fs-produce.h"
#include "fs-stored.h"

#include <errno.h>

enum { SHOWN_FINDINGS = 20 };

/* Would the document have the content that the step expects, were the plans before this one done? */
static bool expected_ahead(struct fs_run *r, const struct fs_file *f)
{
	const struct step *s = f->step;
	const struct apply_ctx *c = r->ctx;
	struct fs *fs = r->fs;
	struct diag unseen = DIAG_INIT;
	char raw[HEX_SIZE], content[HEX_SIZE];

	bool is = c->ahead && restores_before(c->restores, s->ref, c->place, raw) &&
	          fs_stored_object(&fs->state, raw, &fs->bytes, &unseen) == 1 &&
	          effect_content(&fs->effect, &fs->bytes, s->without, content) && text_is(s->after, content);

	diag_release(&unseen);
	return is;
}

/* found is what stands there instead: a hash, or "absent" and the like. */
static int drift(const struct fs_run *r, const struct fs_file *f, const char *found, struct diag *d)
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
static int judge_bytes(struct fs_run *r, struct fs_file *f, struct diag *d)
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
	if (s->restore && !old && !new && r->ctx->restores) {
		old = restores_later(r->ctx->restores, s->ref, r->ctx->place, f->raw);
		new = !old && expected_ahead(r, f);
	}
	if (!old && !new)
		return drift(r, f, s->restore && json ? content : f->raw, d);
	f->todo = s->restore ? new : old;
	if (!f->todo)
		return 0;
	return fs_file_replaceable(&fs->state, f, d) < 0 ? -1 : fs_produce(fs, r->plan, r->time, f, d);
}

static int judge_document(struct fs_run *r, size_t i, struct diag *d)
{
	struct fs_file *f = &r->file[i];
	const char *why;

	if (fs_file_init(f, &r->plan->step[i], r->plan->hash, d) < 0)
		return -1;
	if (r->undoing)
		strncat(f->temp, FS_REDO, sizeof f->temp - strlen(f->temp) - 1);
	if (fs_file_open(&r->fs->root, f, i ? &r->file[i - 1] : NULL, &why, d) < 0)
		return why ? drift(r, f, why, d) : -1;
	int rc = judge_bytes(r, f, d);

	fs_run_close(r, i);
	return rc;
}

/* All that is wrong is named, not only the first. */
static int judge_all(struct fs_run *r)
{
	struct diag unseen = DIAG_INIT;
	size_t bad = 0;

	buf_reset(&r->fs->arena);
	for (size_t i = 0; i < r->n; i++) {
		struct diag *d = bad < SHOWN_FINDINGS ? r->d : &unseen;

		if (fs_run_interrupted(r) < 0)
			return -1;
		if (judge_document(r, i, d) < 0) {
			fs_run_failed(r, i, d);
			bad++;
		} else if (!r->file[i].todo) {
			outcome_set(r->outcome, i, STEP_SKIPPED,
			            r->plan->step[i].restore ? "already restored" : "already applied");
		} else {
			r->todo++;
		}
	}
	if (unseen.n)
		diag_add(r->d, diag_exit(&unseen), unseen.list[0].rule, NULL, "and %zu more", bad - SHOWN_FINDINGS);
	diag_release(&unseen);
	return bad ? -1 : 0;
}

/*
 * The originals of a plan that was pruned may be there, by chance, for some
 * documents: none is restored.  What was found from first on is then no news.
 */
static int check_pruned(struct fs_run *r, size_t first)
{
	char undoes[HEX_SIZE];
	struct ledger *l = &r->fs->ledger;

	if (!r->plan->rollback_mode || r->undoing || (l->fd < 0 && !l->relay) || r->plan->undoes.n != HEX_LEN)
		return 0;
	memcpy(undoes, r->plan->undoes.s, HEX_LEN);
	undoes[HEX_LEN] = '\0';
	int rc = ledger_pruned(l, undoes, r->d);

	if (rc <= 0)
		return rc;
	diag_truncate(r->d, first);
	return diag_add(r->d, MIG_PRECONDITION, "pruned", NULL,
	                "the plan %s that it undoes was pruned: its originals are no longer kept", undoes);
}

int fs_judge(struct fs_run *r)
{
	size_t first = r->d->n;
	int rc = judge_all(r);

	/* what is restored already needs no originals */
	if ((rc < 0 || r->todo) && check_pruned(r, first) < 0)
		rc = -1;
	return rc;
}
